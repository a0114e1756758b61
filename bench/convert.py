"""A plan as an ONNX or a TensorFlow Lite file with float weights, so that other runtimes compute the same net.

Development only: needs `pip install onnx tflite`. Input and output are float32 pictures in [-1, 1]: (1, 3, h, w) in
ONNX, (1, h, w, 3) in TensorFlow Lite.
"""

from dataclasses import replace
from typing import Any, Protocol

import flatbuffers
import numpy as np
import onnx
import tflite  # pyright: ignore[reportMissingImports]
from onnx import helper, numpy_helper

from nurie.engine.plan import Op, Plan
from nurie.engine.reference import how_enclosed, read_floats, read_weights, styled

Array = np.ndarray
Value = Any  # what a target calls a tensor


class Target(Protocol):
    """Builds a graph. Sizes and maps are (height, width, channels), weights (out, kernel y, kernel x, in)."""

    def map(self, values: Array) -> Value: ...
    def conv(self, x: Value, op: Op, weights: Array, bias: Array, size: tuple[int, int, int]) -> Value: ...
    def shuffle(self, x: Value, factor: int, size: tuple[int, int, int]) -> Value: ...
    def unshuffle(self, x: Value, factor: int, size: tuple[int, int, int]) -> Value: ...
    def resize(self, x: Value, size: tuple[int, int, int]) -> Value: ...
    def add(self, x: Value, y: Value, size: tuple[int, int, int]) -> Value: ...
    def activate(self, x: Value, activation: int, size: tuple[int, int, int]) -> Value: ...
    def concatenate(self, parts: list[Value], size: tuple[int, int, int]) -> Value: ...


