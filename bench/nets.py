"""Plans with random weights, to measure the engine before a model is trained."""

from typing import Any

import numpy as np

from nurie.engine.plan import LEAKY_RELU, RELU, TANH, Plan
from plans import Builder


def fast(width: int = 24) -> tuple[Plan, bytes]:
    """The layers of networks.FastGenerator."""
    c = [-(-channels // 8) * 8 for channels in (width, 2 * width, 4 * width, width * 16 // 3, width * 20 // 3)]
    b = Builder()
    x = b.conv(b.image(2), 12, c[0], activation=RELU)
    skips = []
    for i in range(4):
        skips.append(x)
        x = b.conv(x, c[i], c[i + 1], stride=2, activation=RELU)

    def residual(x: int, channels: int) -> int:
        y = b.conv(x, channels, channels, activation=RELU)
        return b.conv(y, channels, channels, activation=RELU, residual=x)

    x = residual(x, c[4])
    for i in (3, 2, 1, 0):
        x = b.conv(x, c[i + 1], c[i], 1, shuffle=2, activation=RELU, residual=skips[i])
        x = b.conv(x, c[i], c[i], activation=RELU)
        if i in (2, 3):
            x = residual(x, c[i])
    return b.finish(b.conv(x, c[0], 3, shuffle=2, activation=TANH))


def dense() -> tuple[Plan, bytes]:
    """A U-Net with concatenated skips, 0.97 GMAC: strided 3x3 down, 1x1 and pixel shuffle up, 3x3 after each."""
    down, up = [24, 48, 96, 128, 128], [24, 48, 96, 128, 0]
    b = Builder()
    x, inputs, first = b.image(), 3, 0
    joined = [b.tensor(below + skip) for below, skip in zip(up, down, strict=True)]  # from below, then the skip
    for tensor, below, skip in zip(joined, up, down, strict=True):
        b.conv(x, inputs, skip, stride=2, activation=RELU, input_channel=first, output=tensor, output_channel=below)
        x, inputs, first = tensor, skip, below
    for i in (3, 2, 1, 0):
        b.conv(x, inputs, up[i], 1, shuffle=2, activation=RELU, output=joined[i])
        x, inputs = b.conv(joined[i], up[i] + down[i], up[i], activation=RELU), up[i]
        for _ in range(2 if i == 3 else 0):
            y = b.conv(x, inputs, inputs, activation=RELU)
            x = b.conv(y, inputs, inputs, activation=RELU, residual=x)
    return b.finish(b.conv(x, inputs, 3, shuffle=2, activation=TANH))


def unet256(width: int = 64) -> tuple[Plan, bytes]:
    """The layers of networks.UNetGenerator, depth 8: 6.05 GMAC, 54 M parameters in 8 bits."""
    channels = [width * min(2**i, 8) for i in range(8)]
    b = Builder()
    x, inputs, first = b.image(), 3, 0
    joined = [b.tensor(2 * c) for c in channels[:7]]  # from below, then the skip
    for i, c in enumerate(channels):
        fields = {
            "kernel": 4,
            "stride": 2,
            "pad": 1,
            "input_channel": first,
            "activation": LEAKY_RELU,
            "quantised": True,
        }
        fields |= {"output": joined[i], "output_channel": c} if i < 7 else {"activation": RELU}
        x, inputs, first = b.conv(x, inputs, c, **fields), c, c
    for i in range(6, -1, -1):
        b.conv_transpose(x, inputs, channels[i], True, output=joined[i], activation=RELU)
        x, inputs = joined[i], 2 * channels[i]
    return b.finish(b.conv_transpose(x, inputs, 3, True, activation=TANH))


def inverted() -> tuple[Plan, bytes]:
    """A U-Net of inverted residuals (Sandler et al. 2018), 0.95 GMAC: stem, three levels down, pixel shuffle up."""
    b = Builder()

    def block(x: int, inputs: int, outputs: int, expand: int, stride: int = 1) -> int:
        wide = inputs * expand
        y = b.conv(x, inputs, wide, 1, activation=RELU)
        y = b.depthwise(y, wide, stride=stride, activation=RELU)
        return b.conv(y, wide, outputs, 1, residual=x if inputs == outputs and stride == 1 else -1)

    x = block(b.conv(b.image(), 3, 24, stride=2, activation=RELU), 24, 24, 3)
    skips, inputs = [(x, 24)], 24
    for outputs, blocks in ((48, 2), (96, 2), (160, 3)):
        x = block(x, inputs, outputs, 4, stride=2)
        for _ in range(blocks - 1):
            x = block(x, outputs, outputs, 4)
        inputs = outputs
        skips.append((x, outputs))
    skips.pop()
    for skip, channels in reversed(skips):
        joined = b.tensor(2 * channels)
        b.conv(x, inputs, channels, 1, shuffle=2, activation=RELU, output=joined)
        b.copy(skip, channels, output=joined, output_channel=channels)
        x, inputs = block(joined, 2 * channels, channels, 2), channels
    x = b.depthwise(x, inputs, activation=RELU)
    return b.finish(b.conv(x, inputs, 3, 1, shuffle=2, activation=TANH))


def chainer() -> tuple[Plan, bytes]:
    """The generator of 2017 (chainer-pix2pix): 23.93 GMAC, 54 M parameters in 8 bits, 3x3 ends at full size."""
    channels = [64, 128, 256, 512, 512, 512, 512, 512]
    b = Builder()
    joined = [b.tensor(2 * c) for c in channels[:7]]  # from below, then the skip
    down: dict[str, Any] = {"kernel": 4, "stride": 2, "pad": 1, "activation": LEAKY_RELU, "quantised": True}
    b.conv(b.image(), 3, 64, activation=LEAKY_RELU, quantised=True, output=joined[0], output_channel=64)
    x, inputs = joined[0], 64
    for i, c in enumerate(channels[1:], 1):
        place: dict[str, Any] = {"output": joined[i], "output_channel": c} if i < 7 else {}
        x, inputs = b.conv(x, inputs, c, input_channel=inputs, **down, **place), c
    for i in range(6, -1, -1):
        b.conv_transpose(x, inputs, channels[i], True, output=joined[i], activation=RELU)
        x, inputs = joined[i], 2 * channels[i]
    return b.finish(b.conv(x, inputs, 3, quantised=True, activation=TANH))


def resnet_9blocks(width: int = 64) -> tuple[Plan, bytes]:
    """The layers of ResnetGenerator of pytorch-CycleGAN-and-pix2pix with zero padding: 49.55 GMAC, 11 M parameters."""
    b = Builder()
    fields: dict[str, Any] = {"activation": RELU, "quantised": True}
    x = b.conv(b.image(), 3, width, kernel=7, **fields)
    x = b.conv(x, width, 2 * width, stride=2, **fields)
    x, inputs = b.conv(x, 2 * width, 4 * width, stride=2, **fields), 4 * width
    for _ in range(9):
        y = b.conv(x, inputs, inputs, **fields)
        x = b.conv(y, inputs, inputs, quantised=True, residual=x)
    for outputs in (2 * width, width):
        x, inputs = b.conv_transpose(x, inputs, outputs, activation=RELU, quantised=True), outputs
        b.parts[-1] = three_rows_and_columns(b.parts[-1], inputs)
    return b.finish(b.conv(x, inputs, 3, kernel=7, quantised=True, activation=TANH))


def three_rows_and_columns(codes: bytes, outputs: int) -> bytes:
    """The plan's transposed 4x4 is torch's transposed 3x3 with padding and output padding 1 when the rest is zero."""
    kernels = np.frombuffer(codes, np.int8).reshape(outputs, 4, 4, -1).copy()
    kernels[:, 3] = kernels[:, :, 3] = 0
    return kernels.tobytes()


NETS = {"fast": fast, "dense": dense, "inverted": inverted, "unet256": unet256, "chainer": chainer}
NETS |= {"resnet_9blocks": resnet_9blocks}
