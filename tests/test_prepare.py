"""Photos of every kind -> pairs."""

import dataclasses
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from conftest import square
from nurie.config import Prepare
from nurie.errors import NurieError
from nurie.files.pictures import SUFFIXES, read_picture
from nurie.pairs.names import picture_name, split_of
from nurie.photos.subject import mend, place
from nurie.prepare import prepare
from photos import config, photo, save


def halves(path: Path) -> tuple[np.ndarray, np.ndarray]:
    left, right = np.hsplit(np.asarray(Image.open(path)), 2)
    return left, right


def test_jpeg_png_and_webp_give_three_details_each(tmp_path: Path) -> None:
    for i, suffix in enumerate(("jpg", "png", "webp")):
        save(tmp_path / "photos" / f"p{i}.{suffix}", photo(seed=i))
    prepare(config(tmp_path))
    names = sorted(path.name for path in (tmp_path / "pairs" / "train").iterdir())
    assert names == sorted(f"p{i}--{detail}.png" for i in range(3) for detail in ("few", "some", "many"))
    with Image.open(tmp_path / "pairs" / "train" / "p0--few.png") as image:
        assert (image.size, image.mode) == ((64, 32), "RGB")
    assert (tmp_path / "pairs" / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_mask_puts_the_subject_on_white_and_crops_to_it(tmp_path: Path) -> None:
    save(tmp_path / "photos" / "a.png", np.full((100, 200, 3), (200, 30, 30), np.uint8))
    mask = np.zeros((50, 100), np.uint8)  # half the size: masks are resized
    mask[20:30, 70:90] = 255
    save(tmp_path / "masks" / "a.png", mask)
    prepare(config(tmp_path, masks=tmp_path / "masks", details=("some",), size=square(64)))
    drawing, picture = halves(tmp_path / "pairs" / "train" / "a--some.png")
    assert (picture[0] == 255).all() and (picture[:, 0] == 255).all()
    red = np.abs(picture.astype(int) - (200, 30, 30)).max(axis=2) < 3
    _, xs = np.nonzero(red)
    assert 50 <= xs.max() - xs.min() + 1 <= 58  # the subject's longer side fills the square but for the margin
    assert (drawing < 128).any()


def test_alpha_is_the_mask_when_there_is_no_mask_folder(tmp_path: Path) -> None:
    rgba = np.zeros((80, 80, 4), np.uint8)
    rgba[20:60, 30:50] = (10, 200, 10, 255)
    save(tmp_path / "photos" / "a.png", rgba)
    prepare(config(tmp_path, details=("few",)))
    _, picture = halves(tmp_path / "pairs" / "train" / "a--few.png")
    assert tuple(picture[16, 16]) == (10, 200, 10)
    assert (picture[:, 0] == 255).all()


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    image = np.full((20, 40, 3), 255, np.uint8)
    image[:, :10] = (255, 0, 0)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    save(tmp_path / "a.png", image, exif=exif)
    upright, _ = read_picture(tmp_path / "a.png")
    assert upright.shape == (40, 20, 3)
    assert tuple(upright[2, 10]) == (255, 0, 0) and tuple(upright[30, 10]) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "I;16", "LA", "RGBA", "1"])
def test_every_pixel_format_is_read(tmp_path: Path, mode: str) -> None:
    suffix = "tiff.jpg" if mode == "CMYK" else "png"
    deep = Image.fromarray(np.full((40, 60), 65535, np.uint16))
    source = deep if mode == "I;16" else Image.fromarray(photo()).convert(mode)
    if mode in ("LA", "RGBA"):
        source.putalpha(Image.linear_gradient("L").resize(source.size))
    source.save(tmp_path / f"a.{suffix}", "JPEG" if mode == "CMYK" else "PNG")
    picture, alpha = read_picture(tmp_path / f"a.{suffix}")
    assert picture.shape == (40, 60, 3) and picture.dtype == np.uint8
    assert (alpha is not None) == (mode in ("LA", "RGBA"))
    if mode == "I;16":
        assert (picture == 255).all()


