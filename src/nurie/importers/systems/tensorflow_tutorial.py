"""The U-Net of TensorFlow's pix2pix tutorial, https://www.tensorflow.org/tutorials/generative/pix2pix."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nurie.errors import NurieError
from nurie.importers.builder import DRAWING, Builder, Imported, Value, from_tensorflow

NAME = "the TensorFlow.org pix2pix tutorial"
EPSILON = 1e-3
SLOPE = 0.3
WHY = "The tutorial predicts with training=True: its pictures are by the statistics of the picture."
DROPOUT = "The tutorial predicts with dropout, so that its pictures differ a little each time; here it is off."


@dataclass(frozen=True)
class Block:
    """A kernel, (4, 4, in, out) or transposed (4, 4, out, in), and the normalisation after it, if it has one: all
    four, or without running statistics."""

    kernel: np.ndarray
    gamma: np.ndarray | None = None
    beta: np.ndarray | None = None
    mean: np.ndarray | None = None
    variance: np.ndarray | None = None


def tutorial_generator(blocks: Sequence[Block], bias: np.ndarray) -> Imported:
    """blocks: from the drawing to the picture, as many down as up. bias: of the last. Raises NurieError."""
    levels, odd = divmod(len(blocks), 2)
    if odd or levels < 2:
        raise NurieError(f"Expected as many layers down as up, but it has {len(blocks)} kernels.")
    first = blocks[0].kernel
    b = Builder(first.shape[2] if first.ndim == 4 else 0)
    x, skips = DRAWING, []
    for block in blocks[:levels]:
        x = b.leaky_relu(normed(b, b.conv(x, kernel_of(block), stride=2, pad=1), block), SLOPE)
        skips.append(x)
    for level, block in enumerate(blocks[levels:-1], 1):
        x = normed(b, b.conv_transpose(x, kernel_of(block), crop=1), block)
        if level <= 3:
            x = b.dropout(x)
        x = b.concat(b.relu(x), skips[-1 - level])
    b.tanh(b.conv_transpose(x, kernel_of(blocks[-1]), bias, crop=1))
    statistics = all(block.mean is not None for block in blocks if block.gamma is not None)
    readings = ("picture", "fixed") if statistics else ("picture",)
    return b.finish(readings=readings, why=WHY, notes=(DROPOUT,), system=NAME)


def kernel_of(block: Block) -> np.ndarray:
    if block.kernel.shape[:2] != (4, 4):
        raise NurieError(f"Expected kernels of 4x4 pixels, but the shape of one is {block.kernel.shape}.")
    return from_tensorflow(block.kernel)


def normed(b: Builder, x: Value, block: Block) -> Value:
    if block.gamma is None:
        return x
    return b.norm(x, block.gamma.size, EPSILON, scale=block.gamma, shift=block.beta, mean=block.mean,
                  variance=block.variance)  # fmt: skip
