"""One step of training, and everything that a checkpoint holds.

Exactness of a resumed run needs no stored random state: batches, dropout and augmentation of step k are all seeded by
(seed, k, process), so a run that is killed and resumed ends with the same bits as one that is not
(on the CPU with one thread; other devices add up in varying order).
"""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor, nn

from nurie.batches.sampler import Batch
from nurie.config import Train
from nurie.convert.restore import restore
from nurie.drawings.shift import overlap
from nurie.engine.modelfile import is_model
from nurie.nets import checkpoint
from nurie.nets.discriminators import PatchDiscriminator
from nurie.nets.generators import FastGenerator, build_generator, initialise
from nurie.nets.losses import (
    diffaugment,
    discriminator_loss,
    feature_matching_loss,
    generator_gan_loss,
    lattice_loss,
    mean_near,
)
from nurie.nets.projected import ProjectedDiscriminator
from nurie.training.distill import open_teacher, recorded, refuse_other_teacher
from nurie.training.options import generator_options, metadata, refuse_other_options
from nurie.training.validate import scores

# up to this factor a later save scores as well as the best: it has learnt more texture, which the score hardly sees
AS_GOOD = 1.02


class Trainer:
    """Both nets, both optimisers and the step: everything that a checkpoint holds."""

    def __init__(self, config: Train, accelerator: Accelerator) -> None:
        self.config, self.accelerator = config, accelerator
        torch.manual_seed(config.seed)
        self.styles: list[list[float]] = []  # what the model offers, the default first
        options = generator_options(config)
        generator = build_generator(**options)
        discriminator = build_discriminator(config)
        self.ema = build_generator(**options).eval().requires_grad_(False)
        self.ema.load_state_dict(generator.state_dict())
        self.ema.to(accelerator.device)
        # channels_last is the layout that convolutions are fastest in, on CPUs and GPUs alike
        generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        discriminator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.generator, self.discriminator = accelerator.prepare(generator, discriminator)
        self.teacher = open_teacher(config, self.ema)
        self.adapters = accelerator.prepare(self.teacher.adapters) if self.teacher else nn.Identity()
        self.optimizer_g = self._adam(self.generator, self.adapters)
        self.optimizer_d = self._adam(self.discriminator)
        self.adversarial = config.gan > 0 or config.feature_matching > 0  # else no discriminator is asked
        self.step = 0
        self.best = math.inf  # lowest val score of all saves
        self.credits: list[str] = []  # of the pictures that the weights it started from learnt from

    def _adam(self, *nets: nn.Module) -> torch.optim.Adam:
        parameters = [parameter for net in nets for parameter in net.parameters()]
        return torch.optim.Adam(parameters, lr=self.config.lr, betas=(self.config.beta1, 0.999))

    def offer(self, styles: list[list[float]]) -> None:
        """The styles of the exported model; the first is what the generator takes when it is told none."""
        self.styles = styles
        for net in (self.bare(self.generator), self.ema):
            if styles and isinstance(net, FastGenerator) and net.style is not None:
                net.style.set_style(0, styles[0])

    def bare(self, net: nn.Module) -> nn.Module:
        return self.accelerator.unwrap_model(net)

    @property
    def bare_discriminator(self) -> PatchDiscriminator | ProjectedDiscriminator:
        net = self.bare(self.discriminator)
        assert isinstance(net, PatchDiscriminator | ProjectedDiscriminator)
        return net

    def set_lr(self) -> None:
        """lr, then linearly to 0 over the last `decay` share of the steps."""
        left = (self.config.steps - self.step) / max(1.0, self.config.decay * self.config.steps)
        for optimizer in (self.optimizer_g, self.optimizer_d):
            for group in optimizer.param_groups:
                group["lr"] = self.config.lr * min(1.0, left)

    def train_step(self, batch: Batch) -> dict[str, float]:
        """One update of the discriminator, then one of the generator. Returns the losses."""
        numbers = [self.config.seed, self.step, self.accelerator.process_index]
        seed = int(np.random.SeedSequence(numbers).generate_state(1)[0])
        self.set_lr()
        batch = self._moved(batch)
        drawing, real = batch.drawing, batch.picture
        style = (batch.style,) if self.styles else ()
        again = None
        if batch.redrawn is not None:
            torch.manual_seed(seed)  # the same noise and dropout for both drawings
            with torch.no_grad():
                again = self.generator(batch.redrawn, *style)
        torch.manual_seed(seed)
        with recorded(self.bare(self.generator)) as features:
            fake = self.generator(drawing, *style)
        losses = self._picture_losses(batch, fake, again)
        losses |= self._teacher_losses(batch, fake, features)
        before = {}
        if self.adversarial:
            with self.accelerator.autocast():
                real_seen, fake_seen = self._seen(drawing, real, fake)
            before = self._update_discriminator(real_seen, [x.detach() for x in fake_seen])
            losses |= self._adversarial_losses(real_seen, fake_seen)
        self._update_generator(losses)
        losses = before | losses
        self._update_ema()
        self.step += 1
        values = torch.stack([v.detach() for v in losses.values()]).tolist()
        return dict(zip(losses, values, strict=True))

    def _moved(self, batch: Batch) -> Batch:
        """On the device, pictures channels last in memory."""
        tensors = {name: x.to(self.accelerator.device) for name, x in vars(batch).items() if isinstance(x, Tensor)}
        pictures = {name: x for name, x in tensors.items() if x.ndim == 4}
        last = {name: x.contiguous(memory_format=torch.channels_last) for name, x in pictures.items()}
        return replace(batch, **tensors | last)

    def _seen(self, drawing: Tensor, real: Tensor, fake: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """What the discriminator sees of the real and of the fake pictures."""
        if self.config.diffaugment:
            drawing, real, fake = diffaugment(drawing, real, fake)
        real_seen, fake_seen = self.bare_discriminator.embed(drawing, real, fake)
        return real_seen, fake_seen

    def _update_discriminator(self, real_seen: list[Tensor], fake_seen: list[Tensor]) -> dict[str, Tensor]:
        loss = discriminator_loss(self.discriminator(*real_seen)[0], self.discriminator(*fake_seen)[0])
        self.optimizer_d.zero_grad()
        self.accelerator.backward(loss)
        self.optimizer_d.step()
        return {"discriminator": loss.detach()}

    def _adversarial_losses(self, real_seen: list[Tensor], fake_seen: list[Tensor]) -> dict[str, Tensor]:
        """What the discriminator, which learns nothing from it, says of the fake pictures."""
        discriminator = self.bare_discriminator.requires_grad_(False)
        logits, fake_features = discriminator(*fake_seen)
        losses = {"gan": generator_gan_loss(logits)}
        if self.config.feature_matching:
            with torch.no_grad():
                real_features = discriminator.features(*real_seen)
            losses["feature_matching"] = feature_matching_loss(real_features, fake_features)
        discriminator.requires_grad_(True)
        return losses

    def _update_generator(self, losses: dict[str, Tensor]) -> None:
        """With these losses, named like their weights among the options."""
        self.optimizer_g.zero_grad()
        self.accelerator.backward(sum(getattr(self.config, name) * loss for name, loss in losses.items()))
        self.optimizer_g.step()

    def _picture_losses(self, batch: Batch, fake: Tensor, again: Tensor | None) -> dict[str, Tensor]:
        """`again`: the pictures of the same drawings by other pens."""
        error = (fake - batch.picture).abs()
        losses = {"l1": error.mean()}
        if again is not None:
            moved, still = overlap(fake.shape[2:], batch.shift)
            # twice, since `again` has no gradient: that is the same on average, for both are drawn alike, and cheaper
            losses["consistency"] = 2 * F.l1_loss(again[:, :, *moved], fake[:, :, *still])
        if self.config.lattice:
            losses["lattice"] = lattice_loss(batch.picture, fake)
        if self.config.hint_l1:
            losses["hint_l1"] = mean_near(error, batch.near_hints)
        if self.config.body_parts and self.config.body_part_l1:
            losses["body_part_l1"] = mean_near(error, batch.near_parts)
        return losses

    def _teacher_losses(self, batch: Batch, fake: Tensor, features: list[Tensor]) -> dict[str, Tensor]:
        if not self.teacher:
            return {}
        with self.accelerator.autocast():
            picture, their_features = self.teacher.show(batch.drawing, batch.style)
        return {
            "distil_output": F.l1_loss(fake, picture),
            "distil_features": self.teacher.feature_loss(self.adapters, features, their_features),
        }

    @torch.no_grad()
    def _update_ema(self) -> None:
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        live = self.bare(self.generator).state_dict()
        for name, average in self.ema.state_dict().items():
            if average.is_floating_point():
                average.lerp_(live[name], 1 - decay)
            else:
                average.copy_(live[name])

    @torch.no_grad()
    def predict(self, drawing: Tensor) -> Tensor:
        """The averaged generator on (n, 3, h, w) in [-1, 1], as the exported model will compute it."""
        return self.ema(drawing.to(self.accelerator.device)).float()

    @torch.no_grad()
    def validate(self, val: Batch) -> dict[str, float]:
        """Scores of the averaged generator, told the targets' styles as in training."""
        pictures = []
        for drawing, style in zip(
            val.drawing.split(self.config.batch), val.style.split(self.config.batch), strict=True
        ):
            told = [style.to(self.accelerator.device)] if self.styles else []
            pictures.append(self.ema(drawing.to(self.accelerator.device), *told).float().cpu())
        return scores(torch.cat(pictures), val.picture)

    def save(self, path: Path) -> None:
        groups = {
            "ema": self.ema.state_dict(),
            "generator": self.bare(self.generator).state_dict(),
            "discriminator": self.bare(self.discriminator).state_dict(),
            "optimizer_g": flatten(self.optimizer_g),
            "optimizer_d": flatten(self.optimizer_d),
            "adapters": self.bare(self.adapters).state_dict(),
        }
        checkpoint.save(path, groups, self.metadata())

    def keep_best(self, path: Path, score: float) -> None:
        """Write the averaged weights where no save before scored clearly better."""
        self.best = min(self.best, score)
        if score <= AS_GOOD * self.best:
            checkpoint.save(path, {"ema": self.ema.state_dict()}, self.metadata())

    def metadata(self) -> dict[str, Any]:
        teacher = {"teacher": self.teacher.fingerprint} if self.teacher else {}
        own = {"styles": self.styles, "best": self.best, "credits": self.credits}
        return metadata(self.config, self.step) | own | teacher

    def resume(self, path: Path) -> None:
        groups, meta = checkpoint.load(path)
        refuse_other_options(self.config, meta["train"])
        refuse_other_teacher(self.config.run, self.teacher, meta.get("teacher"))
        for name, net in (
            ("ema", self.ema),
            ("generator", self.generator),
            ("discriminator", self.discriminator),
            ("adapters", self.adapters),
        ):
            checkpoint.load_weights(self.bare(net), groups.get(name, {}), path)
        unflatten(self.optimizer_g, groups.get("optimizer_g", {}))
        unflatten(self.optimizer_d, groups.get("optimizer_d", {}))
        self.step = meta["step"]
        self.best = meta.get("best", math.inf)
        self.styles = meta.get("styles", [])
        self.credits = meta.get("credits", [])

    def start_from(self, path: Path, drawings: Callable[[], Tensor]) -> None:
        """Take the weights of another run's last step, the discriminator's only where there is one alike; or a model's.

        drawings: makes some, (n, 3, h, w) in [-1, 1], which a model needs (restore.py).
        """
        if is_model(path):
            generator, meta = restore(path, generator_options(self.config), drawings)
            groups = {"ema": generator.state_dict()}
        else:
            groups, meta = checkpoint.load(path, ("ema", "discriminator"))
        self.credits = meta.get("credits", [])
        for net in (self.ema, self.generator):
            checkpoint.load_weights(self.bare(net), groups["ema"], path)
        discriminator, weights = self.bare_discriminator, groups.get("discriminator", {})
        if shapes(discriminator.state_dict()) == shapes(weights):
            checkpoint.load_weights(discriminator, weights, path)


def shapes(weights: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in weights.items()}


def flatten(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """An optimiser's state as tensors named `PARAMETER/KEY`."""
    return {f"{i}/{key}": value for i, state in optimizer.state_dict()["state"].items() for key, value in state.items()}


def unflatten(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split("/")
        state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def build_discriminator(config: Train) -> nn.Module:
    """A freshly initialised discriminator of the kind that the options name."""
    if config.discriminator == "projected":
        return ProjectedDiscriminator(config.discriminator_width, config.discriminator_scale, config.size)
    net = PatchDiscriminator(config.discriminator_width, config.discriminator_scale)
    initialise(net)
    return net
