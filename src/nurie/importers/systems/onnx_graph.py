"""Generators in ONNX files, whoever trained and exported them: graphs of operations that Nurie has, too."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from nurie.errors import NurieError
from nurie.importers.builder import DRAWING, Builder, Imported
from nurie.importers.containers.onnx_graph import Graph, Node
from nurie.importers.frame import Contents, System
from nurie.importers.palette import drawing
from nurie.importers.systems.onnx_constants import constants_of
from nurie.importers.systems.onnx_layers import Padded, Walk, add_node, linear_of

SIDE = 256  # of drawings, where the graph does not say
WHOLE = 1024.0  # largest number of a range


@dataclass(frozen=True)
class Change:
    """factor * x + term, of every number, between `source` and `name` of a graph."""

    source: str
    name: str
    factor: float
    term: float


def recognise(contents: Contents) -> str:
    graph = contents.attributes.get("graph")
    return f"a graph of {len(graph.nodes)} operations" if isinstance(graph, Graph) else ""


def build(contents: Contents) -> Imported:
    graph: Graph = contents.attributes["graph"]
    name, channels, side = drawing_of(graph)
    constants = {name: array.astype(np.float32, copy=False) if array.ndim == 4 else array
                 for name, array in constants_of(graph.nodes, contents.arrays).items()}  # fmt: skip
    nodes = [node for node in graph.nodes if node.outputs and node.outputs[0] not in constants]
    if len(graph.outputs) != 1:
        raise NurieError(f"Expected a graph with one output, but it has {len(graph.outputs)}.")
    about, notes = drawing(channels)
    start, takes = (name, (0, 1)) if about["reads"] == "labels" else head_of(nodes, name, constants)
    end, shows, known = tail_of(nodes, graph.outputs[0], constants)
    walk = Walk(Builder(channels), constants, side or (SIDE, SIDE), contents.attributes.get("opset", 17))
    walk.values[start] = DRAWING
    needed = ancestors(nodes, end, start)
    for node in nodes:
        if node.outputs[0] in needed and node.outputs[0] != start:
            try:
                add_node(walk, node)
            except (NurieError, ValueError, IndexError, TypeError, AttributeError) as error:
                why = f"{error}".rstrip(".") if isinstance(error, NurieError) else "has other inputs than Nurie expects"
                raise NurieError(f"its operation {node.kind} ({node.name[-80:]}) {why}.") from error
    result = walk.values.get(end)
    if isinstance(result, Padded) or result is None or result != len(walk.b.layers):
        raise NurieError("Expected a graph whose last operation makes the picture of the drawing.")
    if (outputs := walk.shape(result)[0]) not in (1, 3, 4):
        raise NurieError(f"Expected a picture of 1, 3 or 4 channels, but the graph makes {outputs}.")
    if sum(array.nbytes for array in walk.b.tensors.values()) > 2 * sum(each.nbytes for each in constants.values()):
        raise NurieError("Expected a graph that uses its weights once, but this one uses the same ones often.")
    about["takes"] = takes
    notes += () if known else ("The graph does not say its range of numbers: -1 to 1 was taken for black to white.",)
    return walk.b.finish(
        size=side[0] if side and side[0] == side[1] else None, shows=shows, system="ONNX",
        why="Its normalisations are in the graph as they are.", notes=notes, **about,
    )  # fmt: skip


def drawing_of(graph: Graph) -> tuple[str, int, tuple[int, int] | None]:
    """The input's name, its channels, and its height and width where the graph says them."""
    if len(graph.inputs) != 1:
        raise NurieError(f"Expected a graph with one input, the drawing, but it has {len(graph.inputs)}.")
    [(name, shape)] = graph.inputs.items()
    if len(shape) == 4 and shape[1] not in (1, 3) and shape[3] in (1, 3):
        raise NurieError(f"Its channels come last ({shape}), and Nurie reads graphs with channels first.")
    if len(shape) != 4 or not 1 <= shape[1] <= 64:
        raise NurieError(f"Expected an input of 1 picture, 1 to 64 channels, height and width, but it is {shape}.")
    height, width = shape[2:]
    return name, shape[1], (height, width) if 0 < height <= 4096 and 0 < width <= 4096 else None


