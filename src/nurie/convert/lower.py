"""Lower a trained generator to the engine's plan: fold fixed normalisations, fuse all else into the convolutions.

Any net can be lowered that is made of the modules in `nets/generators.py` and `nets/layers.py`. From each convolution
on, what follows is absorbed into its epilogue, in the engine's order:
fixed normalisation -> pixel shuffle or nearest upsampling -> addition -> activation.
A concatenation costs nothing: its parts are written into slices of one tensor, each from a multiple of 4 on; weights
that read the channels between are zero. What a convolution can not absorb is a small operation of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from nurie.convert.graph import (
    channels_of,
    graph_of,
    is_activation,
    is_addition,
    is_concatenation,
    module_of,
)
from nurie.convert.kernels import Kernel, as_engine_has_it, geometry_of, is_fixed, kernel_of, statistics_of
from nurie.convert.rounding import Steps
from nurie.convert.writer import Slice, Writer, spread
from nurie.engine.plan import (
    CHANNEL,
    CLASSES,
    FILL,
    FIXED_ROW,
    LAB,
    LEAKY_RELU,
    RELU,
    RGB,
    RGBA,
    ROW,
    SHUFFLES,
    SIGMOID,
    TANH,
    Op,
    Plan,
    checked,
)
from nurie.errors import NurieError
from nurie.nets.generators import EnclosedInput, StyleInput
from nurie.nets.layers import LUMA, DrawingInput, Normalisation, PictureOutput
from nurie.size import Size

Convolutional = nn.Conv2d | nn.ConvTranspose2d
ANY = np.empty((0, 3), np.uint8)  # the palette of those that paint in any colour
UNITS = {(-1.0, 1.0): -1, (0.0, 1.0): 1}  # what `scale` says of bytes


@dataclass(frozen=True)
class Mixed:
    """A value that is `matrix` (channels, 3) times the drawing, which convolutions can read instead."""

    drawing: Slice
    matrix: Tensor


def lower(
    generator: nn.Module, size: Size, int8: bool = True, palette: np.ndarray = ANY, steps: Steps | None = None
) -> tuple[Plan, bytes]:
    """The plan of a generator in eval mode, and the raw bytes of its weights file.

    generator: (n, 3, h, w) in [-1, 1] to the same; with a palette, uint8 (colours, 3), to a logit for each of its
    colours, (n, colours, h / f, w / f). size: one that it accepts, for tracing. steps: see rounding.py.
    Raises NurieError naming a module that the engine has no operation for.
    """
    modules = {name: module for name, module in generator.named_modules() if isinstance(module, nn.Conv2d)}
    if unknown := sorted((steps or {}).keys() - modules.keys()):
        raise NurieError(f"There are steps for {', '.join(unknown)}, but the generator has no such convolution.")
    by_module: dict[nn.Module | None, float] = {modules[name]: step for name, step in (steps or {}).items()}
    return Lowering(graph_of(generator, size), size, int8, palette, by_module).run()


class Lowering(Writer):
    """Walks the graph once, in order, and collects tensors, operations and weights."""

    def __init__(
        self,
        graph: fx.GraphModule,
        size: Size,
        int8: bool,
        palette: np.ndarray,
        steps: Mapping[nn.Module | None, float],
    ) -> None:
        super().__init__()
        self.graph, self.size, self.int8, self.palette, self.steps = graph, size, int8, palette, steps
        self.mixed: dict[fx.Node, Mixed] = {}  # values that only weights know
        self.absorbed: set[fx.Node] = set()  # values that exist only inside an epilogue
        self.leaky: dict[fx.Node, Slice] = {}  # values known only as LeakyReLU(value)
        self.shown: dict[fx.Node, dict[str, int]] = {}  # how pictures are shown: fields of `output`

    def run(self) -> tuple[Plan, bytes]:
        for node in self.graph.graph.nodes:
            if is_concatenation(node):
                self._reserve(node)
        for node in self.graph.graph.nodes:
            if node not in self.places and node not in self.absorbed:
                self._lower(node)
        return checked(Plan(tuple(self.tensors), tuple(self.ops))), bytes(self.weights)

    def _lower(self, node: fx.Node) -> None:
        module = module_of(self.graph, node)
        if node.op == "placeholder":
            self._input(node)
        elif isinstance(module, DrawingInput):
            self._drawing(node, module)
        elif isinstance(module, Convolutional):
            self._convolution(node, module)
        elif is_fixed(module):
            self._affine(node, module)
        elif isinstance(module, Normalisation):
            self._norm(node, module)
        elif is_activation(self.graph, node):
            self._activation(node)
        elif is_addition(node):
            self._addition(node)
        elif isinstance(module, StyleInput):
            size, place = self._place(self._source(node)), self._new(node)
            self._emit(node, Op("style", input=size.tensor, output=place.tensor, output_channel=place.channel))
        elif isinstance(module, EnclosedInput):
            place = self._new(node)
            self._emit(node, Op("enclosed", output=place.tensor, output_channel=place.channel, shuffle=module.factor))
        elif isinstance(module, nn.Upsample):
            self._copy(node, self._place(self._source(node)), shuffle=upsampling(node, module))
        elif isinstance(module, PictureOutput):
            self._picture(node, module)
        elif node.op == "output":
            self._output(node)
        elif node.op != "get_attr":
            what = type(module).__name__ if module else getattr(node.target, "__name__", node.target)
            raise NurieError(
                f"The engine has no operation for {node.name} ({what}) at this place. It has convolutions, "
                "normalisation, pixel shuffle after convolutions, nearest upsampling, addition, ReLU, LeakyReLU, tanh, "
                "sigmoid and concatenation."
            )

    def _source(self, node: fx.Node) -> fx.Node:
        source = node.args[0]
        assert isinstance(source, fx.Node)
        return source

    def _input(self, node: fx.Node) -> None:
        skipped = EnclosedInput | DrawingInput | PictureOutput
        followers = [user for user in node.users if not isinstance(module_of(self.graph, user), skipped)]
        if (
            not followers
            and node not in self.destinations
            and any(isinstance(module_of(self.graph, user), DrawingInput) for user in node.users)
        ):
            return
        module = module_of(self.graph, followers[0]) if len(followers) == 1 else None
        shuffle = 1
        if isinstance(module, nn.PixelUnshuffle) and module.downscale_factor in SHUFFLES:
            node, shuffle = followers[0], module.downscale_factor
        place = self._new(node)
        self._emit(node, Op("input", output=place.tensor, output_channel=place.channel, shuffle=shuffle))

    def _drawing(self, node: fx.Node, module: DrawingInput) -> None:
        """The drawing as a generator of another system takes it; grey and other ranges are folded into the weights."""
        if module.reads == "labels":
            palette = self._append(module.palette.numpy().astype(np.uint8))
            place = self._new(node)
            fields = {"out_channels": place.channels, "weight": palette}
            self._emit(node, Op("labels", output=place.tensor, output_channel=place.channel, **fields))
            return
        if module.reads == "lightness":
            place = self._new(node)
            self._emit(node, Op("input", output=place.tensor, output_channel=place.channel, mode=LAB))
            return
        low, high = module.takes
        matrix = (
            torch.tensor([LUMA], dtype=torch.float64) if module.reads == "grey" else torch.eye(3, dtype=torch.float64)
        )
        centred = low == -high
        if module.reads == "rgb" and module.takes in UNITS:
            place = self._new(node)
            fields = {"scale": UNITS[module.takes]}
            self._emit(node, Op("input", output=place.tensor, output_channel=place.channel, **fields))
            return
        drawing = self._tensor(3)
        self.ops.append(Op("input", output=drawing.tensor, scale=-1 if centred else 1))
        matrix = matrix * (high if centred else high - low)
        readers = [module_of(self.graph, user) for user in node.users]
        plain = all(isinstance(reader, Convolutional) and reader.groups == 1 for reader in readers)
        if (centred or low == 0) and plain and node not in self.destinations:
            self.mixed[node] = Mixed(drawing, matrix)
            return
        shift = None if centred else torch.full((len(matrix),), low, dtype=torch.float64)
        place = self._gathered(drawing, matrix, shift, self._new(node))
        self._emit(node, self.ops.pop())
        assert self.places[node] == replace(place, channels=channels_of(node))

    def _picture(self, node: fx.Node, module: PictureOutput) -> None:
        """How the generator's output is shown, where no convolution could absorb what the engine has not."""
        place, (factor, shift) = self._place(self._source(node)), levels_of(module)
        if module.gives == "grey" or factor != 1:
            rows = torch.ones(3, 1) if module.gives == "grey" else torch.eye(place.channels)
            place = self._gathered(place, factor * rows.double(), torch.full((len(rows),), shift).double())
        self.places[node], self.shown[node] = place, fields_of(module)

    def _output(self, node: fx.Node) -> None:
        source = self._source(node)
        place, fields, count = self._place(source), self.shown.get(source, {}), len(self.palette)
        if place.channels != (count or 3) and not fields:
            shown = f"{count}, one for each colour of its palette" if count else "3 (RGB)"
            raise NurieError(f"The generator's output has {place.channels} channels; the engine shows {shown}.")
        if count:
            at, step = self._append(self.palette), self.size.width // source.meta["tensor_meta"].shape[3]
            fields = {"mode": CLASSES, "activation": FILL, "in_channels": count, "weight": at, "shuffle": step}
        self.ops.append(Op("output", input=place.tensor, input_channel=place.channel, **fields))

    def _activation(self, node: fx.Node) -> None:
        """An activation that nothing could absorb: a copy."""
        source, fields = self._source(node), self._activates(node)
        if source not in self.places and source in self.leaky and fields["activation"] == RELU:
            self._copy(node, self.leaky[source], **fields)  # relu(leaky(x)) = relu(x)
        else:
            self._copy(node, self._place(source), **fields)

    def _activates(self, node: fx.Node) -> dict[str, Any]:
        """The fields of an activation; empty for other nodes."""
        match module_of(self.graph, node):
            case nn.LeakyReLU() as module:
                slope = float(module.negative_slope)
                return {"activation": LEAKY_RELU} | ({} if slope == Op("copy").slope else {"slope": slope})
            case nn.ReLU():
                return {"activation": RELU}
            case nn.Tanh():
                return {"activation": TANH}
            case nn.Sigmoid():
                return {"activation": SIGMOID}
        return {}

    def _copy(self, node: fx.Node, source: Slice, **fields: Any) -> None:
        place = self._new(node)
        op = Op(
            "copy", source.tensor, source.channel, place.tensor, place.channel, in_channels=source.channels, **fields
        )
        self._emit(node, op)

    def _addition(self, node: fx.Node) -> None:
        """One that nothing could absorb: a depthwise 1x1 convolution by ones."""
        first, *others = (self._place(argument) for argument in node.args if isinstance(argument, fx.Node))
        if len(others) != 1:
            raise NurieError(f"{node.name} adds a number; the engine adds values of the same shape only.")
        self._depthwise(node, first, Kernel(torch.ones(first.channels, 1, 1, 1, dtype=torch.float64), None),
                        residual=others[0].tensor, residual_channel=others[0].channel)  # fmt: skip

    def _affine(self, node: fx.Node, module: nn.Module | None) -> None:
        """A fixed normalisation that no convolution could absorb."""
        assert module is not None
        source = self._place(self._source(node))
        ones = torch.ones(source.channels, 1, 1, 1, dtype=torch.float64)
        self._depthwise(node, source, Kernel(ones, None).folded(module))

    def _depthwise(self, node: fx.Node, source: Slice, kernel: Kernel, **fields: int) -> None:
        op = Op("depthwise", source.tensor, source.channel, kernel=1, **fields)
        self._finish(node, op, 2 if fields else 1, kernel, None)

    def _norm(self, node: fx.Node, module: Normalisation) -> None:
        """By the statistics of the picture; or of rows by fixed ones."""
        source = self._place(self._source(node))
        scale, shift = module.weight, module.bias
        op = Op("norm", source.tensor, source.channel, in_channels=source.channels, out_channels=module.channels)
        if module.fixed:
            mean, variance, epsilon, gamma, beta = statistics_of(module)
            factor = (variance + epsilon).rsqrt() * (1 if gamma is None else gamma)
            scale, shift = factor, (0 if beta is None else beta) - mean * factor
            op = replace(op, statistics=FIXED_ROW)
        else:
            op = replace(op, statistics=ROW if module.rows else CHANNEL, epsilon=float(module.epsilon))
        if scale is not None and shift is not None:
            numbers = (values.detach().numpy().astype(np.float32) for values in (scale, shift))
            op = replace(op, scale=self._append(next(numbers)), bias=self._append(next(numbers)))
        self._finish(node, op, 1, None, None)

    def _convolution(self, node: fx.Node, module: nn.Conv2d | nn.ConvTranspose2d) -> None:
        """A convolution and all of what follows that fits into its epilogue."""
        op, kernel, source = geometry_of(node.name, module), kernel_of(module), self._source(node)
        if source in self.mixed:
            place, kernel = self.mixed[source].drawing, kernel.reading(self.mixed[source].matrix)
        else:
            place = self.places[source] if source in self.places and op.op != "depthwise" else self._place(source)
        op = replace(op, input=place.tensor, input_channel=place.channel)
        self._finish(node, op, 0, kernel, module, place)

    def _finish(
        self, node: fx.Node, op: Op, stage: int, kernel: Kernel | None, module: Any, source: Slice | None = None
    ) -> None:
        """Absorb what follows, and emit the operation."""
        last = node
        while (follower := self._only_follower(last)) is not None:
            absorbed = self._absorb(follower, stage, op, kernel, last)
            if absorbed is None:
                break
            stage, op, kernel = absorbed
            self.absorbed.add(follower)
            last = follower
        leaky = self._leaky_among(last) if stage < 3 else None
        if leaky is not None:
            op, skipped, last = replace(op, **self._activates(leaky)), last, leaky
        place = self._new(last)
        if leaky is not None:
            self.leaky[skipped] = place
        op = replace(op, output=place.tensor, output_channel=place.channel)
        if kernel is not None:
            weight, bias = (
                (kernel.weight.permute(0, 2, 3, 1), kernel.bias)
                if module is None
                else as_engine_has_it(kernel, op, module)
            )
            op = self._store(
                op,
                weight if source is None else spread(weight, source),
                bias,
                self.int8 and module is not None,
                self.steps.get(module),
            )
        self._emit(last, op)

    def _is_there(self, node: fx.Node) -> bool:
        """Whether it is computed: a concatenation has its place before its parts have their values."""
        parts = node.args[0] if is_concatenation(node) else (node,)
        return all(part in self.places for part in parts)  # type: ignore[union-attr]

    def _only_follower(self, node: fx.Node) -> fx.Node | None:
        if len(node.users) != 1 or node in self.destinations:
            return None
        return next(iter(node.users))

    def _leaky_among(self, node: fx.Node) -> fx.Node | None:
        """LeakyReLU among several followers that are otherwise ReLU, as in the classic U-Net's skips."""
        numbers = {follower: self._activates(follower).get("activation") for follower in node.users}
        if len(numbers) > 1 and set(numbers.values()) == {RELU, LEAKY_RELU} and node not in self.destinations:
            return next(follower for follower, number in numbers.items() if number == LEAKY_RELU)
        return None

    def _absorb(
        self, node: fx.Node, stage: int, op: Op, kernel: Kernel | None, before: fx.Node
    ) -> tuple[int, Op, Kernel | None] | None:
        """Fuse one more node, or None. Stages: 0 convolution, 1 shuffled, 2 added, 3 activated."""
        module = module_of(self.graph, node)
        if kernel is not None and stage == 0:
            if is_fixed(module):
                assert module is not None
                return 0, op, kernel.folded(module)
            plain = op.op == "conv" and op.shuffle == 1
            if isinstance(module, nn.PixelShuffle) and plain and module.upscale_factor in SHUFFLES:
                return 1, replace(op, shuffle=module.upscale_factor), kernel
            if isinstance(module, nn.Upsample) and plain and op.kernel == 1:
                # nearest upsampling is a pixel shuffle of four equal channels, each computed anew
                factor = upsampling(node, module)
                bias = None if kernel.bias is None else kernel.bias.repeat_interleave(factor**2)
                return 1, replace(op, shuffle=factor), Kernel(kernel.weight.repeat_interleave(factor**2, 0), bias)
        if is_addition(node) and stage < 2:
            other = [argument for argument in node.args if argument is not before]
            if len(other) == 1 and isinstance(other[0], fx.Node) and self._is_there(other[0]):
                place = self._place(other[0])
                return 2, replace(op, residual=place.tensor, residual_channel=place.channel), kernel
        if (fields := self._activates(node)) and stage < 3:
            return 3, replace(op, **fields), kernel
        if isinstance(module, PictureOutput) and kernel is not None and op.residual == -1:
            factor, shift = levels_of(module)
            if module.gives in ("rgb", "grey") and (stage < 3 or factor == 1):
                self.shown[node] = fields_of(module)
                kernel = kernel if factor == 1 else kernel.scaled(factor, shift)
                return 3, op, kernel.repeated(3) if module.gives == "grey" else kernel
        return None


def levels_of(module: PictureOutput) -> tuple[float, float]:
    """Factor and shift that bring what is shown to a range that the engine has: 1 and 0 where it is one."""
    low, high = module.shows
    if module.gives == "ab" or module.shows in UNITS:
        return 1.0, 0.0
    return 2 / (high - low), -1 - 2 * low / (high - low)


def fields_of(module: PictureOutput) -> dict[str, int]:
    """Of the operation `output`."""
    return {"mode": {"ab": LAB, "rgba": RGBA}.get(module.gives, RGB), "scale": UNITS.get(module.shows, -1)}


def upsampling(node: fx.Node, module: nn.Upsample) -> int:
    if module.mode != "nearest" or module.scale_factor != 2:
        raise NurieError(f"{node.name} upsamples by {module.mode} x{module.scale_factor}; the engine has nearest x2.")
    return 2
