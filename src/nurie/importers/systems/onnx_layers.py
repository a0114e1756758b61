"""What the operations of an ONNX graph are in a description: one function for each that the graph's walk calls.

https://onnx.ai/onnx/operators/ has their definitions; all are of (n, channels, height, width).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nurie.errors import NurieError
from nurie.importers.builder import Builder, Value
from nurie.importers.containers.onnx_graph import Node
from nurie.nets.architecture import Pictured

NEAREST = {  # how coordinates are transformed and rounded so that nearest neighbours double each pixel
    ("asymmetric", "floor"), ("asymmetric", "round_prefer_floor"), ("tf_half_pixel_for_nn", "floor"),
    *((kind, rounded) for kind in ("half_pixel", "pytorch_half_pixel", "align_corners")
      for rounded in ("round_prefer_floor", "round_prefer_ceil")),
}  # fmt: skip


@dataclass(frozen=True)
class Padded:
    """A value whose padding the next convolution does."""

    value: Value
    before: int
    after: int
    reflect: bool


class Walk:
    """The layers so far. `constants` are arrays by name; `side`: height and width of the drawing."""

    def __init__(self, b: Builder, constants: dict[str, np.ndarray], side: tuple[int, int], opset: int) -> None:
        self.b, self.constants, self.opset = b, constants, opset
        self.values: dict[str, Value | Padded] = {}
        self._shapes: list[Pictured] = [(b.channels, *side)]

    def read(self, name: str) -> Value:
        value = self.values.get(name)
        if value is None:
            raise NurieError("reads what no operation before it makes of the drawing")
        if isinstance(value, Padded):
            raise NurieError("reads what was padded, which only a convolution can")
        return value

    def shape(self, value: Value) -> Pictured:
        for layer in self.b.layers[len(self._shapes) - 1 :]:
            self._shapes.append(layer.shape([self._shapes[each] for each in layer.reads]))
        return self._shapes[value]

    def array(self, node: Node, place: int) -> np.ndarray | None:
        """An input that has to be a constant; None where it is left out."""
        if place >= len(node.inputs) or not node.inputs[place]:
            return None
        if node.inputs[place] not in self.constants:
            raise NurieError("has weights that are computed from the drawing")
        return self.constants[node.inputs[place]]

    def needed(self, node: Node, place: int) -> np.ndarray:
        array = self.array(node, place)
        if array is None:
            raise NurieError("lacks an input")
        return array


def add_node(walk: Walk, node: Node) -> None:
    """Add what a node computes. Raises NurieError, with words that go on from its name, for what Nurie has not."""
    if node.kind not in LAYERS:
        raise NurieError("is an operation that Nurie has not")
    walk.values[node.outputs[0]] = LAYERS[node.kind](walk, node)


def conv(walk: Walk, node: Node) -> Value:
    source = walk.values.get(node.inputs[0])
    padded = source if isinstance(source, Padded) else Padded(walk.read(node.inputs[0]), 0, 0, False)
    weight, stride = walk.needed(node, 1), stride_of(node)
    group = node.about.get("group", 1)
    depthwise = group > 1
    if depthwise and weight.shape[:2] != (group, 1):
        raise NurieError(f"has {group} groups of channels")
    sides = walk.shape(padded.value)[1:]
    kernel = weight.shape[-1] if weight.ndim == 4 else 0
    total = [max(((side + stride - 1) // stride - 1) * stride + kernel - side, 0) for side in sides]
    before, after = pads_of(node, total)
    if padded.reflect and (before or after):
        raise NurieError("pads what was mirrored with zeros")
    pad = (padded.before + before, padded.after + after)
    return walk.b.conv(padded.value, weight, walk.array(node, 2), stride=stride, pad=pad, reflect=padded.reflect,
                       depthwise=depthwise)  # fmt: skip


def conv_transpose(walk: Walk, node: Node) -> Value:
    weight, stride = walk.needed(node, 1), stride_of(node)
    if node.about.get("group", 1) != 1:
        raise NurieError("has groups of channels")
    if node.about.get("output_shape"):
        raise NurieError("says the size of its result, not its pads")
    more = same(node.about.get("output_padding", (0,)), "pads its result differently in height and width")
    kernel = weight.shape[-1] if weight.ndim == 4 else 0
    before, after = pads_of(node, [max(kernel + more - stride, 0)] * 2)
    if after < more:
        raise NurieError("pads its result with more than was cut off")
    return walk.b.conv_transpose(walk.read(node.inputs[0]), weight, walk.array(node, 2), stride=stride,
                                 crop=(before, after - more))  # fmt: skip


def stride_of(node: Node) -> int:
    if any(step != 1 for step in node.about.get("dilations", ())):
        raise NurieError("is dilated")
    return same(node.about.get("strides", (1,)), "has other strides in height than in width")


def pads_of(node: Node, total: Sequence[int]) -> tuple[int, int]:
    """Before and after. total: of both, in height and in width, where the node says only that sizes stay."""
    auto = node.about.get("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        whole = same(total, "pads height and width differently")
        less, more = whole // 2, whole - whole // 2
        return (less, more) if auto == "SAME_UPPER" else (more, less)
    pads = node.about.get("pads", (0, 0, 0, 0)) if auto == "NOTSET" else (0, 0, 0, 0)
    if len(pads) != 4:
        raise NurieError("is not of pictures")
    wrong = "pads height and width differently"
    return same(pads[:2], wrong), same(pads[2:], wrong)


def same(numbers: Sequence[int], wrong: str) -> int:
    if len(set(numbers)) != 1 or not -64 <= numbers[0] <= 4096:
        raise NurieError(wrong)
    return int(numbers[0])


def pad(walk: Walk, node: Node) -> Padded:
    """To be done by the convolution that reads it."""
    mode = node.about.get("mode", "constant")
    given = walk.array(node, 1)
    pads = [int(side) for side in (given if given is not None else node.about.get("pads", ()))]
    fill = walk.array(node, 2)
    value = float(fill.reshape(-1)[0]) if fill is not None and fill.size else node.about.get("value", 0.0)
    if mode not in ("constant", "reflect") or (mode == "constant" and value) or walk.array(node, 3) is not None:
        raise NurieError("pads with something else than zeros or a mirror image")
    if len(pads) != 8 or any(pads[:2]) or any(pads[4:6]) or min(pads) < 0:
        raise NurieError("pads something else than height and width")
    wrong = "pads height and width differently"
    before, after = same(pads[2:4], wrong), same(pads[6:], wrong)
    return Padded(walk.read(node.inputs[0]), before, after, mode == "reflect" and bool(before or after))


def batch_norm(walk: Walk, node: Node) -> Value:
    """In training mode, by the statistics of the picture."""
    scale, shift, mean, variance = (walk.needed(node, place) for place in (1, 2, 3, 4))
    if node.about.get("training_mode", 0):
        mean = variance = None
    return walk.b.norm(walk.read(node.inputs[0]), scale.size, node.about.get("epsilon", 1e-5), scale=scale,
                       shift=shift, mean=mean, variance=variance)  # fmt: skip


def instance_norm(walk: Walk, node: Node) -> Value:
    scale, shift = walk.needed(node, 1), walk.needed(node, 2)
    epsilon = node.about.get("epsilon", 1e-5)
    return walk.b.norm(walk.read(node.inputs[0]), scale.size, epsilon, scale=scale, shift=shift)


def concat(walk: Walk, node: Node) -> Value:
    if node.about.get("axis") not in (1, -3):
        raise NurieError("joins something else than channels")
    return walk.b.concat(*(walk.read(name) for name in node.inputs))


def resize(walk: Walk, node: Node) -> Value:
    x = walk.read(node.inputs[0])
    scales, sizes = (walk.array(node, place) for place in ((1, 9) if walk.opset < 11 else (2, 3)))
    _, height, width = walk.shape(x)
    factors = node.about.get("scales", ()) if scales is None else scales.reshape(-1).tolist()
    if sizes is not None and sizes.size == 4:
        factors = [1, 1, *(float(size) / side for size, side in zip(sizes[2:], (height, width), strict=True))]
    default = "asymmetric" if walk.opset < 11 else "half_pixel"
    how = (node.about.get("coordinate_transformation_mode", default),
           node.about.get("nearest_mode", "floor" if walk.opset < 11 else "round_prefer_floor"))  # fmt: skip
    if node.about.get("mode", "nearest") != "nearest" or how not in NEAREST or list(factors) != [1, 1, 2, 2]:
        raise NurieError("does something else than doubling each pixel (mode nearest, scales 1, 1, 2, 2)")
    return walk.b.upsample(x)


def depth_to_space(walk: Walk, node: Node) -> Value:
    if node.about.get("mode", "DCR") != "CRD":
        raise NurieError("has mode DCR, and Nurie has CRD")
    return walk.b.shuffle(walk.read(node.inputs[0]), int(node.about.get("blocksize", 0)))


def arithmetic(walk: Walk, node: Node) -> Value:
    """A sum of two values, or a change of all channels by constants, which is a convolution of 1x1 pixels."""
    if node.kind == "Add" and not any(name in walk.constants for name in node.inputs):
        return walk.b.add(walk.read(node.inputs[0]), walk.read(node.inputs[1]))
    found = linear_of(node, walk.constants)
    if found is None:
        raise NurieError("is no sum of two tensors, nor a change of one by constants")
    name, factor, term = found
    x = walk.read(name)
    channels = walk.shape(x)[0]
    if not all(each.size == 1 or each.shape[-3:] == (channels, 1, 1) for each in (factor, term)):
        raise NurieError("changes something else than whole channels")
    weight, bias = (np.broadcast_to(each.reshape(-1), channels) for each in (factor, term))
    return walk.b.conv(x, weight.reshape(-1, 1, 1, 1), bias, depthwise=True)


def linear_of(node: Node, constants: dict[str, np.ndarray]) -> tuple[str, np.ndarray, np.ndarray] | None:
    """Of a node that computes factor * x + term: the name of x, factor and term, float64."""
    if node.kind not in ("Add", "Sub", "Mul", "Div") or len(node.inputs) != 2:
        return None
    a, b = node.inputs
    swapped = a in constants
    if swapped == (b in constants) or (swapped and node.kind == "Div"):
        return None
    name, c = (b, constants[a]) if swapped else (a, constants[b])
    c, one, zero = c.astype(np.float64), np.ones(1), np.zeros(1)
    with np.errstate(all="ignore"):
        match node.kind:
            case "Add":
                factor, term = one, c
            case "Sub":
                factor, term = (-one, c) if swapped else (one, np.asarray(-c))
            case "Mul":
                factor, term = c, zero
            case _:
                factor, term = np.asarray(1 / c), zero
    return (name, factor, term) if np.isfinite(factor).all() and np.isfinite(term).all() else None


def through(walk: Walk, node: Node) -> Value | Padded:
    return walk.values[node.inputs[0]] if node.inputs[0] in walk.values else walk.read(node.inputs[0])


LAYERS: dict[str, Callable[[Walk, Node], Value | Padded]] = {
    "Add": arithmetic,
    "BatchNormalization": batch_norm,
    "Concat": concat,
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "DepthToSpace": depth_to_space,
    "Div": arithmetic,
    "Dropout": through,
    "Identity": through,
    "InstanceNormalization": instance_norm,
    "LeakyRelu": lambda walk, node: walk.b.leaky_relu(walk.read(node.inputs[0]), node.about.get("alpha", 0.01)),
    "Mul": arithmetic,
    "Pad": pad,
    "Relu": lambda walk, node: walk.b.relu(walk.read(node.inputs[0])),
    "Resize": resize,
    "Sigmoid": lambda walk, node: walk.b.sigmoid(walk.read(node.inputs[0])),
    "Sub": arithmetic,
    "Tanh": lambda walk, node: walk.b.tanh(walk.read(node.inputs[0])),
    "Upsample": resize,
}
