"""Plans with random weights, to measure the engine before a model is trained."""

import math

import numpy as np

from nurie.plan import Op, Plan, make_plan

RELU, TANH = 1, 3


class Builder:
    """Collects operations and float weights."""

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
        """Append to the weights file. Returns the offset."""
        at = self.size
        part = np.ascontiguousarray(values).tobytes()
        self.parts.append(part + bytes(-len(part) % 4))
        self.size += len(self.parts[-1])
        return at

    def conv(self, source: int, inputs: int, outputs: int, kernel: int = 3, output: int = -1, **fields: int) -> int:
        """Conv2d with `outputs` channels after the pixel shuffle and He initialisation. Returns the tensor."""
        made = outputs * fields.get("shuffle", 1) ** 2
        weights = self.rng.normal(0, math.sqrt(2 / (inputs * kernel**2)), (made, kernel, kernel, inputs))
        output = self.tensor(outputs) if output == -1 else output
        self.ops.append(
            Op(
                "conv",
                input=source,
                output=output,
                in_channels=inputs,
                out_channels=made,
                kernel=kernel,
                pad=kernel // 2,
                weight=self.data(weights.astype("<f4")),
                bias=self.data(self.rng.normal(0, 0.1, made).astype("<f4")),
                **fields,
            )
        )
        return output

    def image(self, shuffle: int) -> int:
        out = self.tensor(3 * shuffle**2)
        self.ops.append(Op("input", output=out, shuffle=shuffle))
        return out

    def finish(self, source: int) -> tuple[Plan, bytes]:
        self.ops.append(Op("output", input=source))
        return make_plan(self.tensors, self.ops), b"".join(self.parts)


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
    down, up = [24, 48, 96, 128, 128], [128, 96, 48, 24]
    b = Builder()
    x, inputs = b.image(1), 3
    joined = []  # what comes from below, then the skip
    for i, channels in enumerate(down):
        below = up[3 - i] if i < 4 else 0
        joined.append(b.tensor(below + channels))
        b.conv(x, inputs, channels, stride=2, activation=RELU, output=joined[i], output_channel=below, input_channel=0
               if i == 0 else up[4 - i] )
        x, inputs = joined[i], channels
    for i, channels in zip((3, 2, 1, 0), up, strict=True):
        b.conv(x, inputs, channels, 1, shuffle=2, activation=RELU, output=joined[i])
        x, inputs = b.conv(joined[i], channels + down[i], channels, activation=RELU), channels
        if i == 3:
            for _ in range(2):
                y = b.conv(x, channels, channels, activation=RELU)
                x = b.conv(y, channels, channels, activation=RELU, residual=x)
    return b.finish(b.conv(x, inputs, 3, shuffle=2, activation=TANH))


NETS = {"fast": fast, "dense": dense}
