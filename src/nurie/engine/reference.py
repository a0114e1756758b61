"""A slow, obvious interpreter of the plan in NumPy: what the engine must compute. Used by the tests only.

Tensors are float64 (h, w, channels); no borders, no packing, nothing reused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nurie.engine.plan import ACTIVATIONS, CHANNEL, CLASSES, FILL, FIXED_ROW, LAB, RGBA, Op, Plan
from nurie.engine.reference_fill import filled, filled_classes, spread
from nurie.engine.reference_lab import from_lab, lightness
from nurie.engine.reference_noise import hash_of

Array = np.ndarray

INK = 192  # for `enclosed`, a pixel is of a line where one of its channels is below
BRUSHES = (1, 3, 6)  # places to each side of a brush's middle


@dataclass(frozen=True)
class Given:
    """What operations read beside tensors."""

    weights: bytes
    drawing: Array  # uint8 (h, w, 3)
    seed: int
    colour: Sequence[float]


def run_reference(
    plan: Plan, weights: bytes, rgba: Array, seed: int = 0, colour: Sequence[float] = (0, 0, 0)
) -> tuple[Array, list[Array]]:
    """uint8 (h, w, 3 or 4) -> the picture, uint8 (h, w, 3), and every tensor as it was written."""
    given = Given(weights, rgba[:, :, :3], seed, colour)
    sizes = plan.sizes(*rgba.shape[:2])
    tensors = [np.zeros((*size, channels)) for size, channels in zip(sizes, plan.tensors, strict=True)]
    picture = np.zeros((0, 0, 3), np.uint8)
    for op in plan.ops:
        x = tensors[op.input][:, :, op.input_channel : op.input_channel + op.channels_read]
        y = OPERATIONS[op.op](op, x, given)
        if op.op == "output":
            picture = y
            continue
        if op.residual != -1:
            y = y + tensors[op.residual][:, :, op.residual_channel : op.residual_channel + y.shape[2]]
        end = op.output_channel + y.shape[2]
        tensors[op.output][:, :, op.output_channel : end] = ACTIVATED[ACTIVATIONS[op.activation]](y, op)
    return picture, tensors


def shown(op: Op, x: Array, given: Given) -> Array:
    """uint8 (h, w, 3)"""
    if op.mode == CLASSES:
        palette = read_palette(given.weights, op.weight, op.in_channels)
        return filled_classes(given.drawing, x.astype(np.float32), palette, given.seed)
    if op.mode == LAB:
        picture = to_bytes(from_lab(np.dstack([lightness(given.drawing), 110 * x])), unit=True)
    elif op.mode == RGBA:
        picture = to_bytes(on_white(x if op.scale == 1 else (x + 1) / 2), unit=True)
    else:
        picture = to_bytes(x, unit=op.scale == 1)
    return filled(given.drawing, picture) if op.activation == FILL else picture


def convolved(op: Op, x: Array, given: Given) -> Array:
    """Convolution, bias and pixel shuffle."""
    weights = read_weights(op, given.weights)  # (out, kernel y, kernel x, in)
    if op.op == "depthwise":  # a dense convolution whose other weights are zero
        weights = weights * np.eye(op.in_channels)[:, None, None, :]
    y = conv_transpose2d(x, weights) if op.op == "conv_transpose" else conv2d(padded(op, x), weights, op.stride)
    return shuffled(y + read_floats(given.weights, op.bias, op.out_channels), op.shuffle)


def read(op: Op, _: Array, given: Given) -> Array:
    """The drawing as numbers."""
    if op.mode == LAB:
        return lightness(given.drawing) / 50 - 1
    return unshuffled(from_bytes(given.drawing, unit=op.scale == 1), op.shuffle)


def normalised(op: Op, x: Array, given: Given) -> Array:
    """By the mean and the biased variance of this picture; or only scaled and shifted."""
    scale = np.ones(op.out_channels) if op.scale == -1 else read_floats(given.weights, op.scale, op.out_channels)
    shift = read_floats(given.weights, op.bias, op.out_channels)
    if op.statistics != CHANNEL:  # of rows
        scale, shift = scale[:, None, None], shift[:, None, None]
    if op.statistics == FIXED_ROW:
        return scale * x + shift
    over = (0, 1) if op.statistics == CHANNEL else (1, 2)
    deviation = x - x.mean(over, keepdims=True)
    square = x.var(over, keepdims=True) + op.epsilon
    return scale * deviation / np.sqrt(np.where(square > 0, square, 1)) + shift


def labelled(op: Op, _: Array, given: Given) -> Array:
    """One channel for each colour of the palette, 1 in that of the nearest, the first of equals."""
    palette = read_palette(given.weights, op.weight, op.out_channels)
    distances = ((given.drawing[:, :, None].astype(int) - palette) ** 2).sum(3)
    return np.eye(op.out_channels)[distances.argmin(2)]


# The operation, the slice that it reads (h, w, channels), and what it reads beside -> what it writes.
OPERATIONS: dict[str, Callable[[Op, Array, Given], Array]] = {
    "input": read,
    "conv": convolved,
    "conv_transpose": convolved,
    "copy": lambda op, x, _: x.repeat(op.shuffle, axis=0).repeat(op.shuffle, axis=1),
    "output": shown,
    "depthwise": convolved,
    "style": lambda _, x, given: styled(x.shape[0], x.shape[1], given.seed, given.colour),
    "enclosed": lambda op, _, given: how_enclosed(given.drawing, op.shuffle),
    "norm": normalised,
    "labels": labelled,
}

ACTIVATED: dict[str, Callable[[Array, Op], Array]] = {
    "none": lambda x, _: x,
    "relu": lambda x, _: np.maximum(x, 0),
    "leaky_relu": lambda x, op: np.maximum(x, op.slope * x),
    "tanh": lambda x, _: np.tanh(x),
    "sigmoid": lambda x, _: (np.tanh(x / 2) + 1) / 2,
}


def from_bytes(rgb: Array, unit: bool) -> Array:
    """Bytes -> [0, 1] when `unit`, else [-1, 1]."""
    return rgb / 255.0 if unit else rgb / 127.5 - 1.0


def to_bytes(x: Array, unit: bool) -> Array:
    """The inverse of `from_bytes`: clamped, halves rounded to even."""
    return np.clip(np.rint(x * 255.0 if unit else (x + 1.0) * 127.5), 0, 255).astype(np.uint8)


def on_white(x: Array) -> Array:
    """Red, green, blue and alpha, each in [0, 1]: (h, w, 4) -> (h, w, 3)."""
    x = np.clip(x, 0, 1)
    return x[:, :, :3] * x[:, :, 3:] + 1 - x[:, :, 3:]


def styled(height: int, width: int, seed: int, colour: Sequence[float]) -> Array:
    """(h, w, 4): noise in [-1, 1) from each pixel's number, in plain integers, and the colour."""
    words = [hash_of(number, seed) for number in range(height * width)]
    noise = [(word - 2**32 * (word >= 2**31)) / 2**31 for word in words]
    planes = [np.array(noise, np.float32).reshape(height, width), *(np.full((height, width), c) for c in colour)]
    return np.stack(planes, axis=2)