def test_unreadable_files_are_named_and_the_rest_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    save(tmp_path / "photos" / "good.png", photo())
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"no picture")
    prepare(config(tmp_path, details=("few",)))
    said = capsys.readouterr().err.replace("\n", "")
    assert "left out:" in said and "broken.jpg can not be read as a picture" in said
    assert [path.name for path in (tmp_path / "pairs" / "train").iterdir()] == ["good--few.png"]


def test_processes_give_the_same_files(tmp_path: Path) -> None:
    for i in range(3):
        save(tmp_path / "photos" / f"p{i}.png", photo(seed=i))
    prepare(config(tmp_path, details=("few",)))
    prepare(dataclasses.replace(config(tmp_path, details=("few",)), pairs=tmp_path / "other", workers=2))
    for i in range(3):
        one, two = (tmp_path / folder / "train" / f"p{i}--few.png" for folder in ("pairs", "other"))
        assert one.read_bytes() == two.read_bytes()


def test_gray_mode_asks_for_the_colours(tmp_path: Path) -> None:
    save(tmp_path / "photos" / "a.png", photo())
    prepare(config(tmp_path, mode="gray", fit="pad"))
    gray, picture = halves(tmp_path / "pairs" / "train" / "a.png")
    assert np.ptp(gray, axis=2).max() == 0 and np.ptp(picture, axis=2).max() > 0
    assert np.abs(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(int) - gray[:, :, 0]).max() <= 1


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_two_folders_become_pairs(tmp_path: Path, direction: str) -> None:
    save(tmp_path / "photos" / "sub" / "a.png", np.full((40, 40, 3), 200, np.uint8))
    save(tmp_path / "inputs" / "sub" / "a.jpg", np.full((20, 20, 3), 50, np.uint8))
    prepare(config(tmp_path, mode="folders", inputs=tmp_path / "inputs", direction=direction))
    left, right = halves(tmp_path / "pairs" / "train" / "sub-a.png")
    assert (int(left.mean()), int(right.mean())) == ((50, 200) if direction == "AtoB" else (200, 50))


def test_line_art_on_transparency_lies_on_white(tmp_path: Path) -> None:
    save(tmp_path / "photos" / "a.png", np.full((40, 40, 3), 200, np.uint8))
    ink = np.zeros((40, 40, 4), np.uint8)
    ink[18:22] = (0, 0, 0, 255)
    save(tmp_path / "inputs" / "a.png", ink)
    prepare(config(tmp_path, mode="folders", inputs=tmp_path / "inputs"))
    drawing, _ = halves(tmp_path / "pairs" / "train" / "a.png")
    assert drawing[4].min() > 250 and drawing[16].max() < 5


@pytest.mark.parametrize("fit", ["pad", "crop"])
def test_thin_lines_of_large_drawings_stay_dark(tmp_path: Path, fit: str) -> None:
    save(tmp_path / "photos" / "a.png", np.full((400, 800, 3), 200, np.uint8))
    ink = np.full((1200, 2400, 3), 255, np.uint8)
    ink[600:602] = 0
    save(tmp_path / "inputs" / "a.png", ink)
    prepare(config(tmp_path, mode="folders", inputs=tmp_path / "inputs", fit=fit))
    drawing, picture = halves(tmp_path / "pairs" / "train" / "a.png")
    assert drawing.min() < 60 and (drawing[:, 16, 0] < 128).sum() in (1, 2) and set(np.unique(picture)) <= {200, 255}


