"""A generator as a graph that lower.py can walk: traced with torch.fx, functions as modules, and activations where they
can be absorbed."""

import operator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from nurie.nets.generators import EnclosedInput, FastGenerator, StyleInput
from nurie.nets.layers import Convolution, DrawingInput, Normalisation, PictureOutput, Transposed
from nurie.size import Size

FUNCTIONS: dict[Any, type[nn.Module]] = {
    **dict.fromkeys((F.relu, torch.relu, "relu"), nn.ReLU),
    **dict.fromkeys((F.tanh, torch.tanh, "tanh"), nn.Tanh),
    **dict.fromkeys((F.sigmoid, torch.sigmoid, "sigmoid"), nn.Sigmoid),
    F.leaky_relu: nn.LeakyReLU,
    F.pixel_shuffle: nn.PixelShuffle,
    F.pixel_unshuffle: nn.PixelUnshuffle,
}
LEAVES = (StyleInput, EnclosedInput, Convolution, Transposed, Normalisation, DrawingInput, PictureOutput)
ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid)


class Tracer(fx.Tracer):
    """What the engine has operations for stays whole."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, LEAVES) or super().is_leaf_module(m, module_qualified_name)


class Unstyled(nn.Module):
    """A generator as a function of the drawing alone: its style comes from the engine's host."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


def graph_of(generator: nn.Module, size: Size) -> fx.GraphModule:
    """Ready to be lowered, with the shapes for a drawing of this size."""
    graph = traced(generator.eval())
    functions_to_modules(graph)
    remove_identities(graph)
    flatten_concatenations(graph)
    push_activations_through_concatenations(graph)
    flatten_concatenations(graph)
    with torch.no_grad():
        ShapeProp(graph).propagate(torch.zeros(1, 3, size.height, size.width))
    return graph


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


def remove_identities(graph: fx.GraphModule) -> None:
    """What only training needs."""
    for node in list(graph.graph.nodes):
        if isinstance(module_of(graph, node), nn.Dropout | nn.Identity):
            node.replace_all_uses_with(node.args[0])
            graph.graph.erase_node(node)
    graph.recompile()


def flatten_concatenations(graph: fx.GraphModule) -> None:
    """cat(cat(a, b), c) -> cat(a, b, c)"""
    for node in graph.graph.nodes:
        if is_concatenation(node):
            inner = [parts_of(part) if is_concatenation(part) else [part] for part in parts_of(node)]
            node.args = ([part for parts in inner for part in parts], 1)
            node.kwargs = {}
    graph.graph.eliminate_dead_code()
    graph.recompile()


def push_activations_through_concatenations(graph: fx.GraphModule) -> None:
    """activation(cat(a, b)) -> cat(activation(a), activation(b)), so that what makes a and b can absorb it."""
    for node in list(graph.graph.nodes):
        if not (is_activation(graph, node) and is_concatenation(node.args[0])):
            continue
        parts = []
        for part in parts_of(node.args[0]):
            with graph.graph.inserting_before(node.args[0]):
                parts.append(graph.graph.call_module(node.target, (part,)))
        with graph.graph.inserting_before(node):
            concatenation = graph.graph.call_function(torch.cat, (parts, 1))
        node.replace_all_uses_with(concatenation)
        graph.graph.erase_node(node)
    graph.graph.eliminate_dead_code()
    graph.recompile()


def module_of(graph: fx.GraphModule, node: fx.Node) -> nn.Module | None:
    return graph.get_submodule(str(node.target)) if node.op == "call_module" else None


def is_activation(graph: fx.GraphModule, node: fx.Node) -> bool:
    return isinstance(module_of(graph, node), ACTIVATIONS)


def is_concatenation(node: fx.Node) -> bool:
    return node.op == "call_function" and node.target is torch.cat


def parts_of(concatenation: Any) -> list[fx.Node]:
    return list(concatenation.args[0])


def is_addition(node: fx.Node) -> bool:
    return node.op == "call_function" and node.target in (operator.add, torch.add)


def channels_of(node: fx.Node) -> int:
    return int(node.meta["tensor_meta"].shape[1])