def how_enclosed(drawing: Array, factor: int) -> Array:
    """(h / factor, w / factor, 1): the share of three brushes that can not paint a place, coming from the border."""
    h, w = (side // factor for side in drawing.shape[:2])
    lines = np.asarray((drawing.reshape(h, factor, w, factor, 3) < INK).any(axis=(1, 3, 4)))
    kept_out = []
    for side in BRUSHES:
        free = ~widened(lines, side)
        reached = free.copy()
        reached[1:-1, 1:-1] = False
        while (grown := spread(reached) & free).sum() > reached.sum():
            reached = grown
        kept_out.append(~widened(reached, side))
    return np.mean(kept_out, axis=0)[:, :, None]


def widened(mask: Array, side: int) -> Array:
    """By `side` pixels all around, corners too: bool (h, w)."""
    width = 2 * side + 1
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(mask, side), (width, width))
    return np.asarray(windows.any((2, 3)))


def unshuffled(x: Array, factor: int) -> Array:
    """torch.nn.PixelUnshuffle: (h, w, c) -> (h/f, w/f, c f f)."""
    h, w, c = x.shape
    return (
        x.reshape(h // factor, factor, w // factor, factor, c)
        .transpose(0, 2, 4, 1, 3)
        .reshape(h // factor, w // factor, c * factor**2)
    )


def shuffled(x: Array, factor: int) -> Array:
    """torch.nn.PixelShuffle: (h, w, c f f) -> (h f, w f, c)."""
    h, w, c = x.shape
    parts = x.reshape(h, w, c // factor**2, factor, factor)
    return parts.transpose(0, 3, 1, 4, 2).reshape(h * factor, w * factor, c // factor**2)


def read_palette(data: bytes, offset: int, colours: int) -> Array:
    """uint8 (colours, 3)"""
    return np.frombuffer(data, np.uint8, 3 * colours, offset).reshape(-1, 3)


def read_floats(data: bytes, offset: int, count: int) -> Array:
    """float32 numbers of the weights file; zeros when the offset is -1."""
    return np.zeros(count) if offset == -1 else np.frombuffer(data, "<f4", count, offset).astype(np.float64)


def read_weights(op: Op, data: bytes) -> Array:
    """(out, kernel y, kernel x, in); depthwise (out, kernel y, kernel x, 1)"""
    shape = (op.out_channels, op.kernel, op.kernel, op.weight_depth)
    if op.scale == -1:
        return read_floats(data, op.weight, int(np.prod(shape))).reshape(shape)
    codes = np.frombuffer(data, np.int8, int(np.prod(shape)), op.weight).reshape(shape).astype(np.float64)
    values = codes * (1 + op.compand * (codes / 127) ** 2)
    return values * read_floats(data, op.scale, op.out_channels)[:, None, None, None]


def padded(op: Op, x: Array) -> Array:
    """With zeros, or mirrored as torch.nn.ReflectionPad2d."""
    before, after = op.pad, op.pad if op.pad_end == -1 else op.pad_end
    return np.pad(x, ((before, after), (before, after), (0, 0)), mode="reflect" if op.reflect else "constant")


def conv2d(x: Array, weights: Array, stride: int) -> Array:
    """torch.nn.Conv2d without padding: (h, w, in), (out, ky, kx, in) -> (h', w', out)."""
    kernel = weights.shape[1]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(0, 1))[::stride, ::stride]
    return np.einsum("hwikl,okli->hwo", windows, weights, optimize=True)


def conv_transpose2d(x: Array, weights: Array) -> Array:
    """torch.nn.ConvTranspose2d with kernel 4, stride 2, padding 1: each pixel adds its 4x4 stamp to the result."""
    h, w, _ = x.shape
    full = np.zeros((2 * h + 2, 2 * w + 2, weights.shape[0]))
    stamps = np.einsum("hwi,okli->hwklo", x, weights, optimize=True)
    for ky in range(4):
        for kx in range(4):
            full[ky : ky + 2 * h : 2, kx : kx + 2 * w : 2] += stamps[:, :, ky, kx]
    return full[1:-1, 1:-1]
