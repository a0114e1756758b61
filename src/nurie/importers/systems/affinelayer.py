"""The U-Net of pix2pix-tensorflow, https://github.com/affinelayer/pix2pix-tensorflow, by its names of any time."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nurie.errors import NurieError
from nurie.importers.builder import DRAWING, Builder, Imported, Value, from_tensorflow
from nurie.importers.frame import Contents, System

EPSILON = 1e-5
DROPPED = 3  # levels above the bottleneck with dropout
WHY = "pix2pix-tensorflow normalises by the picture's own statistics; the running ones in its files were never updated."
DROPOUT = "pix2pix-tensorflow leaves dropout on in its tests, so that its pictures differ a little; here it is off."
ENCODER = "generator/encoder_{}/"
DECODER = "generator/decoder_{}/"
KERNELS = {  # of a level's convolution, down and up
    "": ("conv2d/kernel", "conv2d_transpose/kernel"),
    " with the names of 2017-04": ("conv/filter", "deconv/filter"),
    " with separable convolutions": ("separable_conv2d/depthwise_kernel", "separable_conv2d/depthwise_kernel"),
}
BIASES = ("conv2d/bias", "conv2d_transpose/bias", "separable_conv2d/bias")  # none in 2017-04
SCALES = ("batch_normalization/gamma", "batchnorm/scale")
SHIFTS = ("batch_normalization/beta", "batchnorm/offset")
Arrays = Mapping  # of str to np.ndarray; see Contents


def recognise(contents: Contents) -> str:
    arrays = contents.arrays
    for kind, (down, up) in KERNELS.items():
        if levels := levels_of(arrays, down):
            whole = all(DECODER.format(level) + up in arrays for level in range(1, levels + 1))
            return f"a U-Net of {levels} levels{kind}" if whole else f"part of a U-Net{kind}"
    return ""


def levels_of(arrays: Arrays, down: str) -> int:
    level = 0
    while ENCODER.format(level + 1) + down in arrays:
        level += 1
    return level


def build(contents: Contents) -> Imported:
    arrays = contents.arrays
    levels = max(levels_of(arrays, down) for down, _ in KERNELS.values())
    b = Builder(channels_of(arrays))
    x, skips = DRAWING, []
    for level in range(1, levels + 1):
        scope = ENCODER.format(level)
        x = normed(b, down(b, b.leaky_relu(x) if level > 1 else x, arrays, scope), arrays, scope)
        skips.append(x)
    for level in range(levels, 0, -1):
        scope = DECODER.format(level)
        x = x if level == levels else b.concat(x, skips[level - 1])
        x = normed(b, up(b, b.relu(x), arrays, scope), arrays, scope)
        if level > 1 and levels - level < DROPPED:
            x = b.dropout(x)
    b.tanh(x)
    about: dict[str, Any] = {"reads": "lightness"} if b.channels == 1 and b.shape(x, 2**levels)[0] == 2 else {}
    return b.finish(readings=("picture",), why=WHY, notes=(DROPOUT,), system=AFFINELAYER.name, **about)


def channels_of(arrays: Arrays) -> int:
    kernel = one_of(arrays, ENCODER.format(1), *(down for down, _ in KERNELS.values()))
    return kernel.shape[2] if kernel.ndim == 4 else 0


def down(b: Builder, x: Value, arrays: Arrays, scope: str) -> Value:
    """Half the size."""
    if is_separable(arrays, scope):
        return separable(b, b.conv(x, depthwise(arrays, scope), stride=2, pad=1, depthwise=True), arrays, scope)
    kernel = from_tensorflow(one_of(arrays, scope, "conv2d/kernel", "conv/filter"))
    return b.conv(x, kernel, bias_of(arrays, scope), stride=2, pad=1)


def up(b: Builder, x: Value, arrays: Arrays, scope: str) -> Value:
    """Twice the size."""
    if is_separable(arrays, scope):
        x = b.conv(b.upsample(x), depthwise(arrays, scope), pad=(1, 2), depthwise=True)
        return separable(b, x, arrays, scope)
    kernel = from_tensorflow(one_of(arrays, scope, "conv2d_transpose/kernel", "deconv/filter"))
    return b.conv_transpose(x, kernel, bias_of(arrays, scope), crop=1)


def is_separable(arrays: Arrays, scope: str) -> bool:
    return f"{scope}separable_conv2d/depthwise_kernel" in arrays


def depthwise(arrays: Arrays, scope: str) -> np.ndarray:
    """(4, 4, channels, 1) -> (channels, 1, 4, 4)"""
    return from_tensorflow(one_of(arrays, scope, "separable_conv2d/depthwise_kernel")).swapaxes(0, 1)


def separable(b: Builder, x: Value, arrays: Arrays, scope: str) -> Value:
    kernel = from_tensorflow(one_of(arrays, scope, "separable_conv2d/pointwise_kernel"))
    return b.conv(x, kernel, bias_of(arrays, scope))


def normed(b: Builder, x: Value, arrays: Arrays, scope: str) -> Value:
    """None in the first level and the last."""
    if not any(scope + name in arrays for name in SCALES):
        return x
    scale, shift = one_of(arrays, scope, *SCALES), one_of(arrays, scope, *SHIFTS)
    return b.norm(x, scale.size, EPSILON, scale=scale, shift=shift)


def bias_of(arrays: Arrays, scope: str) -> np.ndarray | None:
    return next((arrays[scope + name] for name in BIASES if scope + name in arrays), None)


def one_of(arrays: Arrays, scope: str, *names: str) -> np.ndarray:
    """Raises NurieError where it is missing."""
    for name in names:
        if scope + name in arrays:
            return arrays[scope + name]
    raise NurieError(f"it has no {scope}{names[0]}.")


AFFINELAYER = System(
    name="pix2pix-tensorflow",
    files="`model-N.index` with `model-N.data-00000-of-00001`; `.pict` or `.bin`",
    reads="U-Net of any width and depth, of 2017-04 and since, `--separable_conv`, `--lab_colorization`",
    checked="TensorFlow 1.4.1",
    recognise=recognise,
    build=build,
)
