"""Everything that a checkpoint holds: what a run saves, resumes and starts from."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from nurie.batches.streams import DRAWS
from nurie.config import Train
from nurie.convert.restore import restore
from nurie.engine.modelfile import is_model
from nurie.errors import NurieError
from nurie.nets import checkpoint
from nurie.nets.colours import Colours
from nurie.nets.discriminators import PatchDiscriminator
from nurie.nets.generators import DESCRIBED, FastGenerator, build_generator, initialise
from nurie.nets.projected import ProjectedDiscriminator
from nurie.training.dataset import Dataset
from nurie.training.distill import open_teacher, refuse_other_teacher
from nurie.training.options import generator_options, metadata, refuse_imported, refuse_other_options
from nurie.training.schedule import Schedule

# up to this factor a later save scores as well as the best: it has learnt more texture, which the score hardly sees
AS_GOOD = 1.02


class State:
    """Both nets and their optimisers, the averaged generator, and how far the run has come.

    Exactness of a resumed run needs no stored random state, since all that is random in a step follows from the seed
    and the step's number: a run that is killed and resumed ends with the same bits as one that is not (on the CPU with
    one thread; other devices add up in varying order).
    """

    def __init__(self, config: Train, accelerator: Accelerator, dataset: Dataset) -> None:
        self.config, self.accelerator, self.dataset = config, accelerator, dataset
        torch.manual_seed(config.seed)
        self.styles: list[list[float]] = []  # what the model offers, the default first
        self.palette: list[str] = []  # the colours that it paints in, where it does not in any
        self.shares: list[float] = []  # how common they are in the pictures to train on
        self.colours: Colours | None = None  # both, to compute with
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
        self.schedule = Schedule(config)
        self.step = 0
        self.best = math.inf  # lowest val score of all saves
        self.draws = DRAWS  # version of the random draws of its last step
        self.averaged = 0  # steps of the last share, over which the moving average turns into a mean
        self.measured = 0  # batches on which the averaged generator's BatchNorm was measured after the last step
        self.begun: dict[str, Tensor] = {}  # the averaged weights that it began with, where a share of them comes back
        self.credits: list[str] = []  # of the pictures that the weights it started from learnt from

    def _adam(self, *nets: nn.Module) -> torch.optim.Adam:
        parameters = [parameter for net in nets for parameter in net.parameters()]
        return torch.optim.Adam(parameters, lr=self.config.lr, betas=(self.config.beta1, 0.999))

    def bare(self, net: nn.Module) -> nn.Module:
        return self.accelerator.unwrap_model(net)

    @property
    def bare_discriminator(self) -> PatchDiscriminator | ProjectedDiscriminator:
        net = self.bare(self.discriminator)
        assert isinstance(net, PatchDiscriminator | ProjectedDiscriminator)
        return net

    def offer(self, styles: list[list[float]]) -> None:
        """The styles of the exported model; the first is what the generator takes when it is told none."""
        self.styles = styles
        for net in (self.bare(self.generator), self.ema):
            if styles and isinstance(net, FastGenerator) and net.style is not None:
                net.style.set_style(0, styles[0])

    def paint_in(self, palette: list[str], shares: list[float]) -> None:
        """The colours that the generator's logits are of, and how common they are."""
        self.palette, self.shares = palette, shares
        self.colours = Colours(palette, shares, self.accelerator.device)

    def shown(self, output: Tensor) -> Tensor:
        """The pictures, (n, 3, h, w) in [-1, 1], that a generator's output is or, of logits, means pixel by pixel."""
        return self.colours.likeliest(output) if self.colours else output.float()

    def told(self, style: Tensor) -> tuple[Tensor, ...]:
        """What a generator takes besides drawings: their pictures' styles (n, 3), or nothing where it knows none."""
        return (style,) if self.styles else ()

    @torch.no_grad()
    def predict(self, drawing: Tensor, style: Tensor | None = None) -> Tensor:
        """The averaged generator on (n, 3, h, w) in [-1, 1], as the exported model will compute it.

        style: (n, 3), told as in training; else it takes its default.
        """
        told = () if style is None else self.told(style.to(self.accelerator.device))
        return self.shown(self.ema(drawing.to(self.accelerator.device), *told))

    @torch.no_grad()
    def average(self) -> None:
        """Move the averaged generator towards the present one: less each step, at first more than `ema` says. In the
        last share of the steps, `average`, as little as makes it their mean: the nth of them counts 1/n."""
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        last = self.config.average > 0 and self.schedule.progress(self.step) >= 1 - self.config.average
        self.averaged = self.averaged + 1 if last else 0
        if last:
            decay = max(decay, 1 - 1 / self.averaged)
        self.measured = 0
        live = self.bare(self.generator).state_dict()
        for name, average in self.ema.state_dict().items():
            if average.is_floating_point():
                average.lerp_(live[name], 1 - decay)
            else:
                average.copy_(live[name])

    @torch.no_grad()
    def mix_with_begun(self) -> None:
        """Give the averaged generator its share of the weights that it began with."""
        for name, average in self.ema.state_dict().items():
            if name in self.begun:
                average.lerp_(self.begun[name].to(average), self.config.init_share)

    def is_finite(self) -> bool:
        """Whether all weights of the generator, and of its average, are numbers."""
        nets = (self.ema, self.bare(self.generator))
        return all(bool(torch.isfinite(x).all()) for net in nets for x in net.state_dict().values())

    def save(self, path: Path) -> None:
        groups = {
            "ema": self.ema.state_dict(),
            "generator": self.bare(self.generator).state_dict(),
            "discriminator": self.bare(self.discriminator).state_dict(),
            "optimizer_g": flatten(self.optimizer_g),
            "optimizer_d": flatten(self.optimizer_d),
            "adapters": self.bare(self.adapters).state_dict(),
            "begun": self.begun,
        }
        checkpoint.save(path, groups, self.metadata())

    def keep_best(self, path: Path, score: float) -> None:
        """Write the averaged weights where no save before scored clearly better."""
        self.best = min(self.best, score)
        if score <= AS_GOOD * self.best:
            checkpoint.save(path, {"ema": self.ema.state_dict()}, self.metadata())

    def credited(self) -> list[str]:
        """Of all that the weights learnt from and that names whom to thank, each once."""
        others = [each.credits for each in (self.teacher, self.dataset.drawings) if each]
        return list(dict.fromkeys(sum(others, self.credits)))

    def metadata(self) -> dict[str, Any]:
        teacher = {"teacher": self.teacher.fingerprint} if self.teacher else {}
        own = {"styles": self.styles, "best": self.best, "credits": self.credited(), "draws": DRAWS}
        if self.schedule.timed:  # else two runs with the same options have the same bytes
            own["seconds"] = round(self.schedule.seconds(), 1)
        own |= {name: n for name, n in (("averaged", self.averaged), ("batchnorm", self.measured)) if n}
        own |= {"palette": self.palette, "shares": self.shares} if self.palette else {}
        return metadata(self.config, self.step) | own | teacher | self.dataset.metadata()

    def resume(self, path: Path) -> list[str]:
        """Go on from a run's last save. Returns sentences: where the one before is taken, since that is damaged, and
        where the pairs are not what they were."""
        groups, meta, told = checkpoint.load_run(path)
        refuse_imported(meta, self.config.run)
        refuse_other_options(self.config, meta["train"])
        self.dataset.refuse_other_classes(self.config, meta)
        refuse_other_teacher(self.config.run, self.teacher, meta.get("teacher"))
        for name, net in (
            ("ema", self.ema),
            ("generator", self.generator),
            ("discriminator", self.discriminator),
            ("adapters", self.adapters),
        ):
            checkpoint.load_weights(self.bare(net), groups.get(name, {}), path)
        unflatten(self.optimizer_g, groups.get("optimizer_g", {}), path)
        unflatten(self.optimizer_d, groups.get("optimizer_d", {}), path)
        self.begun = groups.get("begun", {})
        self.step = meta["step"]
        self.schedule.earlier = meta.get("seconds", 0.0)
        self.best = meta.get("best", math.inf)
        self.styles = meta.get("styles", [])
        self.credits = meta.get("credits", [])
        if palette := meta.get("palette"):
            self.paint_in(palette, meta.get("shares") or [1 / len(palette)] * len(palette))
        self.draws = meta.get("draws", 1)
        self.averaged = meta.get("averaged", 0)
        self.measured = meta.get("batchnorm", 0)
        sentences = [told] if told else []
        if changes := self.dataset.changes(meta):
            sentences.append(f"The pictures to train on are no longer those of step {self.step:,}: {changes}.")
        if self.dataset.other_drawings(meta):
            sentences.append("The drawings without pictures have changed.")
        if self.dataset.other_val(meta):
            self.best = math.inf
            sentences.append("The pictures for validation have changed: the best val score is sought anew.")
        return sentences

    def start_from(self, path: Path, drawings: Callable[[], Tensor]) -> None:
        """Take the weights of another run's last step, the discriminator's only where there is one alike; or a model's.

        drawings: makes some, (n, 3, h, w) in [-1, 1], which a model needs (restore.py).
        """
        if is_model(path):
            generator, manifest = restore(path, generator_options(self.config), drawings)
            groups, self.credits = {"ema": generator.state_dict()}, manifest.credits
            self.palette = manifest.palette
        else:
            groups, meta = checkpoint.load(path, ("ema", "discriminator"))
            if meta["generator"]["kind"] == DESCRIBED and self.config.generator != "init":
                raise NurieError(f"{path} is an import with a generator of its own: train it with --generator init.")
            self.credits, self.palette = meta.get("credits", []), meta.get("palette", [])
        refuse_other_palette(path, len(self.palette), self.config.colours)
        for net in (self.ema, self.generator):
            checkpoint.load_weights(self.bare(net), groups["ema"], path)
        if self.config.init_share:
            self.begun = {name: weight.detach().clone() for name, weight in self.ema.named_parameters()}
        discriminator, weights = self.bare_discriminator, groups.get("discriminator", {})
        own = discriminator.state_dict()
        if weights and shapes(weights).items() <= shapes(own).items():  # it may lack heads
            checkpoint.load_weights(discriminator, own | weights, path)