def convert(plan: Plan, weights: bytes, height: int, width: int, target: Target, image: Value) -> Value:
    """Emit every operation, for the style that an engine begins with and for browser.js's drawing, whose places are
    enclosed in one way only; returns the value before `output`."""
    sizes = plan.sizes(height, width)
    written: list[dict[int, Value]] = [{} for _ in plan.tensors]  # by first channel

    def read(tensor: int, channel: int, count: int) -> Value:
        pieces = written[tensor]
        if channel in pieces and count == channels_from(tensor, channel):
            return pieces[channel]
        assert (channel, count) == (0, plan.tensors[tensor]), "only whole slices and whole tensors"
        pieces[-1] = pieces.get(-1) or target.concatenate(
            [pieces[first] for first in sorted(pieces)], (*sizes[tensor], count)
        )
        return pieces[-1]

    def channels_from(tensor: int, channel: int) -> int:
        later = [first for first in written[tensor] if first > channel]
        return min(later, default=plan.tensors[tensor]) - channel

    for op in plan.ops:
        if op.op == "output":
            return read(op.input, op.input_channel, 3)
        size = (*sizes[op.output], op.channels_written)
        if op.op == "input":
            y = image if op.shuffle == 1 else target.unshuffle(image, op.shuffle, size)
        elif op.op == "style":
            y = target.map(styled(*size[:2], seed=0, colour=(0, 0, 0)).astype(np.float32))
        elif op.op == "enclosed":
            y = target.map(how_enclosed(benchmark_drawing(height, width), op.shuffle).astype(np.float32))
        elif op.op == "copy":
            y = read(op.input, op.input_channel, op.in_channels)
            y = target.resize(y, size) if op.shuffle > 1 else y
        else:
            x = read(op.input, op.input_channel, op.in_channels)
            made = (size[0] // op.shuffle, size[1] // op.shuffle, op.out_channels)
            values, bias = read_weights(op, weights), read_floats(weights, op.bias, op.out_channels)
            if op.op == "conv_transpose" and not values[:, 3].any() and not values[:, :, 3].any():
                values, op = values[:, :3, :3], replace(op, kernel=3)
            y = target.conv(x, op, values.astype(np.float32), bias.astype(np.float32), made)
            y = y if op.shuffle == 1 else target.shuffle(y, op.shuffle, size)
            if op.residual != -1:
                y = target.add(y, read(op.residual, op.residual_channel, size[2]), size)
        y = target.activate(y, op.activation, size) if op.activation else y
        written[op.output][op.output_channel] = y
    raise AssertionError("a plan has an output")


def benchmark_drawing(height: int, width: int) -> Array:
    """As in browser.js, uint8 (h, w, 3)."""
    numbers = np.arange(height * width * 4, dtype=np.uint64) * 2654435761
    return (numbers >> 24).astype(np.uint8).reshape(height, width, 4)[:, :, :3]


class Onnx:
    """NCHW nodes; values are names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, values: Array) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def map(self, values: Array) -> str:
        return self.constant(values.transpose(2, 0, 1)[None])

    def conv(self, x: str, op: Op, weights: Array, bias: Array, size: tuple[int, int, int]) -> str:
        transposed = op.op == "conv_transpose"
        order = (3, 0, 1, 2) if transposed else (0, 3, 1, 2)
        inputs = [x, self.constant(weights.transpose(order)), self.constant(bias)]
        fields: dict[str, Any] = {"kernel_shape": [op.kernel] * 2, "strides": [op.stride] * 2, "pads": [op.pad] * 4}
        fields["group"] = op.in_channels if op.op == "depthwise" else 1
        if transposed and op.kernel == 3:
            fields["output_padding"] = [1, 1]
        return self.node("ConvTranspose" if transposed else "Conv", inputs, **fields)

    def shuffle(self, x: str, factor: int, size: tuple[int, int, int]) -> str:
        return self.node("DepthToSpace", [x], blocksize=factor, mode="CRD")

    def unshuffle(self, x: str, factor: int, size: tuple[int, int, int]) -> str:
        """SpaceToDepth orders channels as [phase][channel], PixelUnshuffle as [channel][phase]."""
        mixed = self.node("SpaceToDepth", [x], blocksize=factor)
        order = [phase * 3 + channel for channel in range(3) for phase in range(factor**2)]
        return self.node("Gather", [mixed, self.constant(np.array(order))], axis=1)

    def resize(self, x: str, size: tuple[int, int, int]) -> str:
        target = self.constant(np.array([1, size[2], size[0], size[1]]))
        fields = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.node("Resize", [x, "", "", target], **fields)

    def add(self, x: str, y: str, size: tuple[int, int, int]) -> str:
        return self.node("Add", [x, y])

    def activate(self, x: str, activation: int, size: tuple[int, int, int]) -> str:
        kind, fields = [("Relu", {}), ("LeakyRelu", {"alpha": 0.2}), ("Tanh", {})][activation - 1]
        return self.node(kind, [x], **fields)

    def concatenate(self, parts: list[str], size: tuple[int, int, int]) -> str:
        return self.node("Concat", parts, axis=1)


def to_onnx(plan: Plan, weights: bytes, height: int, width: int) -> bytes:
    target = Onnx()
    last = convert(plan, weights, height, width, target, "drawing")
    target.nodes.append(helper.make_node("Identity", [last], ["picture"]))
    shape = [1, 3, height, width]
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in ("drawing", "picture")]
    graph = helper.make_graph(target.nodes, "plan", ends[:1], ends[1:], target.constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


class Tflite:
    """NHWC operators; values are tensor numbers. The schema's numbers are in the `tflite` package."""

    def __init__(self) -> None:
        self.builder = flatbuffers.Builder(1 << 20)
        self.buffers: list[int] = [self._buffer(b"")]
        self.tensors: list[int] = []
        self.operators: list[int] = []
        self.codes: list[int] = []

    def _buffer(self, data: bytes) -> int:
        at = 0
        if data:
            self.builder.StartVector(1, len(data), 16)
            self.builder.head = self.builder.Head() - len(data)
            self.builder.Bytes[self.builder.Head() : self.builder.Head() + len(data)] = data
            at = self.builder.EndVector()
        tflite.BufferStart(self.builder)
        if data:
            tflite.BufferAddData(self.builder, at)
        return tflite.BufferEnd(self.builder)

    def _ints(self, values: list[int]) -> int:
        return self.builder.CreateNumpyVector(np.array(values, np.int32))

    def tensor(self, shape: tuple[int, ...], data: Array | None = None) -> int:
        buffer = 0
        if data is not None:
            buffer = len(self.buffers)
            self.buffers.append(self._buffer(np.ascontiguousarray(data).tobytes()))
        dims, name = self._ints(list(shape)), self.builder.CreateString(f"t{len(self.tensors)}")
        kind = tflite.TensorType.INT32 if data is not None and data.dtype == np.int32 else tflite.TensorType.FLOAT32
        tflite.TensorStart(self.builder)
        tflite.TensorAddShape(self.builder, dims)
        tflite.TensorAddType(self.builder, kind)
        tflite.TensorAddBuffer(self.builder, buffer)
        tflite.TensorAddName(self.builder, name)
        self.tensors.append(tflite.TensorEnd(self.builder))
        return len(self.tensors) - 1

    def constant(self, data: Array) -> int:
        return self.tensor(data.shape, data)

    def map(self, values: Array) -> int:
        return self.constant(values[None])

    def operator(self, kind: str, inputs: list[int], shape: tuple[int, ...], options: str = "", **fields: Any) -> int:
        """One operator with one result; `options` is the schema's table of its fields."""
        code = getattr(tflite.BuiltinOperator, kind)
        if code not in self.codes:
            self.codes.append(code)
        table = 0
        if options:
            getattr(tflite, f"{options}Start")(self.builder)
            for name, value in fields.items():
                getattr(tflite, f"{options}Add{name}")(self.builder, value)
            table = getattr(tflite, f"{options}End")(self.builder)
        out = self.tensor((1, *shape))
        ins, outs = self._ints(inputs), self._ints([out])
        tflite.OperatorStart(self.builder)
        tflite.OperatorAddOpcodeIndex(self.builder, self.codes.index(code))
        tflite.OperatorAddInputs(self.builder, ins)
        tflite.OperatorAddOutputs(self.builder, outs)
        if options:
            tflite.OperatorAddBuiltinOptionsType(self.builder, getattr(tflite.BuiltinOptions, options))
            tflite.OperatorAddBuiltinOptions(self.builder, table)
        self.operators.append(tflite.OperatorEnd(self.builder))
        self.shapes[out] = shape
        return out

    shapes: dict[int, tuple[int, ...]]

    def conv(self, x: int, op: Op, weights: Array, bias: Array, size: tuple[int, int, int]) -> int:
        strides = {"StrideH": op.stride, "StrideW": op.stride}
        if op.op == "conv_transpose":
            padding, made = tflite.Padding.SAME, size
            if op.kernel == 3:  # SAME would pad at the other end
                padding, made = tflite.Padding.VALID, (size[0] + 1, size[1] + 1, size[2])
            shape = self.constant(np.array([1, *made], np.int32))
            inputs = [shape, self.constant(weights), x, self.constant(bias)]
            y = self.operator("TRANSPOSE_CONV", inputs, made, "TransposeConvOptions", Padding=padding, **strides)
            if made == size:
                return y
            begin, count = (
                self.constant(np.array([0, 1, 1, 0], np.int32)),
                self.constant(np.array([1, *size], np.int32)),
            )
            return self.operator("SLICE", [y, begin, count], size, "SliceOptions")
        if op.pad:
            height, width, channels = self.shapes[x]
            around = np.array([[0, 0], [op.pad] * 2, [op.pad] * 2, [0, 0]], np.int32)
            shape = (height + 2 * op.pad, width + 2 * op.pad, channels)
            x = self.operator("PAD", [x, self.constant(around)], shape, "PadOptions")
        fields = {"Padding": tflite.Padding.VALID, "DilationHFactor": 1, "DilationWFactor": 1, **strides}
        if op.op == "depthwise":
            inputs = [x, self.constant(weights.transpose(3, 1, 2, 0)), self.constant(bias)]
            return self.operator(
                "DEPTHWISE_CONV_2D", inputs, size, "DepthwiseConv2DOptions", DepthMultiplier=1, **fields
            )
        if op.shuffle > 1:  # DEPTH_TO_SPACE orders channels as [phase][channel], PixelShuffle as [channel][phase]
            order = np.arange(len(weights)).reshape(-1, op.shuffle**2).T.ravel()
            weights, bias = weights[order], bias[order]
        inputs = [x, self.constant(weights), self.constant(bias)]
        return self.operator("CONV_2D", inputs, size, "Conv2DOptions", **fields)

    def shuffle(self, x: int, factor: int, size: tuple[int, int, int]) -> int:
        return self.operator("DEPTH_TO_SPACE", [x], size, "DepthToSpaceOptions", BlockSize=factor)

    def unshuffle(self, x: int, factor: int, size: tuple[int, int, int]) -> int:
        """Pixels to channels as a convolution with ones: SPACE_TO_DEPTH has another order of channels."""
        weights = np.zeros((3 * factor**2, factor, factor, 3), np.float32)
        for out in range(len(weights)):
            weights[out, out % factor**2 // factor, out % factor, out // factor**2] = 1
        inputs = [x, self.constant(weights), self.constant(np.zeros(len(weights), np.float32))]
        fields = {"StrideH": factor, "StrideW": factor, "DilationHFactor": 1, "DilationWFactor": 1}
        return self.operator("CONV_2D", inputs, size, "Conv2DOptions", Padding=tflite.Padding.VALID, **fields)

    def resize(self, x: int, size: tuple[int, int, int]) -> int:
        target = self.constant(np.array(size[:2], np.int32))
        return self.operator("RESIZE_NEAREST_NEIGHBOR", [x, target], size, "ResizeNearestNeighborOptions")

    def add(self, x: int, y: int, size: tuple[int, int, int]) -> int:
        return self.operator("ADD", [x, y], size, "AddOptions")

    def activate(self, x: int, activation: int, size: tuple[int, int, int]) -> int:
        if activation == 2:
            return self.operator("LEAKY_RELU", [x], size, "LeakyReluOptions", Alpha=0.2)
        return self.operator("RELU" if activation == 1 else "TANH", [x], size)

    def concatenate(self, parts: list[int], size: tuple[int, int, int]) -> int:
        return self.operator("CONCATENATION", parts, size, "ConcatenationOptions", Axis=3)

    def finish(self, first: int, last: int) -> bytes:
        b = self.builder
        tensors, operators = self._offsets(self.tensors), self._offsets(self.operators)
        ins, outs = self._ints([first]), self._ints([last])
        tflite.SubGraphStart(b)
        tflite.SubGraphAddTensors(b, tensors)
        tflite.SubGraphAddInputs(b, ins)
        tflite.SubGraphAddOutputs(b, outs)
        tflite.SubGraphAddOperators(b, operators)
        graphs = [tflite.SubGraphEnd(b)]
        codes = []
        for code in self.codes:
            tflite.OperatorCodeStart(b)
            tflite.OperatorCodeAddDeprecatedBuiltinCode(b, min(code, 127))
            tflite.OperatorCodeAddBuiltinCode(b, code)
            tflite.OperatorCodeAddVersion(b, 3 if code == tflite.BuiltinOperator.TRANSPOSE_CONV else 1)
            codes.append(tflite.OperatorCodeEnd(b))
        subgraphs, opcodes, buffers = self._offsets(graphs), self._offsets(codes), self._offsets(self.buffers)
        tflite.ModelStart(b)
        tflite.ModelAddVersion(b, 3)
        tflite.ModelAddOperatorCodes(b, opcodes)
        tflite.ModelAddSubgraphs(b, subgraphs)
        tflite.ModelAddBuffers(b, buffers)
        b.Finish(tflite.ModelEnd(b), file_identifier=b"TFL3")
        return bytes(b.Output())

    def _offsets(self, offsets: list[int]) -> int:
        self.builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.builder.PrependUOffsetTRelative(offset)
        return self.builder.EndVector()


def to_tflite(plan: Plan, weights: bytes, height: int, width: int) -> bytes:
    target = Tflite()
    target.shapes = {}
    first = target.tensor((1, height, width, 3))
    target.shapes[first] = (height, width, 3)
    return target.finish(first, convert(plan, weights, height, width, target, first))
