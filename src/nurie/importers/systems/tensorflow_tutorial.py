"""The U-Net of TensorFlow's pix2pix tutorial, https://www.tensorflow.org/tutorials/generative/pix2pix."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nurie.errors import NurieError
from nurie.importers.builder import DRAWING, Builder, Imported, Value, from_tensorflow
from nurie.importers.containers.objects import ROOT, Objects
from nurie.importers.frame import Contents

NAME = "the TensorFlow.org pix2pix tutorial"
EPSILON = 1e-3
SLOPE = 0.3
NORM = ("gamma", "beta", "moving_mean", "moving_variance")
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


def in_checkpoint(contents: Contents) -> str:
    found = layers_of(contents)
    return "" if found is None else f"a U-Net of {len(found) // 2} levels"


def from_checkpoint(contents: Contents) -> Imported:
    found = layers_of(contents)
    if found is None:
        raise NurieError("it has no generator.")
    arrays = [{part: contents.arrays[name] for part, name in layer.items()} for layer in found]
    blocks = [Block(each["kernel"], *(each.get(part) for part in NORM)) for each in arrays]
    return tutorial_generator(blocks, arrays[-1]["bias"])


def layers_of(contents: Contents) -> list[dict[str, str]] | None:
    """The names of each layer's arrays, by what they are, of what may be the tutorial's generator.

    Keras 2 has layer_with_weights-0 and so on, Keras 3 numbers all operations.
    """
    objects = contents.attributes.get("objects")
    if not isinstance(objects, Objects):
        return None
    generator = objects.at("generator") or ROOT
    layers = [arrays_of(objects, layer) for layer in inner(objects, generator)]
    layers = [layer for layer in layers if layer]
    normed = [bool(layer.keys() & set(NORM)) for layer in layers]
    whole = len(layers) >= 4 and normed == [False, *[True] * (len(layers) - 2), False]
    known = all("kernel" in layer and set(layer.values()) <= contents.arrays.keys() for layer in layers)
    return layers if whole and known and [layer for layer in layers if "bias" in layer] == layers[-1:] else None


def inner(objects: Objects, model: int) -> list[int]:
    operations = objects.at("_operations", model) or objects.at("_functional/_operations", model)
    return objects.numbered("layer_with_weights-", model) if operations is None else objects.numbered("", operations)


def arrays_of(objects: Objects, layer: int) -> dict[str, str]:
    """Of a convolution, or of a sequence of one and its normalisation."""
    return {
        part.lstrip("_"): name
        for each in [layer, *inner(objects, layer)]
        for part in ("kernel", "_kernel", "bias", *NORM)
        if (name := objects.array(part, each))
    }