@pytest.mark.parametrize("fit", ["subject", "pad"])
@pytest.mark.parametrize("alpha", [False, True])
def test_no_line_where_a_photo_ends_and_padding_begins(tmp_path: Path, fit: str, alpha: bool) -> None:
    dark = np.full((60, 120, 4), (60, 60, 60, 255), np.uint8)
    dark[20:40, 50:70] = (250, 250, 250, 255)
    save(tmp_path / "photos" / "a.png", dark if alpha else np.ascontiguousarray(dark[:, :, :3]))
    prepare(config(tmp_path, fit=fit, size=square(64), details=("many",)))
    drawing, picture = halves(tmp_path / "pairs" / "train" / "a--many.png")
    assert (picture[:14] == 255).all() and (picture[18:24] == 60).all()
    assert (drawing[:22] == 255).all() and (drawing[-22:] == 255).all()
    assert (drawing[22:42] < 128).any(), "the square in it is drawn"


def test_a_mask_of_everything_is_none(tmp_path: Path) -> None:
    save(tmp_path / "photos" / "a.png", np.full((40, 60, 3), 60, np.uint8))
    save(tmp_path / "masks" / "a.png", np.full((40, 60), 255, np.uint8))
    prepare(config(tmp_path, masks=tmp_path / "masks", details=("many",)))
    assert (halves(tmp_path / "pairs" / "train" / "a--many.png")[0] == 255).all()


@pytest.mark.parametrize("side", ["masks", "inputs"])
def test_masks_and_inputs_of_another_shape_are_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture, side: str
) -> None:
    for name, shape in (("good", (20, 30)), ("turned", (60, 40))):
        save(tmp_path / "photos" / f"{name}.png", photo())
        image = np.zeros(shape, np.uint8)
        image[5:15, 5:15] = 255
        save(tmp_path / side / f"{name}.png", image)
    options = {"masks": {}, "inputs": {"mode": "folders"}}[side]
    prepare(config(tmp_path, **{side: tmp_path / side}, details=("few",), **options))
    said = capsys.readouterr().err
    assert "turned.png has 40x60 pixels and" in said and "turned.png 60x40: expected both to have the same" in said
    assert [path.name[:4] for path in (tmp_path / "pairs" / "train").iterdir()] == ["good"]


def test_ignored_files_are_counted_by_kind_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "photos" / "a.png", photo())
    for name in ("b.heic", "c.HEIC", "d.mov"):
        (tmp_path / "photos" / name).write_bytes(b"")
    monkeypatch.setattr("nurie.prepare.SUFFIXES", SUFFIXES - {".heic"})
    prepare(config(tmp_path))
    assert "ignored: 2 .heic (pip install pillow-heif), 1 .mov\n" in capsys.readouterr().err