def refuse_other_palette(path: Path, theirs: int, ours: int) -> None:
    """Raises NurieError where weights are of a generator that paints in other colours, or in any."""
    if theirs != ours:
        told, asked = (f"in {count} colours" if count else "in any colour" for count in (theirs, ours))
        raise NurieError(
            f"{path} paints {told}, but this run {asked}. Begin with another one, or use --colours {theirs}."
        )


def shapes(weights: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in weights.items()}


def flatten(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """An optimiser's state as tensors named `PARAMETER/KEY`."""
    return {f"{i}/{key}": value for i, state in optimizer.state_dict()["state"].items() for key, value in state.items()}


def unflatten(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], source: Path) -> None:
    """Give an optimiser its state back. Raises NurieError where it is of other parameters."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, _, key = name.partition("/")
        number = int(index) if index.isdecimal() else len(parameters)
        if number >= len(parameters) or (key != "step" and value.shape != parameters[number].shape):
            raise NurieError(f"The optimiser's state in {source} does not fit the net: {name[:100]}.")
        state.setdefault(number, {})[key] = value
    if any(member.keys() != {"step", "exp_avg", "exp_avg_sq"} for member in state.values()):
        raise NurieError(f"The optimiser's state in {source} is not Adam's.")
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def build_discriminator(config: Train) -> PatchDiscriminator | ProjectedDiscriminator:
    """A freshly initialised discriminator of the kind that the options name."""
    width, scale = config.discriminator_width, config.discriminator_scale
    unpaired = config.drawings is not None and config.unpaired_gan > 0
    if config.discriminator == "projected":
        return ProjectedDiscriminator(width, scale, config.size.least, unpaired)
    net = PatchDiscriminator(width, scale, unpaired)
    initialise(net)
    return net
