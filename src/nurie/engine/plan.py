"""The plan: a generator as a linear list of engine operations (docs/formats.md, "The plan").

Height and width are never stored: they follow from the size of the input by walking the list.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from typing import Any

import numpy as np

from nurie.errors import NurieError

OPS = ("input", "conv", "conv_transpose", "copy", "output", "depthwise", "style", "enclosed", "norm", "labels")
READ_DRAWING = ("input", "enclosed", "labels")
READ_NO_TENSOR = (*READ_DRAWING, "style")
ACTIVATIONS = ("none", "relu", "leaky_relu", "tanh", "fill", "sigmoid")
NONE, RELU, LEAKY_RELU, TANH, FILL, SIGMOID = range(len(ACTIVATIONS))
STATISTICS = ("channel", "row", "fixed_row")
CHANNEL, ROW, FIXED_ROW = range(len(STATISTICS))
MODES = ("rgb", "lab", "rgba", "classes")
RGB, LAB, RGBA, CLASSES = range(len(MODES))
COMPUTED = (NONE, RELU, LEAKY_RELU, TANH, SIGMOID)  # of convolutions, copies and normalisations
SHUFFLES = (1, 2, 4)
STRIDES = (1, 2)
MAX_COUNT = 4096  # tensors; operations
MAX_CHANNELS = 16384  # of a tensor
MAX_COMPUTED = 65536  # channels, before a pixel shuffle
MAX_KERNEL = 7
MAX_SIDE = 32768  # pixels
MAX_LABELS = 64  # colours of a palette
MAX_COMPAND = 64

Size = tuple[int, int]  # height, width in pixels


@dataclass(frozen=True)
class Op:
    """One operation. The fields, their order and their defaults are the engine's interface.

    A field that is a float here is a float32 there.
    """

    op: str
    input: int = 0
    input_channel: int = 0
    output: int = 0
    output_channel: int = 0
    in_channels: int = 0
    out_channels: int = 0
    kernel: int = 0
    stride: int = 1
    pad: int = 0
    activation: int = 0
    shuffle: int = 1
    residual: int = -1
    residual_channel: int = 0
    weight: int = 0
    scale: int = -1
    bias: int = -1
    pad_end: int = -1
    reflect: int = 0
    slope: float = 0.2
    epsilon: float = 0.0
    statistics: int = 0
    mode: int = 0
    compand: float = 0.0

    @property
    def is_conv(self) -> bool:
        return self.op in ("conv", "conv_transpose", "depthwise")

    @property
    def pads(self) -> tuple[int, int]:
        """Pixels of padding before and after, on each axis."""
        return self.pad, self.pad if self.pad_end == -1 else self.pad_end

    @property
    def weight_depth(self) -> int:
        """Input channels that each output channel has weights for."""
        return 1 if self.op == "depthwise" else self.in_channels

    @property
    def channels_read(self) -> int:
        """Channels of the input slice."""
        if self.op == "output":
            return {LAB: 2, RGBA: 4, CLASSES: self.in_channels}.get(self.mode, 3)
        return 0 if self.op in READ_NO_TENSOR else self.in_channels

    @property
    def channels_written(self) -> int:
        """Channels of the output slice: after the pixel shuffle, for a convolution."""
        if self.op == "conv":
            return self.out_channels // self.shuffle**2
        if self.is_conv:
            return self.out_channels
        if self.op == "input":
            return (1 if self.mode == LAB else 3) * self.shuffle**2
        kept, made = self.in_channels, self.out_channels
        return {"copy": kept, "norm": kept, "style": 4, "enclosed": 1, "labels": made}.get(self.op, 0)

    def row(self) -> tuple[int, ...]:
        """The integers that the engine reads, one for each field; of a float32 its bits."""
        pairs = zip(fields(self), astuple(self), strict=True)
        words = [_bits(value) if field.type is float else value for field, value in pairs if field.name != "op"]
        return (OPS.index(self.op), *words)

    def to_json(self) -> dict[str, Any]:
        """Only the fields that differ from their defaults, as the manifest stores them."""
        defaults = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in asdict(self).items() if value != defaults[name]}


@dataclass(frozen=True)
class Plan:
    """`tensors[i]` is the channel count of tensor i."""

    tensors: tuple[int, ...]
    ops: tuple[Op, ...]

    def rows(self) -> np.ndarray:
        """Operations as int32 (ops, fields)."""
        return np.array([op.row() for op in self.ops], dtype="<i4").reshape(len(self.ops), len(fields(Op)))

    def to_json(self) -> dict[str, Any]:
        """The manifest's keys `tensors` and `ops`."""
        return {"tensors": list(self.tensors), "ops": [op.to_json() for op in self.ops]}

    def sizes(self, height: int, width: int) -> list[Size]:
        """(height, width) of every tensor for an input of this size; (0, 0) for a tensor that is never written.

        Raises NurieError when the size does not fit the plan.
        """
        sizes = [(0, 0)] * len(self.tensors)
        for index, op in enumerate(self.ops):
            size = _written_size(index, op, (height, width), sizes)
            if max(height, width, *size) > MAX_SIDE:
                raise _misfit(height, width, index, op, f"makes {_text(size)}; the engine takes {MAX_SIDE} a side")
            if op.reflect and min(sizes[op.input]) <= max(op.pads):
                why = f"mirrors {max(op.pads)} pixels of {_text(sizes[op.input])}"
                raise _misfit(height, width, index, op, why)
            if op.op == "output":
                if (op.activation == FILL or op.mode == LAB) and size != (height, width):
                    why = f"needs the drawing's pixels for a picture of {_text(size)}"
                    raise _misfit(height, width, index, op, why)
                continue
            if op.op == "norm" and op.statistics != CHANNEL and size[0] != op.out_channels:
                why = f"normalises {op.out_channels} rows of {_text(size)}"
                raise _misfit(height, width, index, op, why)
            if sizes[op.output] not in ((0, 0), size):
                why = f"writes {_text(size)} pixels into a tensor of {_text(sizes[op.output])}"
                raise _misfit(height, width, index, op, why)
            if op.residual != -1 and sizes[op.residual] != size:
                why = f"adds a tensor of {_text(sizes[op.residual])} pixels to one of {_text(size)}"
                raise _misfit(height, width, index, op, why)
            sizes[op.output] = size
        return sizes

    def macs(self, height: int, width: int) -> int:
        """Multiplications in all convolutions for one picture of this size (padding counted as if it were pixels)."""
        sizes = self.sizes(height, width)
        total = 0
        for op in self.ops:
            if op.is_conv:
                h, w = sizes[op.input if op.op == "conv_transpose" else op.output]
                total += h * w // op.shuffle**2 * op.weight_depth * op.out_channels * op.kernel**2
        return total

    def paper_macs(self, height: int, width: int) -> int:
        """MACs as papers count them: a transposed convolution at its output pixels, 4 times its real work."""
        sizes = self.sizes(height, width)
        transposed = [op for op in self.ops if op.op == "conv_transpose"]
        real = sum(np.prod(sizes[op.input]) * op.in_channels * op.out_channels * op.kernel**2 for op in transposed)
        return self.macs(height, width) + 3 * int(real)


