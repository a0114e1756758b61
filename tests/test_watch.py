"""Early warnings: on made-up values, on made-up pictures, and on real tiny runs."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from conftest import TINY, circle_pair, forget_accelerate, square, write_pairs
from nurie.batches.streams import DRAWS
from nurie.config import Train
from nurie.drawings.ink import is_line_drawing
from nurie.nets import checkpoint
from nurie.pairs import inspect
from nurie.pairs.inspect import FEW, UNEVEN, data_warnings, is_line_art, set_warnings
from nurie.pairs.names import FEW_VAL
from nurie.train import train
from nurie.training import watch
from nurie.training.watch import collapse, discriminator_wins, overfitting, run_warnings, variety

Pair = tuple[np.ndarray, np.ndarray]


def circles(count: int = 10) -> list[Pair]:
    """Line art and picture, uint8 (64, 64, 3) each."""
    return [(pair[:, :64], pair[:, 64:]) for pair in map(circle_pair, range(count))]


def saves(values: list[float], name: str, every: int = 100) -> list[dict[str, float]]:
    return [{"step": every * (i + 1), "l1": 0.2, "discriminator": 0.5, name: v} for i, v in enumerate(values)]


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (64, 64, 3), np.uint8)


# the data


def test_ordinary_pairs_and_pairs_without_line_art_give_no_warning() -> None:
    assert data_warnings(circles(), "AtoB") == {}
    for direction in ("AtoB", "BtoA"):
        assert data_warnings([(noise(i), 255 - noise(i)) for i in range(8)], direction) == {}


def test_halves_that_show_the_same_elsewhere_or_something_else_are_told() -> None:
    for right, down, said in ((8, 0, "8 pixels right. Crop"), (-4, 12, "4 pixels left, 12 down. Crop")):
        moved = [(drawing, np.roll(picture, (down, right), (0, 1))) for drawing, picture in circles()]
        assert said in data_warnings(moved, "AtoB")["misaligned"]
        assert data_warnings(moved, "AtoB").keys() == {"misaligned"}
    mixed = [(drawing, circles()[i - 1][1]) for i, (drawing, _) in enumerate(circles())]
    assert data_warnings(mixed, "AtoB").keys() == {"unrelated"}
    assert data_warnings(mixed[:3], "AtoB") == {}  # too few to say


def test_few_pictures_and_uneven_classes_are_told() -> None:
    assert set_warnings(FEW, FEW_VAL) == {}
    assert set_warnings(FEW - 1, FEW_VAL - 1).keys() == {"few", "val"}
    assert set_warnings(1, 0)["few"].startswith("1 picture is few") and "are no pictures" in set_warnings(1, 0)["val"]
    classes = dict.fromkeys(range(UNEVEN), "tabby") | {"one": "calico"}
    assert set_warnings(FEW, FEW_VAL, {str(k): v for k, v in classes.items()})["classes"].startswith(
        f"The classes are uneven: tabby has {UNEVEN} pictures, calico 1. Each of the latter is seen {UNEVEN} times"
    )
    assert set_warnings(FEW, FEW_VAL, {str(k): v for k, v in list(classes.items())[1:]}) == {}


@pytest.mark.parametrize(("direction", "other"), [("AtoB", "BtoA"), ("BtoA", "AtoB")])
def test_swapped_sides_name_the_other_direction(direction: str, other: str) -> None:
    found = data_warnings([(picture, drawing) for drawing, picture in circles()], direction)
    assert found.keys() == {"direction"}
    assert found["direction"].endswith(f"train with --direction {other}.")


def test_line_art_is_a_line_drawing_without_shades() -> None:
    drawing, picture = circles(1)[0]
    assert is_line_art(drawing) and not is_line_art(picture)
    photo = np.full((64, 64, 3), 255, np.uint8)  # of a grey thing on white: its lines may be varied, but it has none
    photo[16:48, 16:48] = np.linspace(60, 180, 32, dtype=np.uint8)[:, None, None]
    assert is_line_drawing(photo) and not is_line_art(photo)
    blank = np.full_like(drawing, 255)
    assert is_line_drawing(blank) and not is_line_art(blank)
    pale = np.clip(photo - np.array([0, 0, 40]), 0, 255).astype(np.uint8)
    assert not is_line_drawing(pale) and not is_line_art(pale)


def test_a_few_pictures_that_are_line_art_give_no_warning() -> None:
    pairs = circles(10)
    swapped = [(picture, drawing) for drawing, picture in pairs[:4]]
    assert data_warnings(swapped + pairs[4:], "AtoB") == {}


def test_light_lines_on_black_are_inverted() -> None:
    found = data_warnings([(255 - drawing, picture) for drawing, picture in circles()], "AtoB")
    assert found.keys() == {"inverted"}
    assert "light lines on black" in found["inverted"]


@pytest.mark.parametrize("value", [0, 128, 255])
def test_pictures_of_one_colour_are_counted(value: int) -> None:
    pairs = [(drawing, np.full_like(picture, value) if i < 2 else picture) for i, (drawing, picture) in
             enumerate(circles())]  # fmt: skip
    found = data_warnings(pairs, "AtoB")
    assert found["blank pictures"].startswith(f"2 of 10 pictures looked at are of one colour, brightness {value} of")
    assert found.keys() == {"blank pictures"}
    assert data_warnings(pairs[1:], "AtoB").keys() == {"blank pictures"}  # 1 of 9 is more than a tenth
    assert data_warnings(pairs[1:] + circles(2), "AtoB") == {}


def test_values_from_0_to_1_are_no_picture() -> None:
    found = data_warnings([(drawing // 255, picture) for drawing, picture in circles()], "AtoB")
    assert found.keys() == {"blank drawings"}
    assert "10 of 10 drawings" in found["blank drawings"] and "Values must be 0 to 255" in found["blank drawings"]


# what a generator paints


def test_variety_is_between_pictures_and_within_them() -> None:
    real = torch.rand(6, 3, 16, 16) * 2 - 1
    assert variety(real, real) == pytest.approx(1)
    assert variety(real.mean((2, 3), keepdim=True).expand_as(real), real) == pytest.approx(0, abs=1e-6)  # one colour
    assert variety(real[:1].expand_as(real), real) == pytest.approx(0, abs=1e-6)  # all the same
    assert variety(real / 2, real) == pytest.approx(0.5)


def test_variety_of_one_picture_or_of_blank_targets_is_no_alarm() -> None:
    real = torch.rand(1, 3, 16, 16)
    assert variety(real, real) == pytest.approx(1)
    assert variety(torch.zeros(4, 3, 8, 8), torch.ones(4, 3, 8, 8)) == 1


# the losses


def test_collapse_is_a_fall_or_a_beginning_that_never_ends() -> None:
    assert collapse(saves([0.02, 0.05, 0.2, 0.5, 0.8, 0.7], "val_variety")) == {}
    assert collapse(saves([0.02, 0.02, 0.02], "val_variety")) == {}  # step 300: it has hardly begun
    assert collapse([{"step": 1, "l1": 0.5}]) == {}
    fallen = collapse(saves([0.2, 0.6, 0.05], "val_variety"))["collapse"]
    assert fallen.startswith("At step 300 ") and "samples-000300.png" in fallen
    assert collapse(saves([0.02] * 10, "val_variety"))


def test_a_discriminator_wins_when_its_loss_is_nothing_for_long() -> None:
    def losses(*values: float) -> list[dict[str, float]]:
        return [{"step": i + 1, "l1": 0.2, "discriminator": v} for i, v in enumerate(values)]

    assert discriminator_wins(losses(*[0.001] * 499)) == {}
    assert discriminator_wins(losses(*[0.001] * 400, *[0.2] * 100)) == {}
    assert "For 500 steps" in discriminator_wins(losses(*[0.3] * 1000, *[0.001] * 500))["discriminator"]
    assert run_warnings(losses(*[0.001] * 500), gan=0.0) == {}
    assert run_warnings(losses(*[0.001] * 500), gan=1.0).keys() == {"discriminator"}


def errors(train_l1: list[float], val_l1: list[float]) -> list[dict[str, float]]:
    """Records with a save after every two steps."""
    records: list[dict[str, float]] = []
    for i, (ours, val) in enumerate(zip(train_l1, val_l1, strict=True)):
        records += [{"step": 2 * i + 1, "l1": 2 * ours, "discriminator": 0.5}]
        records += [{"step": 2 * i + 2, "l1": 2 * ours, "discriminator": 0.5, "val_l1": val}]
    return records


def test_overfitting_is_a_rising_val_error_while_the_training_error_falls() -> None:
    falling = [0.2 * 0.95**i for i in range(30)]
    rising = [0.1 + 0.002 * abs(i - 10) for i in range(30)]
    assert overfitting(errors(falling, rising))["overfitting"].startswith("The val error rises (0.102, now 0.134)")
    assert overfitting(errors(falling, falling)) == {}
    assert overfitting(errors([0.1] * 30, rising)) == {}  # the training error does not fall: something else is wrong
    assert overfitting(errors(falling, [0.1] * 30)) == {}  # flat, as in docs/LOG.md
    assert overfitting(errors(falling, [0.1] * 20 + [0.3, 0.3] + [0.1] * 8)) == {}  # two bad saves
    assert overfitting(errors(falling[:9], rising[:9])) == {}  # too early to say


def test_overfitting_is_also_a_val_error_that_rests_far_above_the_training_error() -> None:
    train_l1, rest = [0.1 * 0.9**i for i in range(30)], [max(0.05, 0.2 * 0.8**i) for i in range(30)]
    text = overfitting(errors(train_l1, rest))["overfitting"]
    assert text.startswith("The val error rests at 0.050, far above the training error (now 0.006)")
    lagging = [0.3 * 0.95**i for i in range(30)]  # still falling
    assert overfitting(errors([0.02] * 30, lagging)) == {}
    assert overfitting(errors([0.03] * 30, rest)) == {}


# real runs


def run(pairs: Path, folder: Path, **options) -> str:
    """The text of warnings.txt."""
    train(Train(pairs, folder, **{**TINY, **options}))
    forget_accelerate()
    path = folder / "warnings.txt"
    return path.read_text() if path.exists() else ""


@pytest.fixture
def one_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up pairs are few."""
    monkeypatch.setattr(inspect, "FEW", 1)
    monkeypatch.setattr(inspect, "FEW_VAL", 1)