def test_of_24_photos_four_are_for_validation(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for i in range(24):
        save(tmp_path / "photos" / f"q{i}.png", photo(seed=i))
    prepare(config(tmp_path, val_percent=1, details=("few",), size=square(16)))
    assert len(list((tmp_path / "pairs" / "val").iterdir())) == 4
    assert "20 pictures to train on, 4 to validate" in capsys.readouterr().err


def test_names_never_collide_and_details_stay_apart() -> None:
    assert picture_name(Path("x", "a b.png"), set()) == "x-a b"
    assert picture_name(Path("a--few.png"), set()) == "a-few"
    assert {picture_name(Path(f"a.{s}"), {"a"}) for s in ("png", "jpg")} == {"a-png", "a-jpg"}


def test_split_is_a_stable_hash_of_the_name() -> None:
    sides = [split_of(f"cat {i}", 10) for i in range(1000)]
    assert sides == [split_of(f"cat {i}", 10) for i in range(1000)]
    assert 60 < sides.count("val") < 140
    assert split_of("塗り絵", 0) == "train" and split_of("Abyssinian_1", 10) == "train"


def test_all_details_of_a_picture_lie_on_one_side(tmp_path: Path) -> None:
    for i in range(8):
        save(tmp_path / "photos" / f"猫 {i}.png", photo(24, 24, i))
    prepare(config(tmp_path, val_percent=50))
    sides = {s: {p.name.split("--")[0] for p in (tmp_path / "pairs" / s).iterdir()} for s in ("train", "val")}
    assert sides["train"] and sides["val"] and not sides["train"] & sides["val"]


def test_empty_mask_and_missing_mask_are_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for name in ("good", "empty", "missing"):
        save(tmp_path / "photos" / f"{name}.png", photo())
    save(tmp_path / "masks" / "good.png", np.full((40, 60), 255, np.uint8))
    save(tmp_path / "masks" / "empty.png", np.zeros((40, 60), np.uint8))
    prepare(config(tmp_path, masks=tmp_path / "masks", details=("few",)))
    said = capsys.readouterr().err.replace("\n", "")
    assert "empty.png: its mask is empty" in said and "missing.png: there is no mask of the same name" in said


def test_tiny_picture_and_wide_picture_fit(tmp_path: Path) -> None:
    one, _ = place(np.zeros((1, 1, 3), np.uint8), None, square(32), "pad", 0.06)
    assert one.shape == (32, 32, 3)
    wide, _ = place(np.zeros((10, 40, 3), np.uint8), None, square(32), "pad", 0.06)
    assert (wide[0] == 255).all() and (wide[16] == 0).all()
    cropped, _ = place(np.zeros((10, 40, 3), np.uint8), None, square(32), "crop", 0.06)
    assert (cropped == 0).all()


def test_small_holes_of_a_mask_are_filled_and_islands_dropped() -> None:
    mask = np.zeros((60, 60), np.float32)
    mask[10:50, 10:50] = 1
    mask[20:22, 20:22] = 0
    mask[30:45, 30:45] = 0  # large enough to be meant
    mask[2:4, 2:4] = 1
    mask[12:16, 40:44] = 0
    mask[13, 41] = 1  # a speck in a speck
    picture = np.full((60, 60, 3), 200, np.uint8)
    picture[mask > 0.5] = (120, 80, 40)
    mended = mend(mask, picture)
    assert mended[21, 21] == 1 and mended[3, 3] == 0 and mended[40, 40] == 0
    assert (mended[12:16, 40:44] == 1).all()


def test_a_hole_in_which_the_subject_goes_on_is_filled() -> None:
    rng = np.random.default_rng(0)
    fur = rng.integers(-25, 26, (60, 60, 1)) + np.array([120, 80, 40])
    picture = np.clip(fur, 0, 255).astype(np.uint8)
    mask = np.ones((60, 60), np.float32)
    for part in ((slice(15, 25), slice(15, 25)), (slice(40, 50), slice(30, 40)), (slice(0, 10), slice(0, 10))):
        mask[part] = 0
    picture[40:50, 30:40] = (150, 170, 120)  # grass
    mended = mend(mask, picture)
    assert mended[20, 20] == 1 and mended[45, 35] == 0
    assert mended[5, 5] == 0, "at the border it is no hole"


def test_pairs_and_sites_inside_the_photo_folder_are_no_photos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    for i in range(4):
        save(tmp_path / f"p{i}.png", photo(seed=i))
        save(tmp_path / "masks" / f"p{i}.png", np.full((40, 60), 255, np.uint8))
    (tmp_path / "p0.mov").write_bytes(b"")
    save(tmp_path / "site" / "preset.png", photo())
    (tmp_path / "site" / "site.json").write_text('{"format": "nurie-site"}')
    for _ in range(3):
        prepare(Prepare(Path(), Path("pairs"), masks=Path("masks"), size=square(32), workers=1, val_percent=0))
        assert len(list((tmp_path / "pairs" / "train").iterdir())) == 4 * 3
        assert "ignored: 1 .mov, 1 of Nurie's folders" in capsys.readouterr().err


@pytest.mark.parametrize("pairs", ["photos", "photos/../photos", "."])
def test_pairs_are_not_written_among_the_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pairs: str) -> None:
    monkeypatch.chdir(tmp_path)
    photos = "train" if pairs == "." else "photos"
    save(tmp_path / photos / "a.png", photo())
    with pytest.raises(NurieError, match="would be written among the pictures"):
        prepare(Prepare(Path(photos), Path(pairs), size=square(32)))
    assert [path.name for path in (tmp_path / photos).iterdir()] == ["a.png"]