def parse_plan(manifest: Mapping[str, Any]) -> Plan:
    """The plan of a manifest, checked. Raises NurieError."""
    tensors, ops = manifest.get("tensors"), manifest.get("ops")
    if not isinstance(tensors, list) or not all(_is_int(n) for n in tensors):
        raise NurieError('The plan needs "tensors", a list of channel counts. Export the model again.')
    if not isinstance(ops, list) or not all(isinstance(op, dict) for op in ops):
        raise NurieError('The plan needs "ops", a list of operations. Export the model again.')
    return checked(Plan(tuple(tensors), tuple(_parse_op(i, op) for i, op in enumerate(ops))))


def make_plan(tensors: Sequence[int], ops: Iterable[Mapping[str, Any] | Op]) -> Plan:
    """A checked plan from operations or their dictionaries. Raises NurieError."""
    made = tuple(op if isinstance(op, Op) else _parse_op(i, op) for i, op in enumerate(ops))
    return checked(Plan(tuple(tensors), made))


def checked(plan: Plan) -> Plan:
    """The plan itself, when the engine can run it: every rule of the engine's own check. Raises NurieError."""
    for name, count in (("tensors", len(plan.tensors)), ("operations", len(plan.ops))):
        if not 1 <= count <= MAX_COUNT:
            raise NurieError(f"The plan has {count} {name}; the engine takes 1 to {MAX_COUNT}. Export the model again.")
    for index, channels in enumerate(plan.tensors):
        if not 1 <= channels <= MAX_CHANNELS:
            raise NurieError(f"Tensor {index} has {channels} channels; the engine takes 1 to {MAX_CHANNELS}.")
    if sum(op.op == "output" for op in plan.ops) != 1:
        raise NurieError('The plan needs exactly one "output" operation. Export the model again.')
    written = [0] * len(plan.tensors)  # bits, one for each quad (4 channels)
    for index, op in enumerate(plan.ops):
        fault = _field_fault(op) or _slice_fault(plan, op) or _order_fault(op, written)
        if fault:
            raise NurieError(f"Operation {index} ({op.op}) of the plan {fault}. Export the model again.")
    return plan


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_int(value) or (isinstance(value, float) and math.isfinite(value))


