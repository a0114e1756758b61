"""A checkpoint becomes a model folder that the engine runs, and predict uses both."""

import gzip
import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from conftest import square
from nurie.config import Export, Predict, Train
from nurie.convert.bundle import arranged
from nurie.drawings.pixels import draw_strokes
from nurie.engine.modelfile import Label, read_manifest, read_model
from nurie.engine.plan import FILL
from nurie.engine.reference_fill import filled
from nurie.errors import NurieError
from nurie.export import export, pencil_width
from nurie.files.schema import Stroke
from nurie.nets import checkpoint
from nurie.nets.generators import build_generator
from nurie.painting.inputs import find_drawings, load_drawing
from nurie.painting.painter import open_painter
from nurie.pairs.folder import PairFolder
from nurie.predict import predict
from nurie.training.options import metadata
from pages import write_model
from plans import small_unet

STYLES = [[0.5, -0.25, 0.125], [-0.5, 0.0, 1.0]]


def write_run(pairs: Path, folder: Path, enclosed: bool) -> Path:
    """A run folder with a checkpoint of an untrained generator for 64-pixel pairs."""
    torch.manual_seed(0)
    generator = build_generator("fast", 8, styles=True, enclosed=enclosed)
    torch.nn.init.normal_(generator.get_parameter("head.weight"), 0.0, 0.5)  # pictures of more than grey
    groups = {"ema": generator.state_dict()}
    groups["ema"]["style.colour"] = torch.tensor(STYLES[0])
    meta = metadata(Train(pairs, folder, size=square(64), width=8, enclosed=enclosed), 7) | {"styles": STYLES}
    checkpoint.save(folder / checkpoint.FILE, groups, meta)
    return folder


