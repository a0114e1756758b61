"""`nurie check`: each fault that is planted in good pairs is found, and nothing else; good pairs are let alone."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from PIL import Image, ImageCms

from conftest import circle_pair, square, write_pairs
from nurie.check import FORMAT, Report, check
from nurie.cli import main
from nurie.config import Check
from nurie.errors import NurieError
from nurie.pairs import inspect
from nurie.pairs.agreement import GAIN, GAIN_OF_ALL, MATCH, Agreement, agreement_of, outline, surface
from nurie.pairs.findings import EACH
from nurie.pairs.inspect import UNEVEN
from nurie.pairs.names import FEW_VAL
from nurie.pairs.similar import ALIKE, SAME, nearest, print_of
from test_pictures import swapped_profile

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
SIZE = 96
REAL_FEW = inspect.FEW
FEW = 12  # pictures to train on, instead of more, which take longer
Plant = Callable[[Path], object]


def polygon_pair(seed: int, size: int = SIZE) -> np.ndarray:
    """A|B pair, uint8 (size, 2 size, 3), BGR: outlines of two stars with uneven rays, and the stars in two colours."""
    rng = np.random.default_rng(seed)
    drawing = np.full((size, size, 3), 255, np.uint8)
    picture = drawing.copy()
    for radius in (0.42, 0.2):
        angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
        rays = size * radius * rng.uniform(0.4, 1, 9)
        points = np.rint(size / 2 + np.stack([np.cos(angles), np.sin(angles)], 1) * rays[:, None]).astype(np.int32)
        cv2.fillPoly(picture, [points], rng.integers(0, 200, 3).tolist(), cv2.LINE_AA)
        cv2.polylines(drawing, [points], True, (0, 0, 0), 2, cv2.LINE_AA)
    return np.hstack([drawing, picture])


def write(path: Path, pair: np.ndarray) -> None:
    assert cv2.imwrite(str(path), pair)


def halves(path: Path) -> tuple[np.ndarray, np.ndarray]:
    pair = cv2.imread(str(path))
    assert pair is not None
    side = pair.shape[0]
    return pair[:, :side].copy(), pair[:, side:].copy()


@pytest.fixture(autouse=True)
def fewer_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect, "FEW", FEW)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    for side, count, first in (("train", FEW + 1, 0), ("val", FEW_VAL + 1, 1000)):
        (folder / side).mkdir()
        for i in range(count):
            write(folder / side / f"p{i:02}.png", polygon_pair(first + i))
    return folder


@pytest.fixture
def mine(good: Path, tmp_path: Path) -> Path:
    """Pairs that a test may spoil."""
    return Path(shutil.copytree(good, tmp_path / "pairs"))


@pytest.fixture
def checked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., tuple[Report, str]]:
    """Check, and return the report and what was printed, whether it fails or not."""

    def run(pairs: Path, **options) -> tuple[Report, str]:
        capsys.readouterr()
        path = tmp_path / "report.json"
        try:
            check(Check(pairs, **{"size": square(SIZE), "json": path, **options}))
        except NurieError as error:
            assert f"found in {pairs}. docs/training.md says" in str(error)
        return msgspec.json.decode(path.read_bytes(), type=Report), capsys.readouterr().out

    return run


def each(change: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]], count: int | None = None) -> Plant:
    """Changes drawing and picture of the first so many pairs to train on, or of all pairs."""

    def plant(folder: Path) -> None:
        files = sorted((folder / "train").iterdir())[:count]
        for path in files if count else [*files, *(folder / "val").iterdir()]:
            write(path, np.hstack(change(*halves(path))))

    return plant


def moved(image: np.ndarray, right: int, down: int) -> np.ndarray:
    shift = np.array([[1, 0, right], [0, 1, down]], np.float32)
    return cv2.warpAffine(image, shift, (SIZE, SIZE), borderValue=(255, 255, 255))


def cut(folder: Path) -> None:
    path = folder / "train" / "p03.png"
    path.write_bytes(path.read_bytes()[:900])


def no_picture(folder: Path) -> None:
    (folder / "val" / "p01.png").write_bytes(b"no picture")


def rotate(folder: Path) -> None:
    """Each drawing gets the next one's picture."""
    files = sorted((folder / "train").iterdir())
    both = [halves(path) for path in files]
    for i, path in enumerate(files):
        write(path, np.hstack([both[i][0], both[i - 1][1]]))


def saved_again(folder: Path, name: str, change: Callable[[np.ndarray], np.ndarray] = lambda half: half) -> None:
    drawing, picture = (change(half) for half in halves(folder / "train" / "p05.png"))
    assert cv2.imwrite(str(folder / name), np.hstack([drawing, picture]), [cv2.IMWRITE_JPEG_QUALITY, 80])


