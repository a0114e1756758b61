"""ONNX files: a graph of operations with its weights. Nothing in it is run."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nurie.errors import NurieError
from nurie.importers.frame import Container, Contents

if TYPE_CHECKING:
    from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

MOST_BYTES = (1 << 31) - 1  # of a protocol buffer
MOST_NODES = 20_000
OLDEST, NEWEST = 9, 21  # opsets
FIELDS = {0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42}  # of a model, one of which follows its version


@dataclass(frozen=True)
class Node:
    """An operation. `inputs` and `outputs` are names, "" for what is left out; `about` are its attributes, arrays among
    them."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    about: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """`inputs`: by name, each side or 0 where it is not fixed."""

    nodes: tuple[Node, ...]
    inputs: dict[str, tuple[int, ...]]
    outputs: tuple[str, ...]


def is_onnx(path: Path) -> bool:
    """By the first fields of the protocol buffer: the version of its format, then another field of a model."""
    try:
        with path.open("rb") as file:
            start = file.read(3)
    except OSError:
        return False
    return len(start) == 3 and start[0] == 8 and 1 <= start[1] <= 30 and start[2] in FIELDS


def open_onnx(path: Path) -> Contents:
    """attributes: `graph`, a Graph, and `opset`. Weights in files beside it are read, no others."""
    model = parsed(path)
    graph = model.graph
    opsets = {each.domain or "ai.onnx": each.version for each in model.opset_import}
    opset = opsets.get("ai.onnx", 0)
    if not OLDEST <= opset <= NEWEST:
        raise NurieError(f"{path} has ONNX opset {opset}, and Nurie reads {OLDEST} to {NEWEST}: export it with 17.")
    if len(graph.node) > MOST_NODES or len(graph.initializer) > MOST_NODES:
        raise NurieError(f"{path} has {len(graph.node)} operations, and Nurie reads up to {MOST_NODES}.")
    files = {path: None}  # that were read, in order
    try:
        arrays = {tensor.name: array_of(tensor, path, files) for tensor in graph.initializer}
        nodes = tuple(node_of(node, path, files) for node in graph.node)
    except (ValueError, TypeError, OverflowError, OSError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise NurieError(f"{path} is damaged ({reason}). Copy or download it again.") from error
    inputs = {each.name: sides(each) for each in graph.input if each.name not in arrays}
    attributes = {"graph": Graph(nodes, inputs, tuple(each.name for each in graph.output)), "opset": opset}
    return Contents(tuple(files), arrays, attributes)


def parsed(path: Path) -> "ModelProto":
    import onnx
    from google.protobuf.message import DecodeError

    if path.stat().st_size > MOST_BYTES:
        raise NurieError(f"{path} is larger than the 2 GiB that an ONNX file can have.")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise NurieError(f"{path} is damaged or not an ONNX file. Copy or download it again.") from error
    return model


def node_of(node: "NodeProto", path: Path, files: dict[Path, None]) -> Node:
    kind = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    about = {each.name: value for each in node.attribute for value in values_of(each, path, files)}
    return Node(kind, node.name or ", ".join(node.output), tuple(node.input), tuple(node.output), about)


def values_of(attribute: "AttributeProto", path: Path, files: dict[Path, None]) -> Iterator[Any]:
    """One value, or none of a kind that no operation of a generator has."""
    match attribute.type:
        case 1:
            yield attribute.f
        case 2:
            yield attribute.i
        case 3:
            yield attribute.s.decode("utf-8", "replace")
        case 4:
            yield array_of(attribute.t, path, files)
        case 6:
            yield tuple(attribute.floats)
        case 7:
            yield tuple(attribute.ints)


def array_of(tensor: "TensorProto", path: Path, files: dict[Path, None]) -> np.ndarray:
    from onnx import TensorProto, helper, numpy_helper

    known = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.INT32,
             TensorProto.INT64, TensorProto.INT8, TensorProto.UINT8, TensorProto.BOOL)  # fmt: skip
    if tensor.data_type not in known:
        raise NurieError(f"{path} holds numbers of a kind that Nurie does not read ({tensor.name}).")
    if tensor.data_location == TensorProto.EXTERNAL:
        kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
        return beside(tensor, kind, path, files)
    return np.array(numpy_helper.to_array(tensor))  # its own, which can be written


def beside(tensor: "TensorProto", kind: np.dtype, path: Path, files: dict[Path, None]) -> np.ndarray:
    """Weights in another file, which must lie in the same folder."""
    where = {each.key: each.value for each in tensor.external_data}
    name = where.get("location", "")
    file = path.parent / name
    if not name or name != Path(name).name or "\\" in name or file.resolve().parent != path.parent.resolve():
        raise NurieError(f"{path} keeps weights in {name!r}: only files in its own folder are read.")
    if not file.is_file():
        raise NurieError(f"{path} keeps weights in {file}, which is not there. Copy it, too.")
    count, start = kind.itemsize, int(where.get("offset", 0))
    for side in tensor.dims:
        count *= side
    if min(count, start) < 0 or start + count > file.stat().st_size:
        raise NurieError(f"{file} is too short for the weights that {path} keeps in it.")
    files[file] = None
    with file.open("rb") as data:
        data.seek(start)
        return np.frombuffer(bytearray(data.read(count)), kind).reshape(tuple(tensor.dims))


def sides(value: "ValueInfoProto") -> tuple[int, ...]:
    return tuple(max(side.dim_value, 0) for side in value.type.tensor_type.shape.dim)


ONNX = Container("an ONNX file", is_onnx, open_onnx)
