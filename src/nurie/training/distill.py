"""Distillation: a generator, the student, learns from another one that was trained before, the teacher.

After Ren et al. 2021, "Online Multi-Granularity Distillation for GAN Compression" (OMGD): the student comes near the
teacher's picture and, level by level, near the teacher's channel means, which a learned 1x1 convolution predicts
from the student's. Two things differ. The teacher is finished, so that it costs one forward pass; and the student
keeps its own GAN and L1 losses, so that it can grow better than its teacher.

The teacher may also be what the student itself began as. Then what is learnt of drawings without pictures leaves the
pictures of the pairs as they were (Li and Hoiem 2016, "Learning without forgetting").
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from nurie.config import Train
from nurie.convert.restore import restore_finished
from nurie.engine.modelfile import is_model
from nurie.errors import NurieError
from nurie.nets.checkpoint import load_generator
from nurie.nets.described import DescribedGenerator
from nurie.nets.generators import FastGenerator, UNetGenerator
from nurie.nets.layers import Transposed
from nurie.saved import plain
from nurie.size import Size


class Adapters(nn.ModuleList):
    """One 1x1 convolution for each level, from the student's channels to the teacher's. Training only."""

    def forward(self, means: list[Tensor]) -> list[Tensor]:
        return [adapter(mean) for adapter, mean in zip(self, means, strict=True)]


class Teacher:
    """A trained generator, and how its features compare with a student's."""

    def __init__(self, net: nn.Module, student: nn.Module, size: Size, credits: list[str] | None = None) -> None:
        """`student` is in eval mode, for its shapes at this size. credits: of what the teacher learnt from."""
        self.credits = credits or []
        self.net = net.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        device = next(student.parameters()).device
        self.net.to(device)
        drawing = torch.zeros(1, 3, size.height, size.width, device=device)
        ours, theirs = shapes(student, drawing), shapes(self.net, drawing)
        self.levels = same_sizes(ours, theirs)
        self.adapters = Adapters(nn.Conv2d(ours[i][0], theirs[j][0], 1) for i, j in self.levels)
        self.adapters.to(device)
        self.fingerprint = fingerprint(self.net)

    @torch.no_grad()
    def show(self, drawing: Tensor, style: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The teacher's picture of a drawing, in this style where it takes one, and its features."""
        styled = isinstance(self.net, FastGenerator) and self.net.style is not None
        with recorded(self.net) as features:
            picture = self.net(drawing, style) if styled else self.net(drawing)
        return picture.float(), features

    def feature_loss(self, adapters: nn.Module, ours: list[Tensor], theirs: list[Tensor]) -> Float[Tensor, ""]:
        """Mean squared difference of the channel means, averaged over the levels that both have."""
        predicted = adapters([channel_means(ours[i]) for i, _ in self.levels])
        targets = [channel_means(theirs[j]) for _, j in self.levels]
        return torch.stack([F.mse_loss(p, t) for p, t in zip(predicted, targets, strict=True)]).mean()


def open_teacher(config: Train, student: nn.Module) -> Teacher | None:
    """The teacher that the options name, or None. NurieError when it is missing, damaged or learnt something else."""
    if config.teacher is None:
        return None
    if config.run.resolve() in (config.teacher.resolve(), config.teacher.resolve().parent):
        raise NurieError(f"--teacher {config.teacher} is the run itself. Name a run that was trained before.")
    net, learnt, credits, colours = read_teacher(config.teacher)
    for option, theirs in learnt.items():
        if theirs != (ours := plain(getattr(config, option))):
            raise NurieError(
                f"The teacher {config.teacher} was trained with --{option} {theirs}, but this run has {ours}. "
                "Use the same, or another teacher."
            )
    if colours:
        raise NurieError(f"The teacher {config.teacher} paints in {colours} colours, not in any. Use another one.")
    return Teacher(net, student, config.size, credits)


def read_teacher(path: Path) -> tuple[nn.Module, dict[str, Any], list[str], int]:
    """The generator of a checkpoint or a model; its size and direction; its credits; in how many colours it paints, 0
    for any. Raises NurieError."""
    if is_model(path):
        net, manifest = restore_finished(path)
        size = Size(manifest.input.width, manifest.input.height)
        return net, {"size": size.saved, "direction": manifest.direction}, manifest.credits, len(manifest.palette)
    net, meta = load_generator(path)
    learnt = {name: meta["train"][name] for name in ("size", "direction")}
    return net, learnt, meta.get("credits", []), len(meta.get("palette", []))


def refuse_other_teacher(run: Path, teacher: Teacher | None, saved: str | None) -> None:
    """The teacher's path is free to change, its weights are not. `saved` is the fingerprint in the checkpoint."""
    if saved == (teacher.fingerprint if teacher else None):
        return
    before = "another teacher" if saved and teacher else "a teacher" if saved else "no teacher"
    raise NurieError(
        f"{run} holds a run that began with {before}. Resume it with the same --teacher, or use another run folder."
    )


def decoder(net: nn.Module) -> Sequence[nn.Module]:
    """The modules whose outputs are a generator's features on the way up, coarsest first."""
    if isinstance(net, FastGenerator):
        return list(net.residuals)[::-1]
    if isinstance(net, DescribedGenerator):
        return [module for module in net.layers if isinstance(module, Transposed | nn.Upsample | nn.PixelShuffle)][:-1]
    assert isinstance(net, UNetGenerator), type(net)
    return list(net.ups)[:-1]


@contextmanager
def recorded(net: nn.Module) -> Iterator[list[Tensor]]:
    """Inside, a forward pass fills the list with the net's features (n, c, h, w), coarsest first."""
    features: list[Tensor] = []

    def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        features.append(output)

    handles = [module.register_forward_hook(record) for module in decoder(net)]
    try:
        yield features
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def shapes(net: nn.Module, drawing: Tensor) -> list[torch.Size]:
    """(c, h, w) of every feature."""
    with recorded(net) as features:
        net(drawing)
    return [feature.shape[1:] for feature in features]


def same_sizes(ours: list[torch.Size], theirs: list[torch.Size]) -> list[tuple[int, int]]:
    """Pairs of indices with equal height and width."""
    return [(i, j) for i, a in enumerate(ours) for j, b in enumerate(theirs) if a[1:] == b[1:]]


def channel_means(feature: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c 1 1"]:
    return feature.float().mean((2, 3), keepdim=True)


def fingerprint(net: nn.Module) -> str:
    """The same for the same weights, wherever their file lies."""
    digest = hashlib.sha256()
    for name, tensor in net.state_dict().items():
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