def _bits(value: float) -> int:
    return int(np.float32(value).view("<i4"))


def _parse_op(index: int, values: Mapping[str, Any]) -> Op:
    known = {field.name: field.type for field in fields(Op)}
    if values.get("op") not in OPS:
        raise NurieError(f"Operation {index} of the plan is {values.get('op')!r}; known are {', '.join(OPS)}.")
    for name, value in values.items():
        if name not in known:
            raise NurieError(f"Operation {index} of the plan has the unknown field {name!r}. Update Nurie.")
        if known[name] is float and not _is_number(value):
            raise NurieError(f"Operation {index} of the plan: {name} must be a number, but it is {value!r}.")
        if known[name] is int and (not _is_int(value) or not -(2**31) <= value < 2**31):
            raise NurieError(f"Operation {index} of the plan: {name} must be an integer, but it is {value!r}.")
    given: dict[str, Any] = {name: float(v) if known[name] is float else v for name, v in values.items()}
    return Op(**given)


def _field_fault(op: Op) -> str:
    """What is wrong with single fields, as the end of a sentence; empty when nothing is."""
    if op.op not in OPS:
        return f"is unknown; known are {', '.join(OPS)}"
    if not 0 <= op.in_channels <= MAX_CHANNELS or not 0 <= op.out_channels <= MAX_COMPUTED:
        found = f"computes {op.out_channels} channels of {op.in_channels}"
        return f"{found}; the engine takes 0 to {MAX_COMPUTED} of 0 to {MAX_CHANNELS}"
    if op.shuffle not in SHUFFLES:
        return f"has shuffle {op.shuffle}; it must be 1, 2 or 4"
    if op.activation not in (*COMPUTED, FILL) or (op.activation == FILL and op.op != "output"):
        return f"has activation {op.activation}; known are {', '.join(map(str, COMPUTED))}"
    if not 0 <= op.slope <= 1:
        return f"has slope {op.slope}; it must be 0 to 1"
    if not 0 <= op.epsilon <= 1:
        return f"has epsilon {op.epsilon}; it must be 0 to 1"
    if not 0 <= op.compand <= MAX_COMPAND:
        return f"has compand {op.compand}; it must be 0 to {MAX_COMPAND}"
    if op.is_conv:
        return _convolution_fault(op) or _offset_fault(op) or ("has fields that it cannot have" * _is_special(op))
    activated = op.op not in ("copy", "norm") and op.activation not in (NONE, FILL)
    whole = op.op in ("output", "style", "norm", "labels") or op.mode == LAB
    shuffled = whole and op.shuffle != 1 and not (op.op == "output" and op.mode == CLASSES)
    added = op.op != "norm" and op.residual != -1
    if added or activated or shuffled or _is_padded(op) or _is_special(op):
        return "has fields that it cannot have"
    if op.op == "norm":
        return _norm_fault(op)
    if op.op == "output" and op.mode == CLASSES and op.activation != FILL:
        return f"has activation {op.activation}; classes need {FILL}"
    return _palette_fault(op) if op.op == "labels" or op.mode == CLASSES else ""


def _is_special(op: Op) -> bool:
    """With a `statistics` or `mode` that its kind has not."""
    modes = {"input": (RGB, LAB), "output": (RGB, LAB, RGBA, CLASSES)}.get(op.op, (RGB,))
    readings = (CHANNEL, ROW, FIXED_ROW) if op.op == "norm" else (CHANNEL,)
    return op.mode not in modes or op.statistics not in readings


def _norm_fault(op: Op) -> str:
    if op.statistics == CHANNEL and op.in_channels != op.out_channels:
        return f"normalises {op.out_channels} of {op.in_channels} channels"
    if op.statistics != CHANNEL and op.out_channels < 1:
        return f"normalises {op.out_channels} rows"
    return _offset_fault(op)


def _palette_fault(op: Op) -> str:
    what, colours, least = ("labels", op.out_channels, 2) if op.op == "labels" else ("classes", op.in_channels, 3)
    if not least <= colours <= MAX_LABELS:
        return f"has {colours} {what}; the engine takes {least} to {MAX_LABELS}"
    return f"has its palette at byte {op.weight}; it must be from 0 on" if op.weight < 0 else ""


def _is_padded(op: Op) -> bool:
    """With the fields that only `conv` and `depthwise` have."""
    return op.pad_end != -1 or op.reflect != 0


