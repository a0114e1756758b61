"""Lower a trained generator to the engine's plan: fold BatchNorm, fuse everything else into the convolutions.

The generator is traced with torch.fx, so any net made of the modules in `nets/generators.py` can be lowered. From each
convolution on, what follows is absorbed into its epilogue, in the engine's order:
BatchNorm, dropout -> pixel shuffle or nearest upsampling -> addition -> activation.
A concatenation costs nothing: its parts are written into slices of one tensor.
"""

import operator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp
from torch.nn.utils.fusion import fuse_conv_bn_weights

from nurie.convert.quantise import quantise
from nurie.engine.plan import LEAKY_RELU, RELU, SHUFFLES, TANH, Op, Plan, checked
from nurie.errors import NurieError
from nurie.nets.generators import EnclosedInput, FastGenerator, StyleInput
from nurie.size import Size

FUNCTIONS: dict[Any, type[nn.Module]] = {
    **dict.fromkeys((F.relu, torch.relu, "relu"), nn.ReLU),
    **dict.fromkeys((F.tanh, torch.tanh, "tanh"), nn.Tanh),
    F.leaky_relu: nn.LeakyReLU,
    F.pixel_shuffle: nn.PixelShuffle,
    F.pixel_unshuffle: nn.PixelUnshuffle,
}


@dataclass(frozen=True)
class Slice:
    """Where a value lies: `channels` channels of a tensor from `channel` on."""

    tensor: int
    channel: int
    channels: int


def lower(generator: nn.Module, size: Size, int8: bool = True) -> tuple[Plan, bytes]:
    """The plan of a generator in eval mode, and the raw bytes of its weights file.

    generator: (n, 3, h, w) in [-1, 1] to the same. size: one that it accepts, for tracing.
    Raises NurieError naming a module that the engine has no operation for.
    """
    graph = traced(generator.eval())
    functions_to_modules(graph)
    push_activations_through_concatenations(graph)
    with torch.no_grad():
        ShapeProp(graph).propagate(torch.zeros(1, 3, size.height, size.width))
    return Lowering(graph, int8).run()


class Tracer(fx.Tracer):
    """Inputs beside the drawing stay whole: the engine has operations for them."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, StyleInput | EnclosedInput) or super().is_leaf_module(m, module_qualified_name)


class Unstyled(nn.Module):
    """A generator as a function of the drawing alone: its style comes from the engine's host."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


def traced(generator: nn.Module) -> fx.GraphModule:
    net = Unstyled(generator) if isinstance(generator, FastGenerator) else generator
    return fx.GraphModule(net, Tracer().trace(net))


def functions_to_modules(graph: fx.GraphModule) -> None:
    """Replace functional forms (`F.relu(x)`, `x.tanh()`) by modules, so that one table serves both."""
    for node in list(graph.graph.nodes):
        make = FUNCTIONS.get(node.target) if node.op in ("call_function", "call_method") else None
        if make is None:
            continue
        options = {key: value for key, value in node.kwargs.items() if key != "inplace"}
        name = f"{node.name}_module"
        graph.add_submodule(name, make(*node.args[1:2], **options))
        with graph.graph.inserting_before(node):
            node.replace_all_uses_with(graph.graph.call_module(name, node.args[:1]))
        graph.graph.erase_node(node)
    graph.recompile()


def activation_of(graph: fx.GraphModule, node: fx.Node) -> int:
    """The engine's number of an activation node, 0 for other nodes."""
    module = module_of(graph, node)
    if isinstance(module, nn.LeakyReLU):
        if module.negative_slope != 0.2:
            raise NurieError(f"{node.target} is a LeakyReLU of slope {module.negative_slope}; the engine has 0.2 only.")
        return LEAKY_RELU
    return RELU if isinstance(module, nn.ReLU) else TANH if isinstance(module, nn.Tanh) else 0


def module_of(graph: fx.GraphModule, node: fx.Node) -> nn.Module | None:
    return graph.get_submodule(str(node.target)) if node.op == "call_module" else None


def is_concatenation(node: fx.Node) -> bool:
    return node.op == "call_function" and node.target is torch.cat


def is_addition(node: fx.Node) -> bool:
    return node.op == "call_function" and node.target in (operator.add, torch.add)


