"""Whatever a file from outside holds, it is read or refused with one sentence. bench/damaged.py tries more."""

import io
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import mutations
from conftest import circle_pair
from mutations import Format
from nurie.drawings.sheets import to_png
from nurie.errors import NurieError
from nurie.export import presets_of
from nurie.files.ours import BEST
from nurie.nets import checkpoint
from nurie.training.state import unflatten

CASES = 60  # of each format
PNG = to_png(circle_pair(1))
HUGE = PNG[:8] + mutations.chunk(b"IHDR", struct.pack(">II", 20_000, 20_000) + PNG[24:29]) + PNG[33:]
NAMES = ["checkpoint", "checkpoint without checksums", "manifest", "strokes", "site", "preset picture",
         "preset strokes", "classes", "labels", "prepare.json", "pair record", "list of results",
         "list of what was begun"]  # fmt: skip


@pytest.fixture(scope="module")
def formats(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Format]:
    return mutations.made_up(tmp_path_factory.mktemp("formats"))


def test_every_format_is_tried(formats: dict[str, Format]) -> None:
    assert list(formats) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_file_is_one_sentence_or_read(formats: dict[str, Format], name: str) -> None:
    tried = formats[name]
    assert tried.refusal(tried.valid) == ""
    tried.try_all(CASES)
    assert tried.counts.total() >= CASES


def changed(run: Path, header: Callable[[dict[str, Any]], object], about: Callable[[dict[str, Any]], object]) -> None:
    """Change the header of a run's checkpoint, and the metadata in it."""
    data = (run / BEST).read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    found = json.loads(data[8 : 8 + length])
    meta = json.loads(found["__metadata__"]["nurie"])
    about(meta)
    found["__metadata__"]["nurie"] = json.dumps(meta)
    header(found)
    text = json.dumps(found).encode()
    (run / BEST).write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


HEAD = "ema/head.bias"
WRONG_HEADER = [
    (lambda h: h["__metadata__"].update(nurie="{"), "is damaged: .*"),
    (lambda h: h["__metadata__"].update(nurie="[" * 100_000), "nested too deeply"),
    (lambda h: h["__metadata__"].update(nurie="[1]"), "not a checkpoint written by `nurie train`"),
    (lambda h: h.update({"ema/head.bios": h.pop(HEAD)}), r"head\.bias is absent, but of fast with width 4 it is F32"),
    (lambda h: h.update({"ema/more": h.pop("ema/style.colour")}), "more is F32 .*, but .* it is absent"),
    (lambda h: h[HEAD].update(dtype="I32"), r"head\.bias is I32 \[12\], but of fast with width 4 it is F32 \[12\]"),
    (lambda h: h[HEAD].update(shape=[3, 4]), r"head\.bias is F32 \[3, 4\], but"),
    (lambda h: h[HEAD].update(shape=[2**40]), "is damaged or not a safetensors file"),
]
WRONG_METADATA = [
    (lambda m: m.update(step=-1), r"`\$\.step`: expected `int` >= 0"),
    (lambda m: m.update(step=1.5), r"`\$\.step`: expected `int`"),
    (lambda m: m.pop("step"), r"`\$\.step` is missing"),
    (lambda m: m.update(version=2), "has checkpoint version 2, but this Nurie reads 1"),
    (lambda m: m["generator"].update(kind="diffusion"), r"`\$\.generator\.kind`: expected `str` matching"),
    (lambda m: m["generator"].update(width=6), r"`\$\.generator\.width`"),
    (lambda m: m["generator"].update(width=10**6), r"`\$\.generator\.width`: expected `int` <= 1024"),
    (lambda m: m["generator"].update(width=1024), "of fast with width 1024 it is"),
    (
        lambda m: m["train"].update(size=0),
        r"`\$\.train\.size`: expected 16 to 4096 pixels, .* 32; got 0\.",
    ),
    (lambda m: m["train"].update(size="64x33"), r"`\$\.train\.size`: expected 16 to 4096 .* 32; got 64x33\."),
    (lambda m: m["train"].update(size="64 x 64"), r"`\$\.train\.size`: expected WIDTHxHEIGHT .*; got '64 x 64'\."),
    (lambda m: m["train"].update(direction="AtoC"), r"`\$\.train\.direction`"),
    (lambda m: m.update(styles=[[0, 2, 0]]), r"`\$\.styles\[0\]\[1\]`: expected `float` <= 1"),
    (lambda m: m.update(best=float("nan")), r"`\$\.best`"),
    (lambda m: m.update(checksums={"ema": "0"}), "the checksum of ema differs"),
]


