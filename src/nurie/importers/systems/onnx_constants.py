"""The constants of an ONNX graph, those among them that exporters leave to be computed."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from nurie.errors import NurieError
from nurie.importers.containers.onnx_graph import Node

MOST = 1 << 12  # numbers that a shape or a list of pads may grow to
Folded = Callable[[Node, Sequence[np.ndarray]], np.ndarray]


def constants_of(nodes: Sequence[Node], initializers: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """By name, with those that follow from others. Raises NurieError for a computation that can not be."""
    found = dict(initializers)
    left = 2 * sum(array.nbytes for array in found.values()) + (1 << 20)  # bytes: casts make arrays larger
    for node in nodes:
        inputs = [name for name in node.inputs if name]
        if node.kind not in FOLDED or not node.outputs or not all(name in found for name in inputs):
            continue
        try:
            with np.errstate(all="ignore"):
                value = FOLDED[node.kind](node, [found[name] for name in inputs])
            left -= value.nbytes if value.flags.owndata and node.kind != "Constant" else 0
            if left < 0:
                raise ValueError
            found[node.outputs[0]] = value
        except (ValueError, IndexError, TypeError, KeyError, OverflowError, MemoryError) as error:
            raise NurieError(f"Its {node.kind} ({node.name}) can not be computed.") from error
    return found


def constant(node: Node, _: Sequence[np.ndarray]) -> np.ndarray:
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if name in node.about:
            return np.asarray(node.about[name])
    raise ValueError


def constant_of_shape(node: Node, inputs: Sequence[np.ndarray]) -> np.ndarray:
    shape = tuple(int(side) for side in small(inputs[0]).reshape(-1))
    if not all(0 <= side <= MOST for side in shape) or np.prod(shape, dtype=float) > MOST or len(shape) > 8:
        raise ValueError
    return np.full(shape, np.asarray(node.about.get("value", np.zeros(1, np.float32))).reshape(-1)[0])


def concat(node: Node, inputs: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([small(array) for array in inputs], int(node.about["axis"]))


def reshape(_: Node, inputs: Sequence[np.ndarray]) -> np.ndarray:
    return inputs[0].reshape([int(side) for side in small(inputs[1]).reshape(-1)])


def sliced(node: Node, inputs: Sequence[np.ndarray]) -> np.ndarray:
    if len(inputs) < 3:
        raise ValueError
    starts, ends, *more = ([int(number) for number in small(array).reshape(-1)] for array in inputs[1:])
    axes = more[0] if more else range(len(starts))
    steps = more[1] if len(more) > 1 else [1] * len(starts)
    parts = [slice(None)] * inputs[0].ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        parts[axis] = slice(start, end, step)
    return inputs[0][tuple(parts)]


def unsqueezed(node: Node, inputs: Sequence[np.ndarray]) -> np.ndarray:
    axes = node.about.get("axes") or [int(axis) for axis in small(inputs[1]).reshape(-1)]
    return np.expand_dims(inputs[0], tuple(axes))


def squeezed(node: Node, inputs: Sequence[np.ndarray]) -> np.ndarray:
    axes = node.about.get("axes") or [int(axis) for array in inputs[1:] for axis in small(array).reshape(-1)]
    return np.squeeze(inputs[0], tuple(axes) or None)


def cast(node: Node, inputs: Sequence[np.ndarray]) -> np.ndarray:
    kinds = {1: np.float32, 6: np.int32, 7: np.int64, 10: np.float16, 11: np.float64}
    return inputs[0].astype(kinds[node.about["to"]])


def small(array: np.ndarray) -> np.ndarray:
    if array.size > MOST:
        raise ValueError
    return array


FOLDED: dict[str, Folded] = {
    "Constant": constant,
    "ConstantOfShape": constant_of_shape,
    "Identity": lambda _, inputs: inputs[0],
    "Cast": cast,
    "Concat": concat,
    "Reshape": reshape,
    "Slice": sliced,
    "Squeeze": squeezed,
    "Transpose": lambda node, inputs: inputs[0].transpose(node.about.get("perm")),
    "Unsqueeze": unsqueezed,
}