def head_of(nodes: list[Node], name: str, constants: dict[str, np.ndarray]) -> tuple[str, tuple[float, float]]:
    """Past a change of the input's range: the name after it, and the numbers there of black and white."""
    readers: dict[str, list[Node]] = {}
    for node in nodes:
        for source in set(node.inputs):
            readers.setdefault(source, []).append(node)
    factor, term = 1.0, 0.0
    start = name
    while (
        len(found := readers.get(start, ())) == 1 and (change := change_of(found[0], constants)) and change.factor > 0
    ):
        factor, term = factor * change.factor, term * change.factor + change.term
        start = change.name
    if (factor, term) == (1, 0):
        return start, (-1, 1)
    ranges = [(low * factor + term, high * factor + term) for low, high in ((0, 1), (0, 255), (-1, 1))]
    close = [
        each for each in ranges[:2] if np.allclose(each, (-1, 1), atol=0.02) or np.allclose(each, (0, 1), atol=0.01)
    ]
    takes = close[0] if close else ranges[2]
    return (start, (round(takes[0], 6), round(takes[1], 6))) if within(takes) else (name, (-1, 1))


def change_of(node: Node, constants: dict[str, np.ndarray]) -> Change | None:
    if node.kind in ("Identity", "Cast") and node.inputs:
        return Change(node.inputs[0], node.outputs[0], 1.0, 0.0)
    found = linear_of(node, constants)
    if found is None or found[1].size != 1 or found[2].size != 1:
        return None
    return Change(found[0], node.outputs[0], float(found[1].reshape(-1)[0]), float(found[2].reshape(-1)[0]))


def tail_of(nodes: list[Node], name: str, constants: dict[str, np.ndarray]) -> tuple[str, tuple[float, float], bool]:
    """Before clips and changes of range at the end: the name there, the numbers there that are black and white, and
    whether the graph says them."""
    makers = {output: node for node in nodes for output in node.outputs}
    uses = Counter(source for node in nodes for source in node.inputs)
    end, bounds = name, None
    factor, term = 1.0, 0.0
    while node := makers.get(end):
        change = change_of(node, constants)
        source = node.inputs[0] if node.kind == "Clip" else change.source if change and change.factor > 0 else ""
        if not source or uses[source] != 1:
            break
        if node.kind == "Clip":
            low, high = clip_of(node, constants)
            if not within((low, high)):
                break
            bounds = (max(low, bounds[0]), min(high, bounds[1])) if bounds else (low, high)
        elif change:
            factor, term = factor * change.factor, term + factor * change.term
            bounds = tuple((bound - change.term) / change.factor for bound in bounds) if bounds else None
        end = source
    natural = {"Tanh": (-1.0, 1.0), "Sigmoid": (0.0, 1.0)}.get(makers[end].kind if end in makers else "")
    shows = bounds or natural
    if shows and within(shows):
        return end, (round(shows[0], 6), round(shows[1], 6)), True
    made = (-factor + term, factor + term)  # of -1 and 1
    said = any(np.allclose(made, each, rtol=0.01, atol=0.01) for each in ((0, 1), (0, 255), (0, 256)))
    return (end if said else name), (-1, 1), said


def clip_of(node: Node, constants: dict[str, np.ndarray]) -> tuple[float, float]:
    bounds = [float(node.about.get(name, default)) for name, default in (("min", -np.inf), ("max", np.inf))]
    for place, name in enumerate(node.inputs[1:3]):
        if name in constants and constants[name].size == 1:
            bounds[place] = float(constants[name].reshape(-1)[0])
    return bounds[0], bounds[1]


def within(bounds: tuple[float, ...]) -> bool:
    return -WHOLE <= bounds[0] < bounds[1] <= WHOLE


def ancestors(nodes: list[Node], end: str, start: str) -> set[str]:
    """The names that `end` is computed from, itself among them."""
    found = {end}
    for node in reversed(nodes):
        if node.outputs[0] in found and node.outputs[0] != start:
            found.update(node.inputs)
    return found


ONNX_GRAPH = System(
    "ONNX",
    "`.onnx`, with weights beside it where they are in files of their own",
    "image to image, opset 9 to 21: convolutions, transposed ones, batch and instance norm, the usual activations, "
    "skips, nearest doubling, pixel shuffle",
    "PyTorch's exporter; made-up graphs against onnxruntime 1.32",
    recognise,
    build,
)
