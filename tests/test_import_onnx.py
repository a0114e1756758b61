"""ONNX graphs against onnxruntime."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from importing import computed, damaged, generator_of, imported, old
from mutations import changed_bytes
from nurie.errors import NurieError
from nurie.importers.registry import import_files
from nurie.nets.architecture import Conv

RANDOM = np.random.default_rng(0)
OPSETS = (9, 11, 13, 17, 18, 21)


def weights(*shape: int) -> np.ndarray:
    return RANDOM.normal(0, 0.4, shape).astype(np.float32)


class Made:
    """A graph that is put together: each call adds an operation that reads the last one's result and constants."""

    def __init__(self, opset: int = 17, channels: int = 3, sides: Sequence[Any] = (16, 16)) -> None:
        self.opset, self.nodes, self.arrays, self.last = opset, [], [], "drawing"
        self.input = helper.make_tensor_value_info("drawing", TensorProto.FLOAT, [1, channels, *sides])

    def add(self, kind: str, *inputs: Any, of: Sequence[str] | None = None, **about: Any) -> str:
        """inputs: arrays, or names, or "" for one that is left out. of: what it reads instead of the last."""
        names = [self.last] if of is None else list(of)
        for value in inputs:
            if isinstance(value, str):
                names.append(value)
                continue
            name = f"constant{len(self.arrays)}"
            self.arrays.append(numpy_helper.from_array(np.asarray(value), name))
            names.append(name)
        self.last = f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [self.last], name=f"node{len(self.nodes)}", **about))
        return self.last

    def save(self, folder: Path, **more: Any) -> Path:
        output = helper.make_tensor_value_info(self.last, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "graph", [self.input], [output], self.arrays, **more)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)
        path = folder / "made.onnx"
        path.write_bytes(model.SerializeToString())
        return path


