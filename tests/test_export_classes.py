"""A run that paints in the colours of a palette becomes a model, which the engine fills areas by."""

from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import TINY, square
from nurie.config import Export, Train
from nurie.convert.parity import compare, probabilities_of
from nurie.convert.restore import restore
from nurie.drawings.palette import to_bytes
from nurie.engine.modelfile import ONNX, read_manifest, read_model
from nurie.engine.plan import CLASSES, FILL
from nurie.engine.reference_fill import filled_classes
from nurie.engine.wasm import Engine
from nurie.errors import NurieError
from nurie.export import export
from nurie.nets import checkpoint
from nurie.nets.generators import COARSE, build_generator
from nurie.nets.tensors import to_tensor
from nurie.painting.painter import open_painter
from nurie.pairs.folder import open_pairs
from nurie.train import train
from nurie.training.options import metadata

PALETTE = ["#ffffff", "#000000", "#dc2828", "#2850c8", "#fadc3c"]


def drawings(pairs: Path) -> list[np.ndarray]:
    folder = open_pairs(pairs, "val", square(64), "AtoB")
    return [folder.read(path)[0] for path in folder.spread(3)]


@pytest.fixture(scope="module")
def run(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with an untrained generator of five colours."""
    folder = tmp_path_factory.mktemp("flat")
    meta = metadata(Train(pairs, folder, size=square(64), width=8, colours=5, styles=False), 7)
    torch.manual_seed(0)
    generator = build_generator(**meta["generator"])
    torch.nn.init.normal_(generator.get_parameter("head.weight"), 0.0, 0.5)
    about = meta | {"palette": PALETTE, "shares": [0.2] * 5}
    checkpoint.save(folder / checkpoint.FILE, {"ema": generator.state_dict()}, about)
    return folder


@pytest.fixture(scope="module")
def model(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(Export(run, tmp_path_factory.mktemp("out") / "model", format=("nurie", "onnx")))


def test_its_plan_gives_areas_the_colours_of_the_palette(model: Path, pairs: Path) -> None:
    manifest, plan, weights = read_model(model)
    output = plan.ops[-1]
    assert manifest.palette == PALETTE and manifest.generator.colours == 5 and manifest.styles == []
    assert (output.mode, output.activation, output.in_channels, output.shuffle) == (CLASSES, FILL, 5, COARSE)
    stored = np.frombuffer(weights, np.uint8, 15, output.weight).reshape(5, 3)
    assert np.array_equal(stored, to_bytes(PALETTE))
    engine, painter = Engine(plan, weights=weights), open_painter(model)
    for dice in (0, 9):
        painter.set_seed(dice)
        for drawing in drawings(pairs):
            picture = painter.paint(drawing)
            engine.run(drawing)
            assert np.array_equal(picture, filled_classes(drawing, engine.tensor(output.input), stored, dice))


def test_its_engine_makes_no_more_logits_than_the_generator(model: Path) -> None:
    _, plan, _ = read_model(model)
    assert plan.sizes(64, 64)[plan.ops[-1].input] == (64 // COARSE, 64 // COARSE)


def test_it_is_compared_with_pytorch_by_probabilities(run: Path, model: Path, pairs: Path) -> None:
    _, plan, weights = read_model(model)
    parity = read_manifest(model).parity
    assert parity and 0 < parity.mean_difference < 0.02 and parity.max_difference < 0.2
    generator, shown = checkpoint.load_generator(run)[0], drawings(pairs)
    with torch.no_grad():
        generator.get_parameter("head.bias")[0::20] += 8  # another colour is likelier
    expected = probabilities_of(generator, shown)
    assert all(np.allclose(each.sum(2), 1, atol=1e-5) for each in expected)
    with pytest.raises(NurieError, match="differ from PyTorch's by 0"):
        compare(plan, weights, [], shown, expected, 0.02)


def test_onnx_has_its_logits(run: Path, model: Path, pairs: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(str(model / ONNX), providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == ["logits"]
    generator, x = checkpoint.load_generator(run)[0], to_tensor(drawings(pairs)[:1])
    given = {"drawing": x.numpy(), "enclosed": generator.enclosed(x).numpy()}  # type: ignore[union-attr, operator]
    names = {each.name for each in session.get_inputs()}
    [logits] = session.run(None, {name: value for name, value in given.items() if name in names})
    assert logits.shape == (1, 5, 64 // COARSE, 64 // COARSE)


def test_a_run_can_go_on_from_such_a_model(model: Path, run: Path, pairs: Path, tmp_path: Path) -> None:
    made_by = checkpoint.about(run)["generator"]
    x = to_tensor(drawings(pairs))
    generator, manifest = restore(model, made_by, lambda: x)
    with torch.no_grad():
        expected, made = (net(x).softmax(1) for net in (checkpoint.load_generator(run)[0], generator))
    assert (expected - made).abs().mean() < 0.02 and manifest.palette == PALETTE
    with pytest.raises(NurieError, match="colours 5, but this run's has colours 0"):
        restore(model, made_by | {"colours": 0}, lambda: x)
    config = Train(pairs, tmp_path / "run", steps=1, init=model, **TINY | {"width": 8, "colours": 5, "styles": False})
    assert checkpoint.about(train(config))["palette"] == PALETTE
    without = {name: value for name, value in made_by.items() if name != "colours"}
    with pytest.raises(NurieError, match="colours 5, but this run's has colours 0"):
        restore(model, without, lambda: x)
