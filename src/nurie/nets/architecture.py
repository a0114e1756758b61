"""What a generator is made of, as data: a list of layers that another system's checkpoint needs to run.

Stored in a checkpoint's metadata (docs/formats.md), built by described.py. Value 0 is the drawing, value i what layer i
- 1 makes; the last layer makes the picture.
"""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from nurie.errors import NurieError
from nurie.files.schema import Colour, Text, one_of

MOST_LAYERS = 2048

Channels = Annotated[int, Meta(ge=1, le=16384)]
Kernel = Annotated[int, Meta(ge=1, le=7)]
Stride = Annotated[int, Meta(ge=1, le=2)]
Pixels = Annotated[int, Meta(ge=0, le=6)]
Pad = tuple[Pixels, Pixels]  # before, after: above and left, below and right
Value = Annotated[int, Meta(ge=0, le=MOST_LAYERS)]
Level = Annotated[float, Meta(ge=-65536, le=65536)]
Range = tuple[Level, Level]
Pictured = tuple[int, int, int]  # channels, height, width


class Layer(Struct, frozen=True, kw_only=True, tag_field="layer", omit_defaults=True):
    """`reads`: the values that it reads, in order."""

    reads: Annotated[tuple[Value, ...], Meta(min_length=1, max_length=8)]

    def shape(self, inputs: Sequence[Pictured]) -> Pictured:
        """Of what it makes. Raises NurieError where it can not read the inputs."""
        return inputs[0]