def _convolution_fault(op: Op) -> str:
    if op.op == "conv_transpose":
        if (op.kernel, op.stride, op.pad, op.shuffle) != (4, 2, 1, 1) or _is_padded(op):
            found = f"has kernel {op.kernel}, stride {op.stride}, pad {op.pad}, shuffle {op.shuffle}"
            return f"{found}; only 4, 2, 1 is supported, without a shuffle, another padding at the end or a mirror"
        return ""
    padded = 0 <= op.pad < op.kernel and -1 <= op.pad_end < op.kernel
    if not 1 <= op.kernel <= MAX_KERNEL or op.stride not in STRIDES or not padded:
        found = f"has kernel {op.kernel}, stride {op.stride}, pads {op.pads}"
        return f"{found}; the engine takes kernels 1 to {MAX_KERNEL}, stride 1 or 2, and pads smaller than the kernel"
    if op.reflect not in (0, 1):
        return f"has reflect {op.reflect}; it must be 0 or 1"
    if op.out_channels % op.shuffle**2:
        return f"cannot shuffle {op.out_channels} channels by {op.shuffle}"
    if op.op == "depthwise" and (op.in_channels != op.out_channels or op.shuffle != 1):
        return f"makes {op.out_channels} channels of {op.in_channels} with shuffle {op.shuffle}; it must keep them"
    return ""


def _offset_fault(op: Op) -> str:
    """What lies at an impossible place in the weights file."""
    offsets = [("scale", op.scale, 4), ("bias", op.bias, 4)]
    if op.op != "norm":
        offsets.append(("weight", op.weight, 4 if op.scale == -1 else 1))
    for name, offset, alignment in offsets:
        absent = offset == -1 and name != "weight"
        if not absent and (offset < 0 or offset % alignment):
            return f"has its {name} at byte {offset}; it must be a multiple of {alignment}, from 0 on"
    return ""


def _slice_fault(plan: Plan, op: Op) -> str:
    slices = _slices_read(op)
    if op.op == "style" and not 0 <= op.input < len(plan.tensors):
        return f"uses tensor {op.input}, but there are {len(plan.tensors)}"
    if op.op != "output":
        slices.append((op.output, op.output_channel, op.channels_written))
    for tensor, first, count in slices:
        if not 0 <= tensor < len(plan.tensors):
            return f"uses tensor {tensor}, but there are {len(plan.tensors)}"
        if first < 0 or first % 4 or count < 1 or first + count > plan.tensors[tensor]:
            return f"uses channels {first} to {first + count - 1} of tensor {tensor}, which has {plan.tensors[tensor]}"
    return ""


def _order_fault(op: Op, written: list[int]) -> str:
    """Every slice is written once and before it is read. Adds this operation's slice to `written`, bits by tensor."""
    for tensor, first, count in _slices_read(op):
        if _quads(first, count) & ~written[tensor]:
            return f"reads channels of tensor {tensor} that nothing has written"
    if op.op != "output":
        mine = _quads(op.output_channel, op.channels_written)
        if mine & written[op.output]:
            return f"writes channels of tensor {op.output} a second time"
        written[op.output] |= mine
    return ""


def _slices_read(op: Op) -> list[tuple[int, int, int]]:
    """(tensor, first channel, channels) of the input and the residual."""
    slices = [] if op.op in READ_NO_TENSOR else [(op.input, op.input_channel, op.channels_read)]
    if op.residual != -1:
        slices.append((op.residual, op.residual_channel, op.channels_written))
    return slices


def _quads(first: int, count: int) -> int:
    """As bits."""
    return (1 << (first + count + 3) // 4) - (1 << first // 4)


def _written_size(index: int, op: Op, image: Size, sizes: list[Size]) -> Size:
    height, width = image if op.op in READ_DRAWING else sizes[op.input]
    if op.op in READ_DRAWING:
        if height % op.shuffle or width % op.shuffle:
            raise _misfit(*image, index, op, f"needs height and width that are multiples of {op.shuffle}")
        size = height // op.shuffle, width // op.shuffle
    elif op.op in ("conv", "depthwise"):
        h, w = ((side + sum(op.pads) - op.kernel) // op.stride + 1 for side in (height, width))
        size = h * op.shuffle, w * op.shuffle
    elif op.op == "conv_transpose":
        size = 2 * height, 2 * width
    else:
        size = height * op.shuffle, width * op.shuffle
    if min(size) < 1:
        raise _misfit(*image, index, op, f"has nothing left to compute of {_text((height, width))}")
    return size


def _text(size: Size) -> str:
    return f"{size[1]}x{size[0]}"


def _misfit(height: int, width: int, index: int, op: Op, why: str) -> NurieError:
    return NurieError(
        f"This model cannot take a picture of {width}x{height} pixels: operation {index} ({op.op}) {why}. "
        "Use the size in the manifest."
    )
