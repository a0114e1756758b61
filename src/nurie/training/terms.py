"""The terms of the generator's loss, a row each: its name, its value, and where there is one.

A new one takes a row here, an option that weights it (Train in config.py) and a function in nets/losses.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

import torch.nn.functional as F
from torch import Tensor

from nurie.batches.sampler import Batch
from nurie.config import Train
from nurie.nets.losses import (
    consistency_loss,
    feature_matching_loss,
    generator_gan_loss,
    ink_contrast_loss,
    lattice_loss,
    mean_near,
    paper_loss,
    subject_colour_loss,
)
from nurie.training.state import State


@dataclass(frozen=True)
class Made:
    """What a step has made of a batch."""

    state: State
    batch: Batch
    output: Tensor  # the generator's: its pictures, or logits of colours
    fake: Tensor  # the pictures, (n, 3, h, w) in [-1, 1]; those of logits without gradient
    features: list[Tensor]  # its activations on the way up
    again: Tensor | None  # its pictures of the same drawings by other pens, without gradient
    unpaired: Tensor  # its pictures of drawings without pictures, (m, 3, h, w); m may be 0
    asked: Tensor  # the styles that it was asked for there, (m, 3)

    @cached_property
    def error(self) -> Tensor:
        return (self.fake - self.batch.picture).abs()

    @cached_property
    def cross_entropy(self) -> Tensor:
        assert self.state.colours
        return self.state.colours.cross_entropy(self.output, self.batch.picture)

    @property
    def pixel_loss(self) -> Tensor:
        """What is to become less at each pixel, (n, _, h, w)."""
        return self.cross_entropy if self.state.colours else self.error

    @cached_property
    def taught(self) -> tuple[Tensor, list[Tensor]]:
        """The teacher's pictures, and its activations on the way up."""
        assert self.state.teacher
        with self.state.accelerator.autocast():
            return self.state.teacher.show(self.batch.drawing, self.batch.style)


@dataclass(frozen=True)
class Judged:
    """What the discriminator says of the fake pictures."""

    logits: list[Tensor]
    fake_features: list[Tensor]  # its activations for them
    real_features: list[Tensor]  # and for the real ones, without gradient
    unpaired: list[Tensor]  # logits of pictures of drawings without pictures; none where these are not judged


Of = TypeVar("Of", Made, Judged)


@dataclass(frozen=True)
class Term(Generic[Of]):
    """A term of the loss. Where it does not apply it is neither computed nor recorded."""

    name: str  # of the option that weights it, and in losses.jsonl
    value: Callable[[Of], Tensor]  # a mean over the batch
    where: Callable[[Train, Of], object] | None = None  # it applies; None: where its weight is not 0

    def applies(self, config: Train, of: Of) -> bool:
        return bool(self.where(config, of) if self.where else getattr(config, self.name))


def consistency(made: Made) -> Tensor:
    assert made.again is not None
    return consistency_loss(made.fake, made.again, made.batch.shift)


def distil_features(made: Made) -> Tensor:
    assert made.state.teacher
    return made.state.teacher.feature_loss(made.state.adapters, made.features, made.taught[1])


def ink_contrast(made: Made) -> Tensor:
    drawn = made.batch.unpaired
    assert drawn
    return ink_contrast_loss(made.unpaired, drawn.ink, drawn.inside)


def open_paper(made: Made) -> Tensor:
    assert made.batch.unpaired
    return paper_loss(made.unpaired, made.batch.unpaired.paper)


def subject_colour(made: Made) -> Tensor:
    assert made.batch.unpaired
    return subject_colour_loss(made.unpaired, made.batch.unpaired.filled, made.asked)


PICTURE_TERMS = (
    Term[Made]("l1", lambda made: made.error.mean(), lambda *_: True),
    Term[Made]("cross_entropy", lambda made: made.cross_entropy.mean(), lambda _, made: made.state.colours),
    Term[Made]("consistency", consistency, lambda _, made: made.again is not None),
    Term[Made]("lattice", lambda made: lattice_loss(made.batch.picture, made.fake)),
    Term[Made]("hint_l1", lambda made: mean_near(made.pixel_loss, made.batch.near_hints)),
    Term[Made](
        "body_part_l1",
        lambda made: mean_near(made.pixel_loss, made.batch.near_parts),
        lambda config, _: config.body_parts and config.body_part_l1,
    ),
    Term[Made](
        "distil_output",
        lambda made: F.l1_loss(made.fake, made.taught[0]),
        lambda config, made: config.distil_output and made.state.teacher,
    ),
    Term[Made]("distil_features", distil_features, lambda config, made: config.distil_features and made.state.teacher),
    Term[Made]("ink_contrast", ink_contrast, lambda config, made: config.ink_contrast and made.batch.unpaired),
    Term[Made]("open_paper", open_paper, lambda config, made: config.open_paper and made.batch.unpaired),
    Term[Made](
        "subject_colour",
        subject_colour,
        lambda config, made: config.subject_colour and made.batch.unpaired and made.state.styles,
    ),
)
ADVERSARIAL_TERMS = (
    Term[Judged]("gan", lambda judged: generator_gan_loss(judged.logits), lambda *_: True),
    Term[Judged]("feature_matching", lambda judged: feature_matching_loss(judged.real_features, judged.fake_features)),
    Term[Judged]("unpaired_gan", lambda judged: generator_gan_loss(judged.unpaired), lambda _, judged: judged.unpaired),
)