def nothing(_: object) -> None: ...


@pytest.mark.parametrize(
    ("header", "about", "words"),
    [(h, nothing, words) for h, words in WRONG_HEADER] + [(nothing, about, words) for about, words in WRONG_METADATA],
)
def test_a_checkpoint_that_is_none_says_why(header: Any, about: Any, words: str, tmp_path: Path) -> None:
    run = mutations.checkpoint_of(tmp_path / "run")
    changed(run, header, about)
    with pytest.raises(NurieError, match=words) as error:
        checkpoint.load_generator(run)
    assert str(run / BEST) in str(error.value)


def test_a_checkpoint_may_have_fields_of_a_newer_nurie(tmp_path: Path) -> None:
    run = mutations.checkpoint_of(tmp_path / "run")
    changed(run, nothing, lambda meta: [meta.update(newer=1, best=float("inf")), meta["generator"].update(newer=[1])])
    assert checkpoint.load_generator(run)[1]["newer"] == 1


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    run = mutations.checkpoint_of(tmp_path / "run")
    groups, meta = checkpoint.load(run / BEST)
    groups["ema"]["head.bias"][3] = float("inf")
    checkpoint.save(run / BEST, groups, meta)
    with pytest.raises(NurieError, match="holds weights that are no numbers"):
        checkpoint.load_generator(run)


def test_an_optimisers_state_of_another_net_is_refused() -> None:
    parameter = torch.nn.Parameter(torch.zeros(2, 3))
    adam = torch.optim.Adam([parameter])
    good = {"0/step": torch.tensor(1.0), "0/exp_avg": torch.ones(2, 3), "0/exp_avg_sq": torch.ones(2, 3)}
    unflatten(adam, good, Path("a"))
    for wrong in (
        {"1/step": torch.tensor(1.0)},
        {"x": torch.tensor(1.0)},
        good | {"0/exp_avg": torch.ones(3, 2)},
        {"0/step": torch.tensor(1.0)},
    ):
        with pytest.raises(NurieError, match="The optimiser's state in a "):
            unflatten(adam, wrong, Path("a"))


def test_preset_pictures_are_written_anew_in_the_models_size(tmp_path: Path) -> None:
    drawing = circle_pair(1)[:, :64]
    for name, size in (("same", (64, 64)), ("large", (200, 200)), ("wide", (128, 64))):
        Image.fromarray(drawing).resize(size).save(tmp_path / f"{name}.png", exif=b"secret")
    (tmp_path / "._same.png").write_bytes(b"of macOS")
    presets, files = presets_of(tmp_path, [drawing])
    assert [preset.title for preset in presets] == [{"en": "large"}, {"en": "same"}, {"en": "wide"}]
    pictures = [Image.open(io.BytesIO(files[preset.image])) for preset in presets]
    assert [(picture.size, picture.mode) for picture in pictures] == [((64, 64), "RGB")] * 3
    assert np.array_equal(np.asarray(pictures[1]), drawing)
    assert np.asarray(pictures[2])[[0, -1]].min() == 255
    assert all(b"secret" not in data for data in files.values())
    presets, files = presets_of(tmp_path, [drawing], ["#0030ff"])  # label maps
    assert np.asarray(Image.open(io.BytesIO(files[presets[2].image])))[0, 0].tolist() == [0, 0x30, 0xFF]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.png", b"no picture", r"a\.png can not be read as a picture"),
        ("a.png", to_png(circle_pair(1))[:200], r"a\.png can not be read as a picture"),
        ("a.png", HUGE, "has 20000x20000 pixels, and 180 million can be read"),
        ("a.json", b"{", r"a\.json is no drawing of strokes"),
    ],
)
def test_a_preset_that_is_no_drawing_is_a_sentence(name: str, data: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(NurieError, match=words):
        presets_of(tmp_path, [circle_pair(1)[:, :64]])