def push_activations_through_concatenations(graph: fx.GraphModule) -> None:
    """activation(cat(a, b)) -> cat(activation(a), activation(b)), so that what makes a and b can absorb it."""
    for node in list(graph.graph.nodes):
        if not (activation_of(graph, node) and is_concatenation(node.args[0])):
            continue
        parts = []
        for part in node.args[0].args[0]:
            with graph.graph.inserting_before(node.args[0]):
                parts.append(graph.graph.call_module(node.target, (part,)))
        with graph.graph.inserting_before(node):
            concatenation = graph.graph.call_function(torch.cat, (parts, 1))
        node.replace_all_uses_with(concatenation)
        graph.graph.erase_node(node)
    graph.graph.eliminate_dead_code()
    graph.recompile()


def channels_of(node: fx.Node) -> int:
    return int(node.meta["tensor_meta"].shape[1])


class Lowering:
    """Walks the graph once, in order, and collects tensors, operations and weights."""

    def __init__(self, graph: fx.GraphModule, int8: bool) -> None:
        self.graph, self.int8 = graph, int8
        self.tensors: list[int] = []
        self.ops: list[Op] = []
        self.weights = bytearray()
        self.places: dict[fx.Node, Slice] = {}  # values computed so far
        self.absorbed: set[fx.Node] = set()  # values that exist only inside an epilogue
        self.leaky: dict[fx.Node, Slice] = {}  # values known only as LeakyReLU(value)
        self.destinations: dict[fx.Node, Slice] = {}  # parts of concatenations

    def run(self) -> tuple[Plan, bytes]:
        for node in self.graph.graph.nodes:
            if is_concatenation(node):
                self._reserve(node)
        for node in self.graph.graph.nodes:
            if node not in self.places and node not in self.absorbed:
                self._lower(node)
        return checked(Plan(tuple(self.tensors), tuple(self.ops))), bytes(self.weights)

    def _reserve(self, node: fx.Node) -> None:
        """One tensor for a concatenation, and a slice of it for each part."""
        tensor, channel = len(self.tensors), 0
        self.tensors.append(channels_of(node))
        for part in node.args[0]:  # type: ignore[union-attr]
            if channel % 4:
                raise NurieError(f"{node.name} concatenates at channel {channel}; the engine needs a multiple of 4.")
            if part in self.destinations:
                raise NurieError(f"{part} is part of two concatenations; the engine can write it to one place only.")
            self.destinations[part] = Slice(tensor, channel, channels_of(part))
            channel += channels_of(part)
        self.places[node] = Slice(tensor, 0, channel)

    def _lower(self, node: fx.Node) -> None:
        module = module_of(self.graph, node)
        if node.op == "placeholder":
            self._input(node)
        elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            self._convolution(node, module)
        elif activation_of(self.graph, node):
            self._activation(node)
        elif isinstance(module, nn.Dropout | nn.Identity):
            self.places[node] = self._place(self._source(node))
        elif isinstance(module, StyleInput):
            self._style(node)
        elif isinstance(module, EnclosedInput):
            self._enclosed(node, module)
        elif isinstance(module, nn.Upsample):
            self._copy(node, self._place(self._source(node)), shuffle=upsampling(node, module))
        elif node.op == "output":
            self._output(node)
        elif node.op != "get_attr":
            what = type(module).__name__ if module else getattr(node.target, "__name__", node.target)
            raise NurieError(
                f"The engine has no operation for {node.name} ({what}) at this place. It has convolutions followed by "
                "BatchNorm, pixel shuffle or nearest upsampling, addition and ReLU, LeakyReLU 0.2 or tanh, and "
                "concatenation."
            )

    def _source(self, node: fx.Node) -> fx.Node:
        source = node.args[0]
        assert isinstance(source, fx.Node)
        return source

    def _place(self, node: fx.Node) -> Slice:
        if node not in self.places:
            raise NurieError(f"{node.name} is needed in a form that the engine did not compute.")
        return self.places[node]

    def _new(self, node: fx.Node) -> Slice:
        """Where a value goes: its slice of a concatenation, or a tensor of its own."""
        if node in self.destinations:
            return self.destinations[node]
        self.tensors.append(channels_of(node))
        return Slice(len(self.tensors) - 1, 0, channels_of(node))

    def _input(self, node: fx.Node) -> None:
        followers = [user for user in node.users if not isinstance(module_of(self.graph, user), EnclosedInput)]
        module = module_of(self.graph, followers[0]) if len(followers) == 1 else None
        shuffle = 1
        if isinstance(module, nn.PixelUnshuffle) and module.downscale_factor in SHUFFLES:
            node, shuffle = followers[0], module.downscale_factor
        place = self._new(node)
        self.ops.append(Op("input", output=place.tensor, output_channel=place.channel, shuffle=shuffle))
        self.places[node] = place

    def _style(self, node: fx.Node) -> None:
        size, place = self._place(self._source(node)), self._new(node)
        self.ops.append(Op("style", input=size.tensor, output=place.tensor, output_channel=place.channel))
        self.places[node] = place

    def _enclosed(self, node: fx.Node, module: EnclosedInput) -> None:
        place = self._new(node)
        self.ops.append(Op("enclosed", output=place.tensor, output_channel=place.channel, shuffle=module.factor))
        self.places[node] = place

    def _output(self, node: fx.Node) -> None:
        place = self._place(self._source(node))
        if place.channels != 3:
            raise NurieError(f"The generator's output has {place.channels} channels; the engine shows 3 (RGB).")
        self.ops.append(Op("output", input=place.tensor, input_channel=place.channel))

    def _activation(self, node: fx.Node) -> None:
        """An activation that no convolution could absorb: a copy."""
        source, number = self._source(node), activation_of(self.graph, node)
        if source not in self.places and source in self.leaky and number == RELU:
            self._copy(node, self.leaky[source], RELU)  # relu(leaky(x)) = relu(x)
        else:
            self._copy(node, self._place(source), number)

    def _copy(self, node: fx.Node, source: Slice, activation: int = 0, shuffle: int = 1) -> None:
        place = self._new(node)
        op = Op(
            "copy", source.tensor, source.channel, place.tensor, place.channel,
            in_channels=source.channels, activation=activation, shuffle=shuffle,
        )  # fmt: skip
        self.ops.append(op)
        self.places[node] = place

    def _convolution(self, node: fx.Node, module: nn.Conv2d | nn.ConvTranspose2d) -> None:
        """A convolution and all of what follows that fits into its epilogue."""
        check_convolution(node, module)
        source = self._place(self._source(node))
        weight, bias = weights_of(module)
        kind = "conv" if module.groups == 1 else "depthwise"
        kind = "conv_transpose" if isinstance(module, nn.ConvTranspose2d) else kind
        op = Op(
            kind, source.tensor, source.channel,
            kernel=module.kernel_size[0], stride=module.stride[0], pad=int(module.padding[0]),
        )  # fmt: skip
        last, stage = node, 0
        while (follower := self._only_follower(last)) is not None:
            absorbed = self._absorb(follower, stage, op, weight, bias, last)
            if absorbed is None:
                break
            stage, op, weight, bias = absorbed
            self.absorbed.add(follower)
            last = follower
        leaky = self._leaky_among(last) if stage < 3 else None
        if leaky is not None:
            op, skipped, last = replace(op, activation=LEAKY_RELU), last, leaky
        place = self._new(last)
        if leaky is not None:
            self.leaky[skipped] = place
        op = replace(op, output=place.tensor, output_channel=place.channel)
        self.ops.append(self._store(op, weight, bias))
        self.places[last] = place

    def _only_follower(self, node: fx.Node) -> fx.Node | None:
        if len(node.users) != 1 or node in self.destinations:
            return None
        return next(iter(node.users))

    def _leaky_among(self, node: fx.Node) -> fx.Node | None:
        """LeakyReLU among several followers that are otherwise ReLU, as in the classic U-Net's skips."""
        numbers = {follower: activation_of(self.graph, follower) for follower in node.users}
        if len(numbers) > 1 and set(numbers.values()) == {RELU, LEAKY_RELU}:
            return next(follower for follower, number in numbers.items() if number == LEAKY_RELU)
        return None

    def _absorb(
        self, node: fx.Node, stage: int, op: Op, weight: Tensor, bias: Tensor | None, before: fx.Node
    ) -> tuple[int, Op, Tensor, Tensor | None] | None:
        """Fuse one more node, or None. Stages: 0 convolution, 1 shuffled, 2 added, 3 activated."""
        module = module_of(self.graph, node)
        if isinstance(module, nn.BatchNorm2d) and stage == 0:
            return 0, op, *fold(weight, bias, module, op.op == "conv_transpose")
        if isinstance(module, nn.Dropout | nn.Identity) and stage < 3:
            return stage, op, weight, bias
        if isinstance(module, nn.PixelShuffle) and stage == 0 and op.op == "conv" and module.upscale_factor in SHUFFLES:
            return 1, replace(op, shuffle=module.upscale_factor), weight, bias
        if isinstance(module, nn.Upsample) and stage == 0 and op.op == "conv":
            # nearest upsampling is a pixel shuffle of four equal channels
            factor = upsampling(node, module)
            bias = None if bias is None else bias.repeat_interleave(factor**2)
            return 1, replace(op, shuffle=factor), weight.repeat_interleave(factor**2, 0), bias
        if is_addition(node) and stage < 2:
            other = [argument for argument in node.args if argument is not before]
            if len(other) == 1 and isinstance(other[0], fx.Node) and other[0] in self.places:
                place = self.places[other[0]]
                return 2, replace(op, residual=place.tensor, residual_channel=place.channel), weight, bias
        if (number := activation_of(self.graph, node)) and stage < 3:
            return 3, replace(op, activation=number), weight, bias
        return None

    def _store(self, op: Op, weight: Tensor, bias: Tensor | None) -> Op:
        """Append the weights as [out][y][x][in] and fill in the offsets and channels."""
        order = (1, 2, 3, 0) if op.op == "conv_transpose" else (0, 2, 3, 1)
        values = weight.permute(order).contiguous().numpy().astype(np.float32)
        op = replace(op, out_channels=values.shape[0], in_channels=values.shape[0 if op.op == "depthwise" else 3])
        if self.int8:
            values, scales = quantise(values)
            op = replace(op, scale=self._append(scales))
        if bias is not None:
            op = replace(op, bias=self._append(bias.numpy().astype(np.float32)))
        return replace(op, weight=self._append(values))

    def _append(self, values: np.ndarray) -> int:
        offset = len(self.weights)
        self.weights += np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
        self.weights += bytes(-len(self.weights) % 4)
        return offset