def test_few_pictures_and_copies_in_val_are_told_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = write_pairs(tmp_path / "pairs", train=6, val=3)
    shutil.copy(pairs / "train" / "p1--few.png", pairs / "val" / "p9--few.png")
    text = run(pairs, tmp_path / "run", steps=1)
    assert [line.split(" at step 0")[0] for line in text.splitlines()] == ["few", "leakage"]
    assert "1 of 4 pictures for validation are to train on, too (p9)" in text
    assert capsys.readouterr().err.count("Warning: ") == 2
    assert run(pairs, tmp_path / "run", steps=2) == text  # resumed: the pairs are known
    assert "Warning" not in capsys.readouterr().err


@pytest.mark.usefixtures("one_is_enough")
def test_ordinary_run_gives_no_warning(pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(pairs, tmp_path, steps=40, save_every=4) == ""
    assert "Warning" not in capsys.readouterr().err


@pytest.mark.usefixtures("one_is_enough")
def test_a_run_that_was_drawn_in_another_way_goes_on_and_says_so_once(
    pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(pairs, tmp_path, steps=2) == ""
    groups, meta = checkpoint.load(tmp_path / checkpoint.FILE)
    assert meta.pop("draws") == DRAWS and "draws" not in meta["train"]
    checkpoint.save(tmp_path / checkpoint.FILE, groups, meta)  # as before there were versions of draws
    capsys.readouterr()
    assert run(pairs, tmp_path, steps=2) == ""  # nothing more is drawn
    text = run(pairs, tmp_path, steps=3)
    assert text.startswith("draws at step 2: The pairs of the first 2 steps were varied at random by another version")
    assert text.count("\n") == 1
    assert capsys.readouterr().err.count("Warning: The pairs of the first 2 steps") == 1
    assert checkpoint.load(tmp_path / checkpoint.FILE)[1]["draws"] == DRAWS
    assert run(pairs, tmp_path, steps=4) == text
    assert "Warning" not in capsys.readouterr().err


@pytest.mark.usefixtures("one_is_enough")
def test_swapped_run_is_told_once(pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = run(pairs, tmp_path, steps=1, direction="BtoA")
    assert text.startswith("direction at step 0: 100% of the pictures look like line art")
    assert text.count("\n") == 1
    assert capsys.readouterr().err.count("Warning: 100% of the pictures look like line art") == 1
    assert run(pairs, tmp_path, steps=1, direction="BtoA") == text  # resumed
    assert "Warning" not in capsys.readouterr().err


@pytest.mark.usefixtures("one_is_enough")
def test_black_drawings_are_told(tmp_path: Path) -> None:
    (tmp_path / "pairs" / "train").mkdir(parents=True)
    for i in range(3):
        pair = circle_pair(i)
        pair[:, :64] = 0
        cv2.imwrite(str(tmp_path / "pairs" / "train" / f"{i}.png"), pair)
    assert "3 of 3 drawings looked at are of one colour, brightness 0" in run(tmp_path / "pairs", tmp_path, steps=1)


@pytest.mark.usefixtures("one_is_enough")
def test_generator_that_learns_nothing_is_told(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "TRUSTED", 4)
    assert run(pairs, tmp_path, steps=6, save_every=2, lr=0.0).startswith("collapse at step 4: At step 4 ")


@pytest.mark.usefixtures("one_is_enough")
def test_learning_one_picture_by_heart_is_told(tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs", train=1)
    by_heart = {"gan": 0.0, "lattice": 0.0, "hints": 0.0, "augment_drawing": False, "flip": False, "jitter": False}
    text = run(
        pairs,
        tmp_path / "run",
        size=square(32),
        styles=False,
        steps=200,
        save_every=8,
        lr=2e-3,
        ema=0.5,
        seed=2,
        **by_heart,
    )
    assert text.startswith("overfitting at step")