class Conv(Layer, frozen=True, tag="conv"):
    """Convolution; `reflect` pads by mirroring instead of zeros, `depthwise` has one group for each channel."""

    inputs: Channels
    outputs: Channels
    kernel: Kernel
    stride: Stride = 1
    pad: Pad = (0, 0)
    reflect: bool = False
    depthwise: bool = False
    bias: bool = True

    def shape(self, inputs: Sequence[Pictured]) -> Pictured:
        _, height, width = expected(self, inputs, self.inputs)
        if self.reflect and max(self.pad) >= min(height, width):
            raise NurieError(f"can not mirror {max(self.pad)} pixels of {width}x{height}")
        h, w = ((side + sum(self.pad) - self.kernel) // self.stride + 1 for side in (height, width))
        return self.outputs, h, w


class ConvTranspose(Layer, frozen=True, tag="conv_transpose"):
    """Transposed convolution, of whose result `crop` pixels are cut off: PyTorch's padding p and output padding o are
    (p, p - o)."""

    inputs: Channels
    outputs: Channels
    kernel: Kernel
    stride: Stride = 2
    crop: Pad = (0, 0)
    bias: bool = True

    def shape(self, inputs: Sequence[Pictured]) -> Pictured:
        _, height, width = expected(self, inputs, self.inputs)
        h, w = ((side - 1) * self.stride + self.kernel - sum(self.crop) for side in (height, width))
        return self.outputs, h, w


class Norm(Layer, frozen=True, tag="norm"):
    """Normalisation of each channel, or of each row of pixels: `channels` are rows then.

    `scaled`: with a scale and a shift. `statistics`: with running ones, which the reading "fixed" uses; without them,
    or in the reading "picture", it is by those of the picture itself.
    """

    channels: Channels
    epsilon: Annotated[float, Meta(ge=0, le=1)]
    scaled: bool = True
    statistics: bool = True
    rows: bool = False

    def shape(self, inputs: Sequence[Pictured]) -> Pictured:
        if self.rows and inputs[0][1] != self.channels:
            raise NurieError(f"normalises {self.channels} rows, but reads {inputs[0][1]}")
        return inputs[0] if self.rows else expected(self, inputs, self.channels)


class Activation(Layer, frozen=True, tag="activation"):
    """`slope`: of leaky_relu."""

    kind: Annotated[str, one_of("relu", "leaky_relu", "tanh", "sigmoid")]
    slope: Annotated[float, Meta(ge=0, le=1)] = 0.2


class Upsample(Layer, frozen=True, tag="upsample"):
    """Each pixel becomes 2x2 equal ones."""

    def shape(self, inputs: Sequence[Pictured]) -> Pictured:
        channels, height, width = inputs[0]
        return channels, 2 * height, 2 * width


class Shuffle(Layer, frozen=True, tag="shuffle"):
    """torch.nn.PixelShuffle"""

    factor: Annotated[int, Meta(ge=2, le=4)]

    def shape(self, inputs: Sequence[Pictured]) -> Pictured:
        channels, height, width = inputs[0]
        if channels % self.factor**2:
            raise NurieError(f"can not shuffle {channels} channels by {self.factor}")
        return channels // self.factor**2, self.factor * height, self.factor * width


class Dropout(Layer, frozen=True, tag="dropout"):
    """In training only."""

    share: Annotated[float, Meta(ge=0, lt=1)] = 0.5


class Concat(Layer, frozen=True, tag="concat"):
    """Of channels."""

    def shape(self, inputs: Sequence[Pictured]) -> Pictured:
        same_size(inputs)
        return sum(channels for channels, _, _ in inputs), *inputs[0][1:]


class Add(Layer, frozen=True, tag="add"):
    def shape(self, inputs: Sequence[Pictured]) -> Pictured:
        if len(set(inputs)) > 1:
            raise NurieError(f"adds tensors of different shapes ({', '.join(map(str, inputs))})")
        return inputs[0]


def expected(layer: Layer, inputs: Sequence[Pictured], channels: int) -> Pictured:
    if inputs[0][0] != channels:
        raise NurieError(f"takes {channels} channels, but reads {inputs[0][0]}")
    return inputs[0]


def same_size(inputs: Sequence[Pictured]) -> None:
    if len({(height, width) for _, height, width in inputs}) > 1:
        raise NurieError(f"joins tensors of different sizes ({', '.join(f'{w}x{h}' for _, h, w in inputs)})")


Layers = Conv | ConvTranspose | Norm | Activation | Upsample | Shuffle | Dropout | Concat | Add


class Architecture(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A whole generator, and how pictures are given to it and shown.

    `reads`: what its channels are of the drawing: red, green, blue; their luma; L / 50 - 1 of CIE L*a*b*; or one
    channel for each colour of the `palette`, 1 where that is the nearest and 0 elsewhere. `takes`: the numbers that the
    bytes 0 and 255 become. `gives`: what its output's channels are; "ab" has the lightness of the drawing, and a and b
    are in units of 110. `shows`: the numbers that are shown as the bytes 0 and 255, what is beyond is cut. `norm`: the
    reading of its normalisations, by fixed running statistics or by those of the picture.
    """

    layers: Annotated[tuple[Layers, ...], Meta(min_length=1, max_length=MOST_LAYERS)]
    channels: Annotated[int, Meta(ge=1, le=64)] = 3
    reads: Annotated[str, one_of("rgb", "grey", "lightness", "labels")] = "rgb"
    takes: Range = (-1, 1)
    gives: Annotated[str, one_of("rgb", "grey", "rgba", "ab")] = "rgb"
    shows: Range = (-1, 1)
    norm: Annotated[str, one_of("fixed", "picture")] = "fixed"
    multiple: Annotated[int, Meta(ge=1, le=4096)] = 1  # of pixels that height and width must be
    palette: Annotated[tuple[Colour, ...], Meta(max_length=64)] = ()
    system: Text = ""  # whose it was, in words

    def __post_init__(self) -> None:
        channels = {"grey": 1, "lightness": 1, "rgb": 3, "labels": len(self.palette)}[self.reads]
        if channels != self.channels:
            raise ValueError(f"expected {channels} channels that are read as {self.reads}, got {self.channels}")
        for low, high in (self.takes, self.shows):
            if not low < high:
                raise ValueError(f"expected a range from low to high, got {low} to {high}")


OUTPUTS = {"rgb": 3, "grey": 1, "rgba": 4, "ab": 2}  # channels of what it `gives`


def shapes(layers: Sequence[Layers], channels: int, height: int, width: int) -> list[Pictured]:
    """Of every value for a drawing of this size. Raises NurieError, which names the layer."""
    found = [(channels, height, width)]
    for index, layer in enumerate(layers):
        name = f"Layer {index} ({type(layer).__struct_config__.tag})"
        if max(layer.reads) > index:
            raise NurieError(f"{name} reads a value that comes later.")
        try:
            shape = layer.shape([found[value] for value in layer.reads])
        except NurieError as error:
            raise NurieError(f"{name} {error}.") from error
        if min(shape) < 1:
            raise NurieError(f"{name} has nothing left to compute of {width}x{height} pixels.")
        found.append(shape)
    return found


def multiple_for(layers: Sequence[Layers], channels: int, most: int = 1024) -> int:
    """The least power of two such that drawings of it, its double and its triple give pictures of their size; else the
    least of which a drawing of just this size does. Raises NurieError where none up to `most` does."""
    sides = [2**power for power in range(most.bit_length())]
    for factors, least in (((1, 2, 3), 1), ((1,), 4)):
        for side in sides:
            if side >= least and all(keeps_size(layers, channels, factor * side) for factor in factors):
                return side
    shapes(layers, channels, 256, 256)  # says what is wrong
    raise NurieError(f"No square drawing of up to {most} pixels gives a picture of its size.")


def keeps_size(layers: Sequence[Layers], channels: int, side: int) -> bool:
    try:
        return shapes(layers, channels, side, side)[-1][1:] == (side, side)
    except NurieError:
        return False