def by_onnxruntime(path: Path, x: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    [y] = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"]).run(None, {"drawing": x})
    return np.asarray(y)


def unlike(path: Path, low: float = -1, high: float = 1) -> float:
    """Largest one of pictures between onnxruntime, whose numbers from low to high are shown, and Nurie: 0 to 2."""
    found = imported(path)
    channels = found.architecture.channels
    drawing = RANDOM.uniform(-1, 1, (1, channels, 16, 16)).astype(np.float32)
    a, b = found.architecture.takes
    wanted = by_onnxruntime(path, drawing)
    shown = np.clip((wanted - low) / (high - low), 0, 1)
    start, end = found.architecture.shows
    y = (computed(found, (drawing.astype(np.float64) + 1) / 2 * (b - a) + a) - start) / (end - start)
    assert shown.shape == y.shape
    return float(np.abs(shown - np.clip(y, 0, 1)).max())


def test_a_unet_of_pytorch() -> None:
    folder = old("onnx_unet256_batch")
    found = imported(folder / "unet256_opset17.onnx")
    x = np.load(old("torch_unet256_batch") / "input.npy")
    x = ((x / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None]
    assert np.abs(computed(found, x)[..., ::3, ::3] - np.load(folder / "output_step3.npy")).max() < 1e-5


@pytest.mark.parametrize("opset", OPSETS)
def test_every_operation_is_that_of_onnxruntime(opset: int, tmp_path: Path) -> None:
    made = Made(opset)
    pads = [0, 0, 1, 1, 0, 0, 2, 2]
    if opset < 11:
        made.add("Pad", mode="reflect", pads=pads)
    else:
        made.add("Pad", np.array(pads), mode="reflect")
    made.add("Conv", weights(8, 3, 4, 4), weights(8), kernel_shape=[4, 4])
    first = made.add("LeakyRelu", alpha=0.3)
    made.add("Conv", weights(8, 1, 3, 3), strides=[2, 2], pads=[0, 0, 1, 1], group=8)
    made.add("BatchNormalization", *(np.abs(weights(8)) for _ in range(4)), epsilon=1e-3)
    made.add("Relu")
    made.add("Conv", weights(8, 8, 3, 3), auto_pad="SAME_UPPER", strides=[2, 2])
    made.add("Mul", np.abs(weights(8, 1, 1)) + 1)
    made.add("Sigmoid")
    made.add("ConvTranspose", weights(8, 4, 3, 3), weights(4), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])
    made.add("InstanceNormalization", weights(4), weights(4))
    factors = np.array([1, 1, 2, 2], np.float32)
    up = {"mode": "nearest"} if opset < 11 else {"mode": "nearest", "nearest_mode": "floor"}
    up |= {} if opset < 11 else {"coordinate_transformation_mode": "asymmetric"}
    if opset < 10:
        made.add("Upsample", factors, **up)
    else:
        made.add("Resize", *([] if opset < 11 else [np.zeros(0, np.float32)]), factors, **up)
    made.add("Concat", of=[first, made.last], axis=1)
    made.add("Conv", weights(12, 12, 3, 3), auto_pad="SAME_LOWER", strides=[2, 2])
    if opset >= 11:
        made.add("DepthToSpace", blocksize=2, mode="CRD")
    else:
        made.add("ConvTranspose", weights(12, 3, 4, 4), strides=[2, 2], auto_pad="SAME_UPPER")
    made.add("Identity")
    made.add("Conv", weights(3, 3, 1, 1))
    made.add("Add", of=[made.last, "drawing"])
    made.add("Tanh")
    assert unlike(made.save(tmp_path)) < 1e-5


@pytest.mark.parametrize("auto", ["SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("kernel", [2, 3, 4, 5])
def test_pads_that_keep_the_size_are_those_of_onnxruntime(kernel: int, auto: str, tmp_path: Path) -> None:
    made = Made()
    made.add("Conv", weights(4, 3, kernel, kernel), auto_pad=auto, strides=[2, 2])
    made.add("ConvTranspose", weights(4, 3, kernel, kernel), auto_pad=auto, strides=[2, 2])
    made.add("Conv", weights(3, 3, kernel, kernel), auto_pad=auto)
    made.add("Tanh")
    assert unlike(made.save(tmp_path)) < 1e-5


@pytest.mark.parametrize(
    ("coordinates", "rounding"),
    [(a, b) for a in ("asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners", "tf_half_pixel_for_nn")
     for b in ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")],
)  # fmt: skip
def test_doubling_is_read_where_it_is_that_of_onnxruntime(coordinates: str, rounding: str, tmp_path: Path) -> None:
    kernel = weights(3, 3, 2, 2)
    x = RANDOM.uniform(-1, 1, (1, 3, 16, 16)).astype(np.float32)

    def doubled(coordinates: str, rounding: str) -> Path:
        made = Made(11)
        made.add("Conv", kernel, strides=[2, 2])
        arrays = np.zeros(0, np.float32), np.array([1, 1, 2, 2], np.float32)
        made.add("Resize", *arrays, coordinate_transformation_mode=coordinates, nearest_mode=rounding)
        made.add("Tanh")
        return made.save(tmp_path)

    wanted = by_onnxruntime(doubled("asymmetric", "floor"), x)
    path = doubled(coordinates, rounding)
    if np.array_equal(by_onnxruntime(path, x), wanted):
        assert unlike(path) < 1e-5
    else:
        with pytest.raises(NurieError, match=r"Resize \(node1\) does something else than doubling each pixel"):
            imported(path)


FULL = np.float32(127.5)


@pytest.mark.parametrize(
    ("end", "low", "high", "shows"),
    [
        ([("Tanh",)], -1, 1, (-1, 1)),
        ([("Sigmoid",)], 0, 1, (0, 1)),
        ([("Tanh",), ("Add", np.float32(1)), ("Div", np.float32(2))], 0, 1, (-1, 1)),
        ([("Tanh",), ("Mul", FULL), ("Add", FULL)], 0, 255, (-1, 1)),
        ([("Clip", np.float32(0), np.float32(1))], 0, 1, (0, 1)),
        ([("Tanh",), ("Clip", np.float32(0), np.float32(1))], 0, 1, (0, 1)),
        ([("Clip", np.float32(0), np.float32(1)), ("Mul", np.float32(255))], 0, 255, (0, 1)),
        ([("Mul", FULL), ("Add", FULL), ("Clip", np.float32(0), np.float32(255))], 0, 255, (-1, 1)),
        ([("Sub", np.ones((3, 1, 1), np.float32)), ("Div", weights(1, 3, 1, 1))], -1, 1, (-1, 1)),
    ],
)
def test_what_is_done_to_the_range_at_the_end_is_how_a_picture_is_shown(
    end: list[Any], low: float, high: float, shows: tuple[float, float], tmp_path: Path
) -> None:
    made = Made()
    made.add("Conv", weights(3, 3, 3, 3), pads=[1, 1, 1, 1])
    for kind, *inputs in end:
        made.add(kind, *inputs)
    path = made.save(tmp_path)
    assert imported(path).architecture.shows == shows
    assert unlike(path, low, high) < 1e-5


@pytest.mark.parametrize(
    ("start", "takes", "low", "high"),
    [
        ([], (-1, 1), -1, 1),
        ([("Mul", np.float32(2)), ("Sub", np.float32(1))], (-1, 1), 0, 1),
        ([("Div", FULL), ("Sub", np.float32(1))], (-1, 1), 0, 255),
        ([("Div", np.float32(255))], (0, 1), 0, 255),
        ([("Add", np.float32(1)), ("Div", np.float32(2))], (0, 1), -1, 1),
    ],
)
def test_what_is_done_to_the_range_at_the_start_is_how_a_drawing_is_taken(
    start: list[Any], takes: tuple[float, float], low: float, high: float, tmp_path: Path
) -> None:
    made = Made()
    for kind, *inputs in start:
        made.add(kind, *inputs)
    made.add("Conv", weights(3, 3, 3, 3), pads=[1, 1, 1, 1])
    made.add("Tanh")
    found = imported(made.save(tmp_path))
    assert found.architecture.takes == pytest.approx(takes)
    drawing = RANDOM.uniform(0, 1, (1, 3, 16, 16)).astype(np.float32)
    y = computed(found, drawing * (takes[1] - takes[0]) + takes[0])
    assert np.abs(y - by_onnxruntime(tmp_path / "made.onnx", drawing * (high - low) + low)).max() < 1e-5


def test_constants_that_pytorch_leaves_to_be_computed_are(tmp_path: Path) -> None:
    """How its exporter writes the pads of ReflectionPad2d(2)."""
    made = Made(13)
    made.add("Constant", of=[], value=numpy_helper.from_array(np.array([4])))
    zeros = made.add("ConstantOfShape", value=numpy_helper.from_array(np.array([0])))
    made.add("Concat", zeros, of=[made.add("Identity", of=[constant(made, np.array([2, 2, 2, 2]))])], axis=0)
    made.add("Reshape", np.array([-1, 2]))
    made.add("Slice", np.array([-1]), np.array([-(2**63) + 1]), np.array([0]), np.array([-1]))
    made.add("Transpose", perm=[1, 0])
    made.add("Reshape", np.array([-1]))
    made.add("Cast", to=TensorProto.INT64)
    made.add("Pad", made.last, of=["drawing"], mode="reflect")
    made.add("Conv", weights(3, 3, 5, 5))
    made.add("Tanh")
    path = made.save(tmp_path)
    [padded, *_] = imported(path).architecture.layers
    assert isinstance(padded, Conv) and padded.reflect
    assert unlike(path) < 1e-5


def constant(made: Made, value: np.ndarray) -> str:
    made.arrays.append(numpy_helper.from_array(value, f"given{len(made.arrays)}"))
    return made.arrays[-1].name


def simple(channels: int = 3, outputs: int = 3, **about: Any) -> Made:
    made = Made(channels=channels)
    made.add("Conv", weights(outputs, channels, 3, 3), pads=[1, 1, 1, 1], **about)
    return made


@pytest.mark.parametrize(
    ("kind", "inputs", "about", "words"),
    [
        ("AveragePool", [], {"kernel_shape": [1, 1]}, r"AveragePool \(node1\) is an operation that Nurie has not"),
        ("com.microsoft.Gelu", [], {}, r"com\.microsoft\.Gelu"),
        ("Clip", [np.float32(0)], {}, r"Clip \(node1\) is an operation that Nurie has not"),
        ("Conv", [weights(3, 3, 1, 3)], {}, r"Conv \(node1\) Expected the weights of a convolution with a square"),
        ("Conv", [weights(3, 3, 1, 1)], {"dilations": [2, 2]}, "is dilated"),
        ("Conv", [weights(3, 3, 1, 1)], {"strides": [2, 1]}, "other strides in height"),
        ("Conv", [weights(3, 3, 3, 3)], {"pads": [1, 0, 1, 0]}, "pads height and width differently"),
        ("Conv", [weights(2, 3, 1, 1)], {}, "Expected a picture of 1, 3 or 4 channels, but the graph makes 2"),
        ("Conv", [weights(3, 8, 1, 1)], {}, "takes 8 channels, but reads 3"),
        ("Concat", ["drawing"], {"axis": 2}, "joins something else than channels"),
        ("DepthToSpace", [], {"blocksize": 2}, "has mode DCR"),
        ("Mul", [np.ones((16, 16), np.float32)], {}, "changes something else than whole channels"),
        ("Mul", ["drawing"], {}, "is no sum of two tensors"),
        ("Relu", [], {}, None),
        ("Relu", ["more"], {}, None),
    ],
)
def test_what_nurie_has_not_is_named(
    kind: str, inputs: list[Any], about: dict[str, Any], words: str | None, tmp_path: Path
) -> None:
    made = simple()
    made.add(kind, *inputs, **about)
    path = made.save(tmp_path)
    if words is None:
        assert imported(path).notes
    else:
        with pytest.raises(NurieError, match=words):
            imported(path)


def test_a_graph_of_other_shapes_is_refused(tmp_path: Path) -> None:
    last = Made(sides=(16, 3))
    last.input = helper.make_tensor_value_info("drawing", TensorProto.FLOAT, [1, 16, 16, 3])
    last.add("Tanh")
    with pytest.raises(NurieError, match=r"Its channels come last \(\(1, 16, 16, 3\)\)"):
        imported(last.save(tmp_path))
    two = simple()
    two.nodes[0].input[1] = "noise"
    with pytest.raises(NurieError, match="has weights that are computed from the drawing"):
        imported(two.save(tmp_path))
    with pytest.raises(NurieError, match="has ONNX opset 8, and Nurie reads 9 to 21"):
        old_one = simple()
        old_one.opset = 8
        imported(old_one.save(tmp_path))


def test_labels_get_colours_and_the_user_is_told(tmp_path: Path) -> None:
    made = simple(channels=12)
    made.add("Tanh")
    found = imported(made.save(tmp_path))
    architecture = found.architecture
    assert (architecture.reads, len(set(architecture.palette))) == ("labels", 12)
    assert "takes 12 channels: they are read as labels" in found.notes[0]
    assert generator_of(found)(torch.from_numpy(RANDOM.uniform(-1, 1, (1, 3, 16, 16)))).shape == (1, 3, 16, 16)


def test_weights_may_lie_in_another_file_of_the_folder_and_nowhere_else(tmp_path: Path) -> None:
    made = simple()
    made.add("Tanh")
    path = made.save(tmp_path)
    whole = imported(path)

    def apart(location: str, **fields: int) -> Path:
        model = onnx.load(path)
        [tensor] = model.graph.initializer
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in {"location": location, **fields}.items():
            tensor.external_data.add(key=key, value=str(value))
        (folder / "weights.bin").write_bytes(bytes(8) + tensor.raw_data)
        tensor.ClearField("raw_data")
        (folder / "apart.onnx").write_bytes(model.SerializeToString())
        return folder / "apart.onnx"

    folder = tmp_path / "folder"
    folder.mkdir()
    found, generator = import_files([apart("weights.bin", offset=8)])
    assert found.contents.files == (folder / "apart.onnx", folder / "weights.bin")
    assert np.array_equal(generator.tensors["layers.0.weight"], whole.tensors["layers.0.weight"])
    (tmp_path / "weights.bin").write_bytes(bytes(1000))
    (folder / "link.bin").symlink_to(tmp_path / "weights.bin")
    for location in ("../weights.bin", str(tmp_path / "weights.bin"), "link.bin", "", "..", "..\\weights.bin"):
        with pytest.raises(NurieError, match="only files in its own folder are read"):
            imported(apart(location))
    with pytest.raises(NurieError, match="which is not there"):
        imported(apart("absent.bin"))
    for offset in (12, -8, 2**62):
        with pytest.raises(NurieError, match="too short"):
            imported(apart("weights.bin", offset=offset))


def test_damaged_graphs_are_refused_in_a_sentence(tmp_path: Path) -> None:
    made = simple(outputs=4)
    made.add("Relu")
    made.add("BatchNormalization", *(np.abs(weights(4)) for _ in range(4)))
    made.add("Conv", weights(3, 4, 1, 1))
    made.add("Tanh")
    assert damaged("onnx", made.save(tmp_path), changed_bytes).counts["refused"] > 50


def test_a_graph_that_claims_to_be_large_takes_no_memory(tmp_path: Path) -> None:
    made = simple()
    made.add("ConstantOfShape", constant(made, np.array([2**40])), of=[])
    made.add("Tanh", of=["value0"])
    with pytest.raises(NurieError, match=r"ConstantOfShape \(node1\) can not be computed"):
        imported(made.save(tmp_path))
    made = simple()
    made.arrays[0].dims[0] = 2**40
    with pytest.raises(NurieError, match="is damaged"):
        imported(made.save(tmp_path))
