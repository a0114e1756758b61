"""Made-up plans with random weights, and random drawings, for tests and for bench/."""

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from nurie.convert.quantise import nearest
from nurie.engine.plan import CLASSES, FILL, LEAKY_RELU, RELU, TANH, Op, Plan, make_plan

Model = tuple[Plan, bytes]
PALETTE = ("#ffffff", "#000000", "#dc2828", "#2850c8", "#3ca050", "#fadc3c", "#f08cb4")  # of `small_classes`


class Builder:
    """Collects operations and their weights; every method that computes a tensor returns its index."""

    def __init__(self, seed: int = 0) -> None:
        self.tensors: list[int] = []
        self.ops: list[Op] = []
        self.parts: list[bytes] = []
        self.size = 0
        self.rng = np.random.default_rng(seed)

    def tensor(self, channels: int) -> int:
        self.tensors.append(channels)
        return len(self.tensors) - 1

    def data(self, values: np.ndarray) -> int:
        """Append to the weights file, padded to 4 bytes. Returns the offset."""
        at = self.size
        part = np.ascontiguousarray(values).tobytes()
        self.parts.append(part + bytes(-len(part) % 4))
        self.size += len(self.parts[-1])
        return at

    def weights(self, shape: tuple[int, int, int, int], quantised: bool) -> dict[str, Any]:
        """Random weights (out, kernel y, kernel x, in) and biases, with He initialisation: the op's fields."""
        values = self.rng.normal(0, math.sqrt(2 / math.prod(shape[1:])), shape)
        fields = {"bias": self.data(self.rng.normal(0, 0.1, shape[0]).astype("<f4"))}
        if not quantised:
            return fields | {"weight": self.data(values.astype("<f4"))}
        compand = (0.0, 0.5, 3.0)[len(self.ops) % 3]
        scale = np.abs(values).max(axis=(1, 2, 3)) / (127 * (1 + compand))
        codes = nearest(values / scale[:, None, None, None], compand).astype(np.int8)
        return fields | {"compand": compand, "scale": self.data(scale.astype("<f4")), "weight": self.data(codes)}

    def image(self, shuffle: int = 1, **fields: int) -> int:
        out = self.tensor(3 * shuffle**2)
        self.ops.append(Op("input", output=out, shuffle=shuffle, **fields))
        return out

    def conv(
        self, source: int, inputs: int, outputs: int, kernel: int = 3, quantised: bool = False, **fields: Any
    ) -> int:
        """Conv2d with `outputs` channels after the pixel shuffle; keeps the size unless `pad` or `stride` say else."""
        output = fields.pop("output", None)
        output = self.tensor(outputs) if output is None else output
        made = outputs * fields.get("shuffle", 1) ** 2
        fields = {"pad": kernel // 2, "in_channels": inputs, "out_channels": made, "kernel": kernel} | fields
        fields |= self.weights((made, kernel, kernel, inputs), quantised)
        self.ops.append(Op("conv", input=source, output=output, **fields))
        return output

    def depthwise(self, source: int, channels: int, kernel: int = 3, quantised: bool = False, **fields: Any) -> int:
        output = fields.pop("output", None)
        output = self.tensor(channels) if output is None else output
        fields = {"pad": kernel // 2, "in_channels": channels, "out_channels": channels, "kernel": kernel} | fields
        fields |= self.weights((channels, kernel, kernel, 1), quantised)
        self.ops.append(Op("depthwise", input=source, output=output, **fields))
        return output

    def conv_transpose(self, source: int, inputs: int, outputs: int, quantised: bool = False, **fields: Any) -> int:
        output = fields.pop("output", None)
        output = self.tensor(outputs) if output is None else output
        fields |= {"in_channels": inputs, "out_channels": outputs, "kernel": 4, "stride": 2, "pad": 1}
        fields |= self.weights((outputs, 4, 4, inputs), quantised)
        self.ops.append(Op("conv_transpose", input=source, output=output, **fields))
        return output

    def copy(self, source: int, channels: int, **fields: Any) -> int:
        output = fields.pop("output", None)
        output = self.tensor(channels) if output is None else output
        self.ops.append(Op("copy", input=source, output=output, in_channels=channels, **fields))
        return output

    def norm(self, source: int, channels: int, rows: int = 0, **fields: Any) -> int:
        """Normalisation of each channel, or of so many rows, with random scales and shifts."""
        count = rows or channels
        numbers = self.rng.uniform(0.5, 2, count).astype("<f4"), self.rng.normal(0, 1, count).astype("<f4")
        scale, shift = map(self.data, numbers)
        output = self.tensor(channels)
        given = {"in_channels": channels, "out_channels": count, "scale": scale, "bias": shift, "epsilon": 1e-5}
        self.ops.append(Op("norm", input=source, output=output, **given | fields))
        return output

    def style(self, like: int, **fields: int) -> int:
        """Noise and a colour, 4 channels of the size of tensor `like`."""
        output = fields.pop("output", None)
        output = self.tensor(4) if output is None else output
        self.ops.append(Op("style", input=like, output=output, **fields))
        return output

    def enclosed(self, **fields: int) -> int:
        """How enclosed the drawing's places are, 1 channel."""
        output = fields.pop("output", None)
        output = self.tensor(1) if output is None else output
        self.ops.append(Op("enclosed", output=output, **fields))
        return output

    def finish(self, source: int, **fields: int) -> tuple[Plan, bytes]:
        """Add the output operation. Returns the checked plan and the weights file."""
        self.ops.append(Op("output", input=source, **fields))
        return make_plan(self.tensors, self.ops), b"".join(self.parts)


def small_unet(seed: int = 0, quantised: bool = True) -> tuple[Plan, bytes]:
    """Everything at once in a net of 0.2 MMAC at 24x20: strides, a concatenation, residuals, both ways up, copies."""
    b = Builder(seed)
    image = b.image(2)
    joined = b.tensor(12 + 16)
    b.conv(image, 12, 16, activation=LEAKY_RELU, quantised=quantised, output=joined, output_channel=12)
    down = b.conv(joined, 16, 20, stride=2, activation=RELU, quantised=quantised, input_channel=12)
    inner = b.conv(down, 20, 20, activation=RELU, quantised=quantised)
    same = b.conv(inner, 20, 20, residual=down, quantised=quantised)
    b.conv_transpose(same, 20, 8, activation=RELU, quantised=quantised, output=joined)
    b.copy(same, 4, shuffle=2, activation=TANH, output=joined, output_channel=8, input_channel=16)
    mixed = b.conv(joined, 28, 9, kernel=5, activation=RELU, quantised=quantised)
    up = b.conv(mixed, 9, 8, kernel=1, shuffle=2, activation=RELU, quantised=quantised)
    return b.finish(b.conv(up, 8, 3, kernel=7, activation=TANH, quantised=quantised))


def classic_unet(width: int = 8, depth: int = 7, quantised: bool = True) -> tuple[Plan, bytes]:
    """A U-Net of 4x4 convolutions with stride 2 (Isola et al. 2017): its layers are computed in all ways there are."""
    b = Builder(7)
    channels = [width * min(2**i, 8) for i in range(depth)]
    joined = [b.tensor(2 * c) for c in channels[:-1]]  # from below, then the skip
    x, inputs, first = b.image(), 3, 0
    for i, c in enumerate(channels):
        place: dict[str, Any] = {"output": joined[i], "output_channel": c} if i < depth - 1 else {}
        fields = {"stride": 2, "pad": 1, "input_channel": first, "activation": LEAKY_RELU} | place
        x, inputs, first = b.conv(x, inputs, c, 4, quantised, **fields), c, c
    for i in range(depth - 2, -1, -1):
        b.conv_transpose(x, inputs, channels[i], quantised, output=joined[i], activation=RELU)
        x, inputs = joined[i], 2 * channels[i]
    return b.finish(b.conv_transpose(x, inputs, 3, quantised, activation=TANH))


def random_plan(seed: int) -> tuple[Plan, bytes]:
    """A plan of 2 to 8 random operations. Sizes that do not fit it are the caller's problem."""
    b = Builder(seed)
    rng = b.rng
    level = {}  # tensor -> size relative to the image, as a power of two
    image = b.image(int(rng.integers(1, 3)), scale=int(rng.choice([-1, 1])))
    level[image] = -1 if b.tensors[image] == 12 else 0
    if rng.random() < 0.3:
        level[b.enclosed(shuffle=1 - level[image])] = level[image]
    for _ in range(int(rng.integers(2, 9))):
        add_random_op(b, level)
    last = max(level)
    return b.finish(b.conv(last, b.tensors[last], 3, kernel=int(rng.choice([1, 3])), activation=TANH))


def add_random_op(b: Builder, level: dict[int, int]) -> None:
    """One operation on a random tensor or on a slice of it, its result sometimes inside a larger tensor."""
    rng = b.rng
    source = int(rng.choice(list(level)))
    first = 4 * int(rng.integers(0, (b.tensors[source] + 3) // 4))
    inputs = int(rng.integers(1, b.tensors[source] - first + 1))
    outputs = int(rng.integers(1, 25))
    fields: dict[str, Any] = {"input_channel": first, "activation": int(rng.integers(0, 4))}
    kind = rng.choice(["conv", "conv", "conv", "down", "up", "transpose", "depthwise", "copy"])
    step = {"down": -1, "up": 1, "transpose": 1}.get(str(kind), 0)
    if not -3 <= level[source] + step <= 0:
        kind, step = "conv", 0
    shuffle = 2 if kind == "up" else 1
    if kind in ("copy", "depthwise"):
        outputs = inputs
    same = [t for t in level if level[t] == level[source] + step and b.tensors[t] >= outputs and t != source]
    if kind in ("conv", "up", "depthwise") and same and rng.random() < 0.5:
        fields["residual"] = int(rng.choice(same))
    if rng.random() < 0.3:  # into the middle of a tensor; the rest of it is filled by a copy of the image
        fields |= {"output": b.tensor(4 + outputs), "output_channel": 4}
    quantised = bool(rng.random() < 0.5)
    if kind == "copy":
        out = b.copy(source, inputs, **fields)
    elif kind == "depthwise":
        out = b.depthwise(source, inputs, int(rng.choice([1, 3, 5])), quantised, **fields)
    elif kind == "transpose":
        out = b.conv_transpose(source, inputs, outputs, quantised=quantised, **fields)
    elif kind == "down":
        kernel = int(rng.choice([3, 4]))
        out = b.conv(source, inputs, outputs, kernel, quantised, stride=2, **fields | {"pad": 1})
    else:
        kernel = int(rng.choice([1, 3, 3, 5, 7]))
        out = b.conv(source, inputs, outputs, kernel, quantised, shuffle=shuffle, **fields)
    if "output" in fields:
        b.conv(source, b.tensors[source], 4, kernel=1, output=out, **size_step(step))
    level[out] = level[source] + step


def size_step(step: int) -> dict[str, Any]:
    return {-1: {"stride": 2}, 0: {}, 1: {"shuffle": 2}}[step]


def small_enclosed(factor: int = 2) -> tuple[Plan, bytes]:
    """The drawing beside how enclosed its places are, one convolution to the picture."""
    b = Builder(4)
    channels = 3 * factor**2 + -(3 * factor**2) % 4
    joined = b.tensor(channels + 1)
    b.ops.append(Op("input", output=joined, shuffle=factor))
    b.enclosed(output=joined, output_channel=channels, shuffle=factor)
    return b.finish(b.conv(joined, channels + 1, 3, shuffle=factor, activation=TANH))


def small_styled() -> tuple[Plan, bytes]:
    """The drawing beside a style, one convolution to the picture."""
    b = Builder(3)
    joined = b.tensor(16)
    b.ops.append(Op("input", output=joined, shuffle=2))
    b.style(joined, output=joined, output_channel=12)
    return b.finish(b.conv(joined, 16, 3, shuffle=2, activation=TANH))


def small_classes() -> tuple[Plan, bytes]:
    """Red, else blue, green, yellow or pink, on white paper: classes that hardly follow from the drawing."""
    b = Builder(5)
    logits = b.conv(b.image(4), 48, len(PALETTE), kernel=1)
    likely = np.array([2, -9, 1.5, 1, 1, 1, 1], "<f4")
    b.parts = [likely.tobytes(), bytes(4 * 48 * len(PALETTE))]
    colours = {"in_channels": len(PALETTE), "weight": b.data(rgb_of(PALETTE))}
    return b.finish(logits, mode=CLASSES, activation=FILL, shuffle=4, **colours)


def rgb_of(palette: Sequence[str]) -> np.ndarray:
    """uint8 (colours, 3)"""
    return np.array([list(bytes.fromhex(colour[1:])) for colour in palette], np.uint8)


def drawing(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Random RGBA, uint8 (height, width, 4)."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)


def scribble(height: int, width: int, seed: int) -> np.ndarray:
    """Open and closed lines of all greys and colours, some along the border: uint8 (h, w, 3)."""
    rng = np.random.default_rng(seed)
    drawing = np.full((height, width, 3), 255, np.uint8)
    for _ in range(int(rng.integers(0, 9))):
        points = rng.integers([-2, -2], [width + 2, height + 2], (int(rng.integers(2, 7)), 2))
        colour = rng.integers(0, 256, 3) if rng.random() < 0.3 else np.repeat(rng.integers(0, 256), 3)
        closed, pen = bool(rng.random() < 0.5), int(rng.integers(1, 4))
        cv2.polylines(drawing, [points.astype(np.int32)], closed, colour.tolist(), pen, cv2.LINE_AA)
    return drawing
