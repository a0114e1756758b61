"""One step of training: an update of the discriminator and one of the generator."""

from dataclasses import replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from nurie.batches.sampler import Batch
from nurie.batches.unpaired import Unpaired
from nurie.nets.losses import diffaugment, discriminator_loss
from nurie.training.distill import recorded
from nurie.training.state import State
from nurie.training.terms import ADVERSARIAL_TERMS, PICTURE_TERMS, Judged, Made, Of, Term


class Step:
    """Trains a state with one batch after the other.

    Noise, dropout and augmentation of step k are all seeded by (seed, k, process).
    """

    def __init__(self, state: State) -> None:
        self.state, self.config, self.accelerator = state, state.config, state.accelerator
        self.adversarial = self.config.gan > 0 or self.config.feature_matching > 0  # else no discriminator is asked

    def __call__(self, batch: Batch) -> dict[str, float]:
        """One update of the discriminator, then one of the generator. Returns the losses."""
        state = self.state
        self._set_lr()
        made = self._make(self._moved(batch))
        losses = self._values(PICTURE_TERMS, made)
        others = {}
        if self.adversarial:
            others["discriminator"], judged = self._compete(made)
            losses |= self._values(ADVERSARIAL_TERMS, judged)
        if not self.adversarial or state.step >= self.config.discriminator_steps:
            self._update(state.optimizer_g, [getattr(self.config, name) * loss for name, loss in losses.items()])
            state.average()
        state.step += 1
        losses = others | losses
        values = torch.stack([loss.detach() for loss in losses.values()]).tolist()
        return dict(zip(losses, values, strict=True))

    def _values(self, terms: tuple[Term[Of], ...], of: Of) -> dict[str, Tensor]:
        return {term.name: term.value(of) for term in terms if term.applies(self.config, of)}

    def _set_lr(self) -> None:
        lr = self.state.schedule.lr(self.state.step)
        for optimizer in (self.state.optimizer_g, self.state.optimizer_d):
            for group in optimizer.param_groups:
                group["lr"] = lr

    def _moved(self, batch: Batch) -> Batch:
        """On the device."""
        device = self.accelerator.device
        moved = on_device(batch, device)
        return replace(moved, unpaired=moved.unpaired and on_device(moved.unpaired, device))

    def _make(self, batch: Batch) -> Made:
        """Let the generator paint, with gradient."""
        state, paired = self.state, len(batch.drawing)
        drawings, styles = batch.shown()
        numbers = [self.config.seed, state.step, self.accelerator.process_index]
        seed = int(np.random.SeedSequence(numbers).generate_state(1)[0])
        again = None
        if batch.redrawn is not None:
            torch.manual_seed(seed)  # the same noise and dropout for both drawings
            with torch.no_grad():
                again = state.generator(batch.redrawn, *state.told(batch.style))
        torch.manual_seed(seed)
        with recorded(state.bare(state.generator)) as features:
            output = state.generator(drawings, *state.told(styles))
        shown = state.shown(output)
        of_pairs = output[:paired], shown[:paired], [x[:paired] for x in features]
        return Made(state, batch, *of_pairs, again, shown[paired:], styles[paired:])

    def _compete(self, made: Made) -> tuple[Tensor, Judged]:
        """Update the discriminator. Returns its loss, and what it then says of the fake pictures."""
        state = self.state
        with self.accelerator.autocast():
            real_seen, fake_seen = self._seen(made.batch.drawing, made.batch.picture, made.fake)
            alone_seen = self._seen_alone(real_seen, made)
        loss = self._error(real_seen, fake_seen)
        if alone_seen:
            loss = loss + self._error(*alone_seen, unpaired=True)
        self._update(state.optimizer_d, [loss])
        discriminator = state.bare_discriminator.requires_grad_(False)  # it learns nothing from the generator's losses
        logits, fake_features = discriminator(*fake_seen)
        unpaired = discriminator(*alone_seen[1], unpaired=True)[0] if alone_seen else []
        with torch.no_grad():
            real_features = discriminator.features(*real_seen) if self.config.feature_matching else []
        discriminator.requires_grad_(True)
        return loss.detach(), Judged(logits, fake_features, real_features, unpaired)

    def _error(self, real_seen: list[Tensor], fake_seen: list[Tensor], **kind: bool) -> Tensor:
        """The discriminator's loss."""
        real, fake = ([x.detach() for x in seen] for seen in (real_seen, fake_seen))
        judge = self.state.discriminator
        return discriminator_loss(judge(*real, **kind)[0], judge(*fake, **kind)[0])

    def _seen(self, drawing: Tensor, real: Tensor, fake: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """What the discriminator sees of the real and of the fake pictures."""
        if self.config.diffaugment:
            drawing, real, fake = diffaugment(drawing, real, fake)
        real_seen, fake_seen = self.state.bare_discriminator.embed(drawing, real, fake)
        return real_seen, fake_seen

    def _seen_alone(self, real_seen: list[Tensor], made: Made) -> tuple[list[Tensor], list[Tensor]] | None:
        """The same of real pictures and of those of drawings without pictures, neither with its drawing."""
        if not (made.batch.unpaired and self.config.unpaired_gan):
            return None
        discriminator, drawing, fake = self.state.bare_discriminator, made.batch.unpaired.drawing, made.unpaired
        if self.config.diffaugment:
            drawing, fake = diffaugment(drawing, fake)
        return discriminator.alone(*real_seen), discriminator.alone(*discriminator.embed(drawing, fake)[0])

    def _update(self, optimizer: torch.optim.Optimizer, losses: list[Tensor]) -> None:
        optimizer.zero_grad()
        self.accelerator.backward(sum(losses))
        optimizer.step()


Tensors = TypeVar("Tensors", Batch, Unpaired)


def on_device(batch: Tensors, device: torch.device) -> Tensors:
    """All its tensors, pictures channels last in memory."""
    tensors = {name: x.to(device) for name, x in vars(batch).items() if isinstance(x, Tensor)}
    pictures = {name: x for name, x in tensors.items() if x.ndim == 4}
    last = {name: x.contiguous(memory_format=torch.channels_last) for name, x in pictures.items()}
    return replace(batch, **tensors | last)