def weights_of(module: nn.Conv2d | nn.ConvTranspose2d) -> tuple[Tensor, Tensor | None]:
    bias = None if module.bias is None else module.bias.detach().double()
    return module.weight.detach().double(), bias


def fold(weight: Tensor, bias: Tensor | None, norm: nn.BatchNorm2d, transpose: bool) -> tuple[Tensor, Tensor]:
    """BatchNorm with its running statistics, folded into the convolution before it, in float64."""
    parts: list[Any] = [norm.running_mean, norm.running_var, norm.weight, norm.bias]
    if parts[0] is None:
        raise NurieError("A BatchNorm keeps no running statistics, so that it can not be folded.")
    mean, var, gamma, beta = (None if p is None else p.detach().double() for p in parts)
    folded = fuse_conv_bn_weights(weight, bias, mean, var, norm.eps, gamma, beta, transpose)  # type: ignore[arg-type]
    return folded[0].detach(), folded[1].detach()


def upsampling(node: fx.Node, module: nn.Upsample) -> int:
    if module.mode != "nearest" or module.scale_factor != 2:
        raise NurieError(f"{node.name} upsamples by {module.mode} x{module.scale_factor}; the engine has nearest x2.")
    return 2


def check_convolution(node: fx.Node, module: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """The engine's convolutions are square, dense or depthwise, and padded with zeros."""
    depthwise = isinstance(module, nn.Conv2d) and module.groups == module.in_channels == module.out_channels
    square = all(len(set(pair)) == 1 for pair in (module.kernel_size, module.stride, module.padding))
    plain = (module.groups == 1 or depthwise) and set(module.dilation) == {1} and module.padding_mode == "zeros"
    if not square or not plain or isinstance(module.padding, str) or set(module.output_padding) != {0}:
        raise NurieError(
            f"{node.name} is a convolution with groups (other than one per channel), dilation, output padding, another "
            f"padding than zeros or a kernel that is not square ({module}); the engine has none of these."
        )