def test_photos_of_one_name_and_of_odd_ones_are_all_prepared(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    odd = ["2020/01.png", "2020-01.png", "d.png", "d.PNG", "a-b.png", "a--b.png", "x" * 251 + ".png"]
    for i, name in enumerate([*odd, os.fsdecode(b"caf\xe9.png")]):
        save(tmp_path / "photos" / "a.png", photo(seed=i))
        (tmp_path / "photos" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "photos" / "a.png").rename(tmp_path / "photos" / name)
    prepare(config(tmp_path))
    pictures = {halves(path)[1].tobytes() for path in (tmp_path / "pairs" / "train").iterdir()}
    assert len(pictures) == 8 and len(list((tmp_path / "pairs" / "train").iterdir())) == 24
    assert "8 pictures to train on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mode": "folders"}, "--mode folders and --inputs FOLDER go together"),
        ({"masks": Path("nowhere")}, "There is no folder nowhere for --masks"),
        ({"size": square(31)}, "--size must be an even number of pixels, but it is 31"),
        ({"val_percent": 100}, "--val-percent must be from 0 to 90, but it is 100"),
        ({"margin": -0.5}, "--margin must be from 0 to 4, but it is -0.5"),
        ({"workers": -1}, "--workers must be from 0 to 1024, but it is -1"),
        ({}, "There are no JPEG, PNG or WebP pictures in"),
    ],
)
def test_impossible_options_give_a_sentence(tmp_path: Path, options: dict, sentence: str) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(NurieError, match=sentence):
        prepare(config(tmp_path, **options))


def test_no_usable_picture_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(b"")
    with pytest.raises(NurieError, match="No pair could be made from the 1 pictures"):
        prepare(config(tmp_path))


def test_pictures_of_one_group_lie_on_one_side(tmp_path: Path) -> None:
    for i in range(24):
        save(tmp_path / "photos" / "sub" / f"{i}.png", photo(seed=i))
    rows = "".join(f"sub-{i},animal {i % 3}\n" for i in range(23))
    (tmp_path / "groups.csv").write_text(f"name,group\n{rows}")
    options = config(tmp_path, val_percent=10, details=("few",), groups=tmp_path / "groups.csv")
    prepare(options)
    sides = {path.name.split("--")[0]: path.parent.name for path in (tmp_path / "pairs").glob("*/*.png")}
    assert len(sides) == 24 and set(sides.values()) == {"train", "val"}
    assert all(len({sides[f"sub-{i}"] for i in range(first, 23, 3)}) == 1 for first in range(3))
    with pytest.raises(NurieError, match=r"other options \(groups was .*groups.csv, now None\)"):
        prepare(dataclasses.replace(options, groups=None))


def test_a_list_of_groups_that_does_not_fit_is_a_sentence(tmp_path: Path) -> None:
    save(tmp_path / "photos" / "a.png", photo())
    options = config(tmp_path, groups=tmp_path / "groups.csv")
    for text, sentence in (
        (None, r"There is no list of groups at .*groups\.csv\. Expected a CSV file .* its group in"),
        ("name,group\na\n", "Row 2 of .* has no name and group: 'a'"),
        ("name,group\na,1\na,2\n", "puts a into two groups, 1 and 2"),
        ("name,group\nb.png,1\n", r"lists none of the 1 pictures, such as a\."),
    ):
        if text:
            (tmp_path / "groups.csv").write_text(text)
        with pytest.raises(NurieError, match=sentence):
            prepare(options)
    assert not (tmp_path / "pairs" / "train").exists()