@pytest.fixture(scope="module")
def run(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(pairs, tmp_path_factory.mktemp("circles"), enclosed=False)


@pytest.fixture(scope="module")
def model(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(Export(run, tmp_path_factory.mktemp("out") / "model", title="Circles", credits=("Ours",)))


def weights_of(model: Path) -> Path:
    return next(model.glob("weights.*.bin*"))


def test_manifest_says_what_the_model_is(model: Path) -> None:
    manifest, plan, weights = read_model(model)
    packed = weights_of(model).read_bytes()
    assert (manifest.format, manifest.version, manifest.title) == ("nurie-model", 2, "Circles")
    assert manifest.input.width == manifest.input.height == 64
    assert manifest.input.multiple == 32 and manifest.norm == "fixed"
    assert manifest.direction == "AtoB"
    assert manifest.generator.kind == "fast" and manifest.generator.macs == plan.macs(64, 64)
    assert manifest.weights.bytes == len(packed) and manifest.weights.raw_bytes == len(weights)
    assert manifest.weights.sha256 == hashlib.sha256(packed).hexdigest()
    assert manifest.credits == ["Ours"]
    assert manifest.hints is True and manifest.styles == STYLES
    assert manifest.parity and 0 <= manifest.parity.mean_difference <= manifest.parity.tolerance


def test_areas_are_filled_on_demand(run: Path, model: Path, pairs: Path, tmp_path: Path) -> None:
    filling = export(Export(run, tmp_path / "model", title="Circles", credits=("Ours",), fill=True))
    expected, made = (read_model(folder)[0] for folder in (model, filling))
    assert expected.ops[-1]["op"] == "output"
    expected.ops[-1]["activation"] = FILL
    assert made == expected
    drawing, _ = (folder := PairFolder(pairs / "val", square(64))).read(folder.groups[0][0])
    plain, flat = (open_painter(path).paint(drawing) for path in (model, filling))
    assert np.array_equal(flat, filled(drawing, plain)) and not np.array_equal(flat, plain)


def test_wanted_styles_come_first_and_the_mean_last(run: Path, model: Path, tmp_path: Path) -> None:
    made = export(Export(run, tmp_path / "model", styles=("#c8843c", "#808080"), lines=0.5))
    manifest = read_manifest(made)
    assert manifest.styles == [[0.569, 0.035, -0.529], [0.004, 0.004, 0.004], STYLES[1], STYLES[0]]
    assert manifest.mean_style == open_painter(made).mean_seed == 3 and read_manifest(model).mean_style == 0
    assert manifest.lines == 0.5 and read_manifest(model).lines == 0
    assert manifest.parity == read_manifest(model).parity
    blue = export(Export(run, tmp_path / "model", styles=("#4080f8",)))
    assert read_manifest(blue).styles == [[-0.498, 0.004, 0.945], STYLES[0]]  # it is near the second one
    near = "#" + "".join(f"{round((level + 1) * 127.5):02x}" for level in STYLES[0])
    assert read_manifest(export(Export(run, tmp_path / "near", styles=("#4080f8", near)))).mean_style == 1


@pytest.mark.parametrize("style", ["red", "#c8843", "#c8843g", "c8843c", "#c8843c "])
def test_a_style_is_a_colour(run: Path, tmp_path: Path, style: str) -> None:
    with pytest.raises(NurieError, match=re.escape(f"--styles expects colours such as #c8843c; {style!r} is not that")):
        export(Export(run, tmp_path / "model", styles=("#808080", style)))


@pytest.fixture(scope="module")
def label_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on label maps: orange windows on blue walls -> pictures."""
    folder = tmp_path_factory.mktemp("walls")
    (folder / "run").mkdir()
    for split in ("train", "val"):
        (folder / "pairs" / split).mkdir(parents=True)
        for i in range(3):
            pair = np.full((64, 128, 3), (0, 48, 255), np.uint8)
            pair[10 : 20 + 8 * i, 12:40] = (255, 160, 0)
            Image.fromarray(pair).save(folder / "pairs" / split / f"{i}.png")
    return write_run(folder / "pairs", folder / "run", enclosed=False)


def test_label_maps_are_told_from_line_drawings(label_run: Path, model: Path, tmp_path: Path) -> None:
    lines, labels = read_manifest(model), read_manifest(export(Export(label_run, tmp_path / "model")))
    assert (lines.labels, lines.hints) == ([], True)
    assert (labels.labels, labels.hints) == ([Label("#0030ff"), Label("#ffa000")], False)
    assert "label map" in labels.input.meaning and "label map" not in lines.input.meaning


def test_labels_can_be_named(label_run: Path, tmp_path: Path) -> None:
    names = ("wall=#0030FF", "a = b=#ffa000")
    manifest = read_manifest(export(Export(label_run, tmp_path / "model", labels=names)))
    assert manifest.labels == [Label("#0030ff", "wall"), Label("#ffa000", "a = b")]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (("wall", "window=#ffa000"), "such as wall=#0030ff; 'wall' is not that"),
        (("=#0030ff", "window=#ffa000"), "'=#0030ff' is not that"),
        (("wall=blue", "window=#ffa000"), "'wall=blue' is not that"),
        (("wall=#0030ff",), "at least two labels"),
    ],
)
def test_wrong_labels_are_refused(label_run: Path, tmp_path: Path, labels: tuple[str, ...], message: str) -> None:
    with pytest.raises(NurieError, match=message):
        export(Export(label_run, tmp_path / "model", labels=labels))
    assert not (tmp_path / "model").exists()


def test_what_has_no_lines_or_styles_is_said(label_run: Path, tmp_path: Path) -> None:
    with pytest.raises(NurieError, match="label maps, without lines to show: leave out --lines"):
        export(Export(label_run, tmp_path / "model", lines=1))
    with pytest.raises(NurieError, match="trained without styles: leave out --styles"):
        arranged([[0, 0, 0]], [])


def test_strokes_are_no_presets_for_label_maps(label_run: Path, tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    line = {"title": {"en": "Line"}, "strokes": [{"width": 2, "points": [1, 2]}]}
    (tmp_path / "presets" / "1.json").write_text(json.dumps(line))
    with pytest.raises(NurieError, match=r"label maps: expected presets that are pictures"):
        export(Export(label_run, tmp_path / "out" / "model", presets=tmp_path / "presets"))
    assert not (tmp_path / "out").exists()


def test_presets_are_val_drawings_when_none_are_given(model: Path, pairs: Path) -> None:
    presets = read_manifest(model).presets
    assert len(presets) == 3
    for i, preset in enumerate(presets, 1):
        digest = hashlib.sha256((model / preset.image).read_bytes()).hexdigest()[:12]
        assert preset.image == f"preset-{i}.{digest}.png"
    folder = PairFolder(pairs / "val", square(64))
    with Image.open(model / presets[0].image) as first:
        assert np.array_equal(np.asarray(first), folder.read(folder.groups[0][0])[0])


def test_presets_from_a_folder(run: Path, tmp_path: Path) -> None:
    presets = tmp_path / "presets"
    presets.mkdir()
    stroke = {"width": 2, "points": [1, 2, 3, 4.5]}
    (presets / "1.json").write_text(json.dumps({"title": {"en": "Line", "ja": "線"}, "seed": 2, "strokes": [stroke]}))
    Image.new("RGB", (64, 64), "white").save(presets / "2.png")
    model = export(Export(run, tmp_path / "model", presets=presets))
    line, picture = read_manifest(model).presets
    assert line.title == {"en": "Line", "ja": "線"} and line.seed == 2 and line.strokes[0].points == [1, 2, 3, 4.5]
    assert re.fullmatch(r"preset-2\.[0-9a-f]{12}\.png", picture.image)
    assert (model / picture.image).read_bytes() == (presets / "2.png").read_bytes()


@pytest.mark.parametrize("text", ["{", "{}", '{"title": {"en": "a"}, "strokes": [{"width": 2, "points": [1]}]}'])
def test_broken_preset_is_named_and_nothing_is_left(run: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "a.json").write_text(text)
    with pytest.raises(NurieError, match=r"a\.json is no drawing of strokes"):
        export(Export(run, tmp_path / "out" / "model", presets=tmp_path / "presets"))
    assert not (tmp_path / "out").exists()


def test_export_is_reproducible(run: Path, model: Path, tmp_path: Path) -> None:
    again = export(Export(run, tmp_path / "model", title="Circles", credits=("Ours",)))
    for path in model.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_export_fails_when_the_engine_differs_and_keeps_the_old_model(run: Path, tmp_path: Path) -> None:
    model = export(Export(run, tmp_path / "model"))
    before = (model / "manifest.json").read_bytes()
    with pytest.raises(NurieError, match="differ from PyTorch's by 0"):
        export(Export(run, model, tolerance=0.0))
    assert (model / "manifest.json").read_bytes() == before
    with pytest.raises(NurieError, match="samples must be from 1 to"):
        export(Export(run, model, samples=0))


def test_wrong_weights_are_caught(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison is real: a lowering that loses a little of every weight does not pass."""
    from nurie import export as module

    lower = module.lower
    monkeypatch.setattr(module, "lower", lambda *a: (lower(*a)[0], bytes(len(lower(*a)[1]))))
    with pytest.raises(NurieError, match="nothing was written"):
        export(Export(run, tmp_path / "model", tolerance=0.0005))
    assert not (tmp_path / "model").exists()


def test_what_no_reader_would_take_is_not_written(run: Path, tmp_path: Path) -> None:
    with pytest.raises(NurieError, match=r"No manifest can say this: `\$\.credits`: expected `array` of length <= 256"):
        export(Export(run, tmp_path / "model", credits=tuple(map(str, range(257)))))
    assert list(tmp_path.iterdir()) == []


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_model_lists_its_files_and_only_these_are_replaced(run: Path, tmp_path: Path) -> None:
    model = export(Export(run, tmp_path / "model", samples=1))
    before = files(model)
    hashed = re.compile(r"(weights|preset-\d)\.[0-9a-f]{12}\.(bin|png)")
    assert all(name == "manifest.json" or hashed.fullmatch(name) for name in before)
    assert set(read_manifest(model).files) == before.keys()
    mine = {"notes.txt": b"1", "site/index.html": b"2", "weights.bin.gz": b"3", "model.onnx": b"4", ".git/HEAD": b"5"}
    for name, data in mine.items():
        (model / name).parent.mkdir(exist_ok=True)
        (model / name).write_bytes(data)
    presets = tmp_path / "presets"
    presets.mkdir()
    Image.new("RGB", (64, 64), "white").save(presets / "1.png")
    export(Export(run, model, presets=presets, samples=1))
    after = files(model)
    assert mine.items() <= after.items()
    assert {name.split(".")[0] for name in after.keys() - mine.keys()} == {"manifest", "weights", "preset-1"}
    assert set(read_manifest(model).files) == after.keys() - mine.keys()


def test_an_older_models_files_are_those_that_its_manifest_names(run: Path, tmp_path: Path) -> None:
    presets = [{"title": "1", "image": "preset-1.png"}]
    model = write_model(tmp_path / "model", 64, *small_unet(), presets=presets)
    for name in ("preset-1.png", "preset-2.png", "model.onnx"):
        (model / name).write_bytes(b"old")
    export(Export(run, model, samples=1))
    assert files(model).keys() - read_manifest(model).files == {"preset-2.png"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Converting a tensor to a Python boolean")
def test_an_onnx_file_is_a_models_own_where_its_list_says_so(run: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    export(Export(run, model, format=("nurie", "onnx"), samples=1))
    assert (model / "model.onnx").is_file() and "model.onnx" in read_manifest(model).files
    export(Export(run, model, samples=1))
    assert not (model / "model.onnx").exists() and "model.onnx" not in read_manifest(model).files
    (model / "model.onnx").write_bytes(b"mine")
    before = files(model)
    with pytest.raises(NurieError, match=r"model\.onnx is in the way"):
        export(Export(run, model, format=("nurie", "onnx"), samples=1))
    assert files(model) == before


def test_a_run_and_a_model_may_lie_in_each_other(
    run: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = Path(shutil.copytree(model, tmp_path / "outer"))
    inner = Path(shutil.copytree(run, outer / "run"))
    monkeypatch.chdir(outer)
    kept = files(inner)
    export(Export(Path("run"), Path("."), samples=1))
    export(Export(Path("../outer/run"), Path("run/model"), samples=1))
    assert kept.items() <= files(inner).items()
    assert read_manifest(outer).files and read_manifest(inner / "model").files
    with pytest.raises(NurieError, match="is no model folder"):
        export(Export(inner, inner, samples=1))
    assert kept.items() <= files(inner).items()


@pytest.mark.parametrize("text", ['{"name": "app", "icons": []}', "{", '{"format": "nurie-model", "version": 9}'])
def test_somebody_elses_manifest_is_no_leave_to_write(run: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(NurieError, match=r"manifest\.json (is not the manifest|has a format).*Choose another folder"):
        export(Export(run, tmp_path))
    assert files(tmp_path) == {"manifest.json": text.encode()}


def test_export_does_not_replace_a_foreign_folder(run: Path, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("keep me")
    with pytest.raises(NurieError, match="is no model folder"):
        export(Export(run, tmp_path / "letters"))
    assert (tmp_path / "letters" / "dear.txt").exists()


def test_missing_pairs_ask_for_pairs(run: Path, tmp_path: Path) -> None:
    with pytest.raises(NurieError, match="Name the pairs folder with --pairs"):
        export(Export(run, tmp_path / "model", pairs=tmp_path / "nowhere"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the exporter that needs no further package
@pytest.mark.filterwarnings("ignore:Converting a tensor to a Python boolean")
def test_onnx_file_is_checked_with_onnx_runtime(run: Path, tmp_path: Path) -> None:
    import onnxruntime

    model = export(Export(run, tmp_path / "model", format=("nurie", "onnx")))
    session = onnxruntime.InferenceSession(str(model / "model.onnx"), providers=["CPUExecutionProvider"])
    (picture,) = session.run(None, {"drawing": np.zeros((2, 3, 64, 64), np.float32)})
    assert np.asarray(picture).shape == (2, 3, 64, 64)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Converting a tensor to a Python boolean")
def test_onnx_file_takes_how_enclosed_places_are(pairs: Path, tmp_path: Path) -> None:
    import onnxruntime

    (tmp_path / "run").mkdir()
    run = write_run(pairs, tmp_path / "run", enclosed=True)
    model = export(Export(run, tmp_path / "model", format=("nurie", "onnx")))
    session = onnxruntime.InferenceSession(str(model / "model.onnx"), providers=["CPUExecutionProvider"])
    drawings, maps = np.zeros((2, 3, 64, 64), np.float32), np.stack([np.zeros((1, 32, 32)), np.ones((1, 32, 32))])
    (pictures,) = session.run(None, {"drawing": drawings, "enclosed": maps.astype(np.float32)})
    pictures = np.asarray(pictures)
    assert pictures.shape == (2, 3, 64, 64)
    assert np.abs(pictures[0] - pictures[1]).max() > 1e-3


@pytest.mark.parametrize(("data", "words"), [(b"", "is no complete gzip file"), (b"1234", "holds 4 bytes of weights")])
def test_a_damaged_model_of_version_1(tmp_path: Path, data: bytes, words: str) -> None:
    model = write_model(tmp_path / "model", 64, *small_unet())
    (model / "weights.bin.gz").write_bytes(gzip.compress(data) if data else gzip.compress(b"1234")[:-9])
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["weights"]["sha256"] = hashlib.sha256((model / "weights.bin.gz").read_bytes()).hexdigest()
    (model / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(NurieError, match=words):
        read_model(model)


def test_damaged_models_give_a_sentence(model: Path, tmp_path: Path) -> None:
    def broken(name: str, change) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for path in model.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        change(folder)
        return folder

    def truncate(folder: Path) -> None:
        path = weights_of(folder)
        path.write_bytes(path.read_bytes()[:-100])

    def truncate_honestly(folder: Path) -> None:
        truncate(folder)
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["weights"]["sha256"] = hashlib.sha256(weights_of(folder).read_bytes()).hexdigest()
        (folder / "manifest.json").write_text(json.dumps(manifest))

    def shorten(folder: Path) -> None:
        weights_of(folder).write_bytes(gzip.compress(b"1234"))
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["weights"]["sha256"] = hashlib.sha256(weights_of(folder).read_bytes()).hexdigest()
        (folder / "manifest.json").write_text(json.dumps(manifest))

    cases = [
        ("damaged", truncate, "its checksum differs"),
        ("truncated", truncate_honestly, r"is damaged: expected \d+ bytes of coded weights"),
        ("another", shorten, r"is damaged: expected \d+ bytes of coded weights"),
        ("gone", lambda f: weights_of(f).unlink(), "which is not in"),
        ("json", lambda f: (f / "manifest.json").write_text("{"), "is not the manifest of a model"),
        ("none", lambda f: (f / "manifest.json").unlink(), "There is no manifest.json"),
    ]
    for name, change, sentence in cases:
        with pytest.raises(NurieError, match=sentence):
            read_model(broken(name, change))


def test_newer_version_is_refused(model: Path, tmp_path: Path) -> None:
    manifest = json.loads((model / "manifest.json").read_text()) | {"version": 3}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(NurieError, match="has a format that this version of Nurie does not know"):
        read_manifest(tmp_path)


def test_model_and_run_predict_nearly_the_same(run: Path, model: Path, pairs: Path) -> None:
    drawing = PairFolder(pairs / "val", square(64)).read(pairs / "val" / "p0--few.png")[0]
    by_engine, by_torch = open_painter(model), open_painter(run)
    assert (by_engine.height, by_engine.width) == (by_torch.height, by_torch.width) == (64, 64)
    difference = np.abs(by_engine.paint(drawing).astype(int) - by_torch.paint(drawing))
    assert difference.mean() < 2


def test_folder_of_drawings_is_coloured_and_unreadable_ones_are_named(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    Image.new("RGB", (64, 64), "white").save(tmp_path / "in" / "a.png")
    Image.new("L", (200, 100), 0).save(tmp_path / "in" / "sub" / "a.jpg")
    (tmp_path / "in" / "b.png").write_bytes(b"no picture")
    predict(Predict(model, (tmp_path / "in",), tmp_path / "out", tmp_path / "new" / "sheet.png"))
    with Image.open(tmp_path / "new" / "sheet.png") as sheet:
        assert sheet.size == (4 + 4 * 68, 4 + 68)  # two drawings, each beside its picture
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [".nurie.json", "a-2.png", "a.png"]
    with Image.open(tmp_path / "out" / "a.png") as picture:
        assert picture.size == (64, 64)
    assert "b.png can not be read as a picture" in capsys.readouterr().err.replace("\n", "")


def test_a_seed_chooses_the_colouring(run: Path, model: Path, tmp_path: Path) -> None:
    line = {"title": {"en": "Line"}, "strokes": [{"width": 3, "points": [5, 5, 60, 40]}]}
    for name, seed in (("plain", {}), ("third", {"seed": 2})):
        (tmp_path / f"{name}.json").write_text(json.dumps(line | seed))
    drawings = tmp_path / "plain.json", tmp_path / "third.json"

    def painted(path: Path, seed: int | None) -> list[np.ndarray]:
        out = predict(Predict(path, drawings, tmp_path / "out", seed=seed))
        return [np.asarray(Image.open(out / f"{drawing.stem}.png")).astype(int) for drawing in drawings]

    for path in (model, run):
        own, first, second, third = (painted(path, seed) for seed in (None, 0, 1, 2))
        for one, same in (first, second, third):
            assert np.array_equal(one, same)
        assert np.array_equal(own, [first[0], third[0]])
        other_style, other_noise = np.abs(first[0] - second[0]).mean(), np.abs(first[0] - third[0]).mean()
        assert other_style > 1.5 * other_noise > 0
    assert np.abs(np.subtract(painted(model, 1), painted(run, 1))).mean() < 2
    with pytest.raises(NurieError, match=r"--seed must be from 0 to 9007199254740991, but it is -1"):
        painted(model, -1)


def test_drawing_is_laid_on_white_and_kept_whole(tmp_path: Path) -> None:
    drawing = Image.new("RGBA", (40, 20), (0, 0, 0, 0))
    drawing.paste((0, 0, 0, 255), (0, 0, 20, 20))
    drawing.save(tmp_path / "a.png")
    loaded = load_drawing(tmp_path / "a.png", 32, 32)
    assert loaded.shape == (32, 32, 3)
    assert (loaded[0] == 255).all() and (loaded[31] == 255).all()  # padded above and below
    assert (loaded[16, 2] == 0).all() and (loaded[16, 30] == 255).all()  # ink, and alpha as paper
    exact = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(exact).save(tmp_path / "b.png")
    assert np.array_equal(load_drawing(tmp_path / "b.png", 32, 32), exact)


def test_drawings_of_16_bits_and_of_other_kinds_are_read_as_photos_are(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    Image.fromarray(grey).save(tmp_path / "scan.tif")
    assert [path.name for path in find_drawings((tmp_path,))] == ["deep.png", "scan.tif"]
    for name in ("deep.png", "scan.tif"):
        assert np.array_equal(load_drawing(tmp_path / name, 32, 32), np.dstack([grey] * 3))


def test_label_map_is_laid_on_its_ground_and_strokes_cover_it(tmp_path: Path) -> None:
    labels = ["#0030ff", "#ffa000"]
    Image.new("RGBA", (40, 20), (255, 160, 0, 0)).save(tmp_path / "a.png")
    loaded = load_drawing(tmp_path / "a.png", 32, 32, labels)
    assert (loaded == (0x00, 0x30, 0xFF)).all()  # margins and transparent pixels
    boxes = {"tool": "box", "width": 3, "points": [20, 4, 8.6, 0, 30, 30, 40, 31], "colour": "#ffa000"}
    eraser = {"tool": "eraser", "width": 2, "points": [10, 2, 10, 40]}
    drawing = {"title": {}, "strokes": [boxes, eraser], "paper": {"colour": "#123456", "covered": True}}
    (tmp_path / "map.json").write_text(json.dumps(drawing))
    drawn = load_drawing(tmp_path / "map.json", 32, 32, labels)
    expected = np.full((32, 32, 3), (0x00, 0x30, 0xFF), np.uint8)
    expected[0:4, 9:20] = expected[30, 30:] = (0xFF, 0xA0, 0x00)
    expected[1:, 9:11] = (0x00, 0x30, 0xFF)
    assert np.array_equal(drawn, expected)
    ground = load_drawing(tmp_path / "map.json", 32, 32)[20, 20].tolist()
    assert ground == [0x12, 0x34, 0x56]  # of a run, whose labels are not known
    (tmp_path / "map.json").write_text(json.dumps({**drawing, "strokes": [{**boxes, "points": [1, 2]}]}))
    with pytest.raises(NurieError, match="expected two corners for each box, got 1 points"):
        load_drawing(tmp_path / "map.json", 32, 32, labels)


@pytest.mark.parametrize("width", [2, 3, 7])
def test_the_pencil_is_as_wide_as_the_drawings_lines(width: int) -> None:
    drawing = draw_strokes([Stroke(width, [40, 40, 200, 60, 220, 180, 60, 210, 40, 40])], 256, 256)
    assert abs(pencil_width([drawing, drawing]) - width) <= 0.5
    assert pencil_width([np.zeros_like(drawing)]) == 2  # no line drawing


def test_a_title_in_two_languages(run: Path, tmp_path: Path) -> None:
    model = export(Export(run, tmp_path / "model", title="Circles", title_ja="円"))
    assert read_manifest(model).title == {"en": "Circles", "ja": "円"}


def test_nothing_to_predict_gives_a_sentence(model: Path, tmp_path: Path) -> None:
    with pytest.raises(
        NurieError, match=r"There is no .*nowhere.*Expected a model folder, a run folder or a checkpoint"
    ):
        predict(Predict(tmp_path / "nowhere", (tmp_path,), tmp_path / "out"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(NurieError, match="There are no pictures in"):
        predict(Predict(model, (tmp_path / "empty",), tmp_path / "out"))
    (tmp_path / "empty" / "a.png").write_bytes(b"")
    with pytest.raises(NurieError, match="None of the 1 drawings could be read"):
        predict(Predict(model, (tmp_path / "empty",), tmp_path / "out"))