def with_profile(folder: Path) -> None:
    profile = swapped_profile(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    with Image.open(folder / "train" / "p07.png") as image:
        grey = image.convert("L").convert("RGB")  # which such a profile leaves as it is
    grey.save(folder / "train" / "p07.png", icc_profile=profile)


def without(folder: Path, side: str, left: int) -> None:
    for path in sorted((folder / side).iterdir())[left:]:
        path.unlink()


def darker(image: np.ndarray) -> np.ndarray:
    return np.full_like(image, 90)


FAULTS: dict[str, tuple[str, str, Plant, str]] = {  # kind, severity, how to plant it, what is said
    "half a file": ("unreadable", "error", cut, r"1 pair\. \(train/p03\.png: can not be read as a picture \("),
    "no picture": ("unreadable", "error", no_picture, r"val/p01\.png: can not be read as a picture"),
    "a square": (
        "shape",
        "error",
        lambda f: write(f / "train" / "p02.png", halves(f / "train" / "p02.png")[0]),
        r"train/p02\.png: is 96x96 pixels\)",
    ),
    "a small pair": (
        "size",
        "warning",
        lambda f: write(f / "train" / "p02.png", polygon_pair(2, 64)),
        r"train/p02\.png: 64 pixels, enlarged to 96\)",
    ),
    "all swapped": ("direction", "error", each(lambda d, p: (p, d)), "train with --direction BtoA"),
    "two swapped": ("direction", "error", each(lambda d, p: (p, d), 2), r": 2 pairs\. \(train/p\d\d\.png: the pict"),
    "all inverted": ("inverted", "error", each(lambda d, p: (255 - d, p)), "light lines on black"),
    "a blank drawing": ("blank drawings", "warning", each(lambda d, p: (darker(d), p), 1), r"p00\.png: brightness 90"),
    "a blank picture": ("blank pictures", "warning", each(lambda d, p: (d, darker(p)), 1), r"p00\.png: brightness 90"),
    "blank pictures": ("blank pictures", "error", each(lambda d, p: (d, darker(p)), 3), "3 of 18 pictures looked at"),
    "one shifted": (
        "misaligned",
        "error",
        each(lambda d, p: (d, moved(p, 9, -6)), 1),
        r"1 pair\. \(train/p00\.png: the picture lies 9 pixels right, 6 up\)",
    ),
    "all shifted": (
        "misaligned",
        "error",
        each(lambda d, p: (moved(d, 6, 0), p)),
        r"not lie where their drawings do, but 6 pixels left\. Crop.* \(train/p\d\d\.png: the pict.* 6 pixels left",
    ),
    "all shifted by little": (
        "misaligned",
        "error",
        each(lambda d, p: (moved(d, 2, 0), p)),
        r"not lie where their drawings do, but 2 pixels left\. Crop",
    ),
    "names mixed up": ("unrelated", "warning", rotate, "names of drawings or pictures may be mixed up"),
    "another drawing": (
        "unrelated",
        "warning",
        each(lambda d, p: (np.tile(polygon_pair(77, 24)[:, :24], (4, 4, 1)), p), 1),
        r"1 pair\. \(train/p00\.png: no common edges\)",
    ),
    "a copy in val": ("leakage", "error", lambda f: shutil.copy(f / "train/p05.png", f / "val/q.png"), "1 of 6"),
    "saved again": ("leakage", "error", lambda f: saved_again(f, "val/q.jpg"), r"val/q\.jpg: the same as p05\.png"),
    "mirrored": ("leakage", "error", lambda f: saved_again(f, "val/q.png", lambda h: h[:, ::-1]), r"q\.png: the same"),
    "brighter": (
        "leakage",
        "warning",
        lambda f: saved_again(f, "val/q.png", lambda h: np.minimum(h * 1.06, 255).astype(np.uint8)),
        r"val/q\.png: like p05\.png",
    ),
    "a copy in train": (
        "duplicates",
        "warning",
        lambda f: saved_again(f, "train/q.jpg"),
        r": 1 of 19\. \(train/q\.jpg",
    ),
    "another profile": ("profile", "warning", with_profile, r"train/p07\.png: "),
    "few": ("few", "warning", lambda f: without(f, "train", FEW - 1), f"{FEW - 1} pictures are few"),
    "no val": ("val", "warning", lambda f: shutil.rmtree(f / "val"), "no pictures for validation"),
    "little val": ("val", "warning", lambda f: without(f, "val", FEW_VAL - 1), f"{FEW_VAL - 1} for validation are few"),
    "nothing": ("no pairs", "error", lambda f: shutil.rmtree(f / "train"), "There are no pairs in"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_nothing_else(mine: Path, fault: str, checked) -> None:
    kind, severity, plant, said = FAULTS[fault]
    plant(mine)
    report, printed = checked(mine)
    assert [(found.kind, found.severity) for found in report.findings] == [(kind, severity)]
    assert re.search(said, printed)
    assert printed.startswith(f"{severity}: ") and printed.count("\n") == 2
    assert printed.endswith(f"1 {severity}.\n")
    assert (report.errors, report.warnings) == ((1, 0) if severity == "error" else (0, 1))


def test_good_pairs_give_no_alarm(good: Path, tmp_path: Path, checked) -> None:
    for pairs, size in ((good, SIZE), (write_pairs(tmp_path / "circles", train=FEW, val=FEW_VAL), 64)):
        report, printed = checked(pairs, size=square(size), strict=True)
        assert report.findings == []
        said = f"{report.train} pictures to train on, {report.val} for validation: nothing wrong was found.\n"
        assert printed == said and report.train >= FEW


@pytest.mark.skipif(not (DATA / "facades").is_dir(), reason="the facades are not there")
def test_photos_and_label_maps_give_no_alarm(checked) -> None:
    assert checked(DATA / "facades", size=square(256), direction="BtoA", strict=True)[0].findings == []


def test_uneven_classes_are_told_and_missing_ones_are_an_error(good: Path, tmp_path: Path, checked) -> None:
    path = tmp_path / "classes.csv"

    def found(rare: int, listed: int = FEW + 1) -> list[tuple[str, str]]:
        rows = (f"p{i:02},{'rare' if i < rare else 'common'}\n" for i in range(listed))
        path.write_text("name,class\n" + "".join(rows))
        return [(finding.kind, finding.severity) for finding in checked(good, classes=path)[0].findings]

    assert found(1) == [("classes", "warning")] and FEW >= UNEVEN
    assert found(2) == []
    assert found(5, FEW) == [("classes", "error")]


def test_halves_in_two_files_are_checked_like_others(good: Path, tmp_path: Path, checked) -> None:
    pairs = tmp_path / "apart"
    for side in ("train", "val"):
        for place in ("A", "B"):
            (pairs / place / side).mkdir(parents=True)
        for path in (good / side).iterdir():
            for place, half in zip(("A", "B"), halves(path), strict=True):
                write(pairs / place / side / path.name, half)
    assert checked(pairs)[0].findings == []
    (pairs / "B" / "train" / "p01.png").write_bytes(b"no picture")
    write(pairs / "B" / "train" / "p02.png", halves(good / "train" / "p02.png")[1][:50])
    write(pairs / "B" / "train" / "p03.png", np.repeat(np.repeat(halves(good / "train" / "p03.png")[1], 2, 0), 2, 1))
    report, _ = checked(pairs)
    assert [(f.kind, f.where[0].path, f.where[0].note) for f in report.findings if f.where] == [
        (
            "unreadable",
            "A/train/p01.png",
            "B/train/p01.png can not be read as a picture (it is of no kind that is known)",
        ),
        ("shape", "A/train/p02.png", "B/train/p02.png is 96x50 pixels"),
        ("size", "A/train/p03.png", "the drawing has 96 pixels, the picture 192"),
    ]


def test_faults_of_several_kinds_are_all_found_the_errors_first(mine: Path, checked) -> None:
    each(lambda d, p: (d, moved(p, 12, 0)), 2)(mine)
    cut(mine)
    saved_again(mine, "train/q.jpg")
    report, printed = checked(mine)
    assert [f.kind for f in report.findings] == ["unreadable", "misaligned", "duplicates"]
    assert printed.endswith("13 pictures to train on, 5 for validation: 2 errors, 1 warning.\n")


# exit codes, JSON, sheet


def code(*arguments: object) -> int:
    try:
        main(["check", "--size", str(SIZE), *map(str, arguments)])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_errors_fail_and_warnings_only_when_strict(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code(mine) == code(mine, "--strict") == 0
    saved_again(mine, "train/q.jpg")
    assert code(mine) == 0
    assert capsys.readouterr().err == ""
    assert code(mine, "--strict") == 1
    cut(mine)
    assert code(mine) == 1
    told = capsys.readouterr()
    assert told.err.count("\n") == 2 and f"nurie: 1 error, 1 warning found in {mine}." in told.err
    assert "error: Not readable" in told.out


def keys(section: str) -> set[str]:
    """What the first column of a table names."""
    rows = re.findall(r"^\| (`.*?) \|.*\|$", section, re.M)
    return {name for row in rows for name in re.findall(r"`([\w ]+)`", row)} - {"kind"}


def test_json_is_as_the_documentation_says(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved_again(mine, "val/q.jpg")
    assert code(mine, "--json", "-") == 1
    told = capsys.readouterr()
    report = json.loads(told.out)
    assert "error: Pictures for validation" in told.err
    section = (
        (ROOT / "docs/formats.md").read_text(encoding="utf-8").split("## What `nurie check` finds")[1].split("\n## ")[0]
    )
    example = json.loads(re.findall(r"```json\n(.*?)```", section, re.S)[0])
    assert report.keys() == example.keys()
    assert report["format"] == FORMAT and report["train"] == FEW + 1 and report["val"] == FEW_VAL + 2
    assert report["findings"][0].keys() == example["findings"][0].keys()
    assert report["findings"][0]["where"] == [
        {"path": "val/q.jpg", "note": "the same as p05.png", "like": "train/p05.png"}
    ]
    assert f"fewer than {REAL_FEW} pictures" in section and f"fewer than {FEW_VAL} pictures" in section
    assert f"{UNEVEN} times" in section and f"differ by {SAME} " in section and f"by {ALIKE} or less" in section
    assert f"better by {GAIN} of 1" in section and f"{GAIN_OF_ALL} of all" in section and f"agree by {MATCH}" in section
    assert keys(section) == {kind for kind, *_ in FAULTS.values()} | EACH.keys() | {"classes"}


def test_kinds_are_told_in_the_guide() -> None:
    guide = (ROOT / "docs/training.md").read_text(encoding="utf-8").split("## What is wrong with my pairs?")[1]
    assert keys(guide.split("\n## ")[0]) == {kind for kind, *_ in FAULTS.values()} | {"classes"}


def test_the_sheet_shows_the_worst_pairs(mine: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "out" / "sheet.png"
    assert code(mine, "--sheet", sheet) == 0
    with Image.open(sheet) as image:
        empty = image.size
    each(lambda d, p: (d, moved(p, 9, -6)), 1)(mine)
    cut(mine)
    saved_again(mine, "val/q.jpg")
    assert code(mine, "--sheet", sheet) == 1
    with Image.open(sheet) as image:
        assert image.height > empty[1] + 3 * 160
        shown = np.asarray(image.convert("RGB")).reshape(-1, 3)
    assert (shown == (224, 32, 32)).all(axis=1).sum() > 100  # edges of the drawing on the shifted picture
    assert (shown == 200).all(axis=1).sum() >= 160 * 320  # what can not be read


@pytest.mark.parametrize("option", ["--sheet", "--json"])
def test_files_that_no_check_made_are_kept(mine: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = mine / "train" / "p00.png"
    before = path.read_bytes()
    assert code(mine, option, path) == 1
    assert f"no earlier {option} made it" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_sheet_and_json_are_two_files(mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert code(mine, "--sheet", tmp_path / "a", "--json", tmp_path / "a") == 1
    assert "--sheet and --json expect two names" in capsys.readouterr().err


def test_names_that_are_no_text_are_told(mine: Path, checked) -> None:
    try:
        shutil.copy(mine / "train" / "p05.png", mine / "val" / "q\udcff.png")
    except OSError:
        pytest.skip("this file system takes text only")
    assert checked(mine)[0].findings[0].where[0].path == "val/q\\xff.png"


# the measures


def agreed(pair: np.ndarray, right: int = 0, down: int = 0) -> Agreement:
    side = pair.shape[0]
    return agreement_of(surface(outline(pair[:, :side]), outline(moved(pair[:, side:], right, down))))


@pytest.mark.parametrize(("right", "down"), [(6, 0), (0, -6), (-12, 9), (3, 15)])
def test_the_shift_is_found_in_pixels(right: int, down: int) -> None:
    for seed in range(4):
        found = agreed(polygon_pair(seed), right, down)
        assert found.gain >= GAIN and found.best >= MATCH
        assert abs(found.right * SIZE - right) < 1 and abs(found.down * SIZE - down) < 1
        assert agreed(polygon_pair(seed)).gain < GAIN_OF_ALL / 2


def test_shifts_are_told_in_words() -> None:
    told = {(0.1, 0.0): "10 pixels right", (-0.1, 0.02): "10 pixels left, 2 down", (0.0, -0.05): "5 pixels up"}
    assert {shift: Agreement(0, 1, *shift).told(square(100)) for shift in told} == told


def test_pictures_are_compared_with_those_before_or_with_others() -> None:
    prints = [print_of(polygon_pair(seed)[:, SIZE:]) for seed in range(8)]
    blank = np.full_like(prints[0], 255)
    again = np.clip(prints[2].astype(int) + 1, 0, 255).astype(np.uint8)
    assert nearest(prints) == nearest([blank, blank]) == nearest([]) == {}
    assert nearest(prints, [*prints[4:], blank]).keys() == {4, 5, 6, 7}
    ((i, (j, difference)),) = nearest([*prints, again]).items()
    assert (i, j) == (8, 2) and 0 < difference <= SAME < ALIKE
    assert nearest([*prints[:3], prints[1][:, ::-1]])[3] == (1, 0)
    assert nearest([circle_pair(0)[:16, :16], *prints]) == {}
