"""Drawings without pictures: how they are read, what is known of them, and what training learns from them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from conftest import TINY, forget_accelerate, square
from nurie.batches.sampler import Sampler
from nurie.batches.unpaired import unpaired_at
from nurie.config import Evaluate, Export, Train
from nurie.drawings.bodies import bodies
from nurie.drawings.collection import Sketch, open_collection, scaled
from nurie.drawings.pixels import draw_strokes
from nurie.drawings.widths import line_width
from nurie.engine.modelfile import read_manifest
from nurie.engine.plan import Op, make_plan
from nurie.errors import NurieError
from nurie.evaluate import evaluate
from nurie.export import export
from nurie.files.schema import Stroke
from nurie.nets import checkpoint
from nurie.nets.discriminators import PatchDiscriminator
from nurie.nets.losses import ink_contrast_loss, paper_loss, subject_colour_loss
from nurie.nets.projected import ProjectedDiscriminator
from nurie.painting.metrics import Networks
from nurie.painting.painter import Painter
from nurie.painting.seen import look
from nurie.pairs.folder import open_pairs
from nurie.train import train

Lines = Sequence[Sequence[tuple[float, float]]]
CIRCLE = [(round(128 + 100 * np.cos(a), 1), round(128 + 100 * np.sin(a), 1)) for a in np.linspace(0, 2 * np.pi, 60)]
EYES = [[(x + 24.0 * (i % 2), 90.0 + 4 * i) for i in range(8)] for x in (70, 150)]  # scribbled


def quick_draw(strokes: Lines, **more: object) -> str:
    return json.dumps({"drawing": [[[x for x, _ in s], [y for _, y in s]] for s in strokes], **more}) + "\n"


def of_page(strokes: Lines, **more: object) -> dict:
    made = [{"width": 3, "points": [v for at in stroke for v in at]} for stroke in strokes]
    return {"title": "a", "strokes": made, **more}


@pytest.fixture
def doodles(tmp_path: Path) -> Path:
    path = tmp_path / "doodles.ndjson"
    path.write_text("".join(quick_draw([CIRCLE[: 51 + i], *EYES], recognized=i != 3) for i in range(6)))
    return path


@pytest.mark.parametrize("marked", ["", "a.ndjson", "shelf.json"])  # by a byte order mark
def test_every_way_of_saying_a_drawing_gives_the_same_strokes(tmp_path: Path, marked: str) -> None:
    ways = {
        "a.ndjson": quick_draw([CIRCLE, *EYES], word="cat", recognized=True),
        "a.json": json.dumps(of_page([CIRCLE, *EYES])),
        "shelf.json": json.dumps({"format": "nurie-drawings", "version": 1, "drawings": [of_page([CIRCLE, *EYES])]}),
    }
    drawn = []
    for name, text in ways.items():
        (tmp_path / name).write_text(text, encoding="utf-8-sig" if name == marked else "utf-8")
        (sketch,) = open_collection(tmp_path / name).sketches
        drawn.append(sketch.draw(square(64), sketch.scale(50), 7, 7, 2))
    assert drawn[0].min() == 0
    assert all(np.array_equal(image, drawn[0]) for image in drawn)
    assert len(open_collection(tmp_path).sketches) == 3  # of a folder all


def test_a_picture_of_lines_is_a_drawing_without_the_white_around_it(tmp_path: Path) -> None:
    sheet = np.full((80, 120, 3), 255, np.uint8)
    cv2.rectangle(sheet, (40, 20), (79, 59), (0, 0, 0), 2)
    cv2.imwrite(str(tmp_path / "a.png"), sheet)
    (sketch,) = open_collection(tmp_path).sketches
    left, top, right, bottom = sketch.box
    assert (right - left, bottom - top) == (42, 42)
    drawn = sketch.draw(square(64), 1.0, 10, 5, 2)
    ys, xs = np.nonzero(drawn[:, :, 0] < 128)
    assert (xs.min(), ys.min(), xs.max(), ys.max()) == (10, 5, 51, 46)


def test_scans_are_kept_no_larger_than_they_are_drawn(tmp_path: Path) -> None:
    sheet = np.full((3000, 2000, 3), 255, np.uint8)
    cv2.circle(sheet, (1000, 1800), 900, (0, 0, 0), 16)
    for name, times in (("a", 1), ("b", 0.25)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), cv2.resize(sheet, None, fx=times, fy=times, interpolation=3))
    scan, small = open_collection(tmp_path).sketches
    assert scan.picture is not None and max(scan.picture.shape) == 1024
    assert small.picture is not None and max(small.picture.shape) < 500
    drawn = [sketch.draw(square(128), sketch.scale(100), 10, 10, 2).astype(int) for sketch in (scan, small)]
    assert np.abs(drawn[0] - drawn[1]).mean() < 2


@pytest.mark.parametrize(("across", "down"), [(3000, 1), (1, 3000), (1, 1), (4000, 2500)])
def test_pictures_of_any_proportion_are_drawn(tmp_path: Path, across: int, down: int) -> None:
    sheet = np.full((down + 2000, across + 2000, 3), 255, np.uint8)
    cv2.line(sheet, (1000, 1000), (999 + across, 999 + down), (0, 0, 0), 1)
    cv2.imwrite(str(tmp_path / "a.png"), sheet)
    batch = unpaired_at(range(4), open_collection(tmp_path), 0, square(64))
    assert (batch.ink.amax((1, 2, 3)) == 1).all()


@settings(max_examples=40, deadline=None)
@given(width=st.integers(2, 30), angle=st.floats(0, np.pi), scale=st.floats(0.05, 0.99))
def test_thin_lines_stay_dark_and_others_as_wide_as_they_are(width: int, angle: float, scale: float) -> None:
    way = 200 * np.array([np.cos(angle), np.sin(angle)])
    sheet = draw_strokes([Stroke(width, np.concatenate([300 - way, 300 + way]).tolist())], 600, 600)
    made = scaled(sheet, scale)
    assert line_width(sheet) == pytest.approx(width, rel=0.1, abs=1.5)
    assert made.min() < 100
    ink = (255 - made[:, :, 0].astype(float)).sum() / 255 / (400 * scale + 1)  # the width, about
    assert 0.6 * max(width * scale, 1.2) - 0.3 < ink < 1.5 * max(width * scale, 2.0) + 0.8


def test_what_was_not_recognised_or_is_a_hint_is_left_out(tmp_path: Path, doodles: Path) -> None:
    assert len(open_collection(doodles).sketches) == 5
    hinted = of_page([CIRCLE, *EYES])
    hinted["strokes"][1]["colour"] = "#ff8800"
    (tmp_path / "a.json").write_text(json.dumps(hinted))
    (sketch,) = open_collection(tmp_path / "a.json").sketches
    assert len(sketch.strokes) == 2


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.ndjson", quick_draw([CIRCLE]) + '{"drawing": [[[1, 2], [3]]]}\n', "Line 2 of"),
        ("a.ndjson", '{"word": "cat"}\n', "`$.drawing` is missing"),
        ("a.ndjson", "[" * 5000 + "\n", "Line 1 of"),
        ("a.ndjson", "", "no line drawings in"),
        ("a.ndjson", quick_draw([[(1, 2), (70_000, 2)]]), "Line 1 of"),
        ("a.ndjson", quick_draw([[(1, float("nan"))]]), "Line 1 of"),
        ("a.ndjson", quick_draw([CIRCLE]) + quick_draw([CIRCLE])[:40] + "\n" + quick_draw([CIRCLE]), "Line 2 of"),
        ("a.ndjson", "\0\1\2", "Line 1 of"),
        ("a.json", json.dumps(of_page([[(float("inf"), 1)]])), "malformed"),
        ("a.json", json.dumps({"drawings": []}), "no line drawings in"),
        ("a.json", json.dumps({"drawings": None}), "strokes"),
        ("a.json", json.dumps({"version": 2, "drawings": [of_page([CIRCLE])]}), "`$.version`"),
        ("a.json", '{"title": "a"}', "holds no drawings"),
        ("a.json", '{"drawings": [{"title": "a", "strokes": [{"width": -1, "points": [1, 2]}]}]}', "width"),
        ("a.txt", "a", "is no drawing"),
    ],
)
def test_damaged_drawings_are_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(NurieError, match="Expected drawings of strokes") as raised:
        open_collection(tmp_path / name)
    assert said in str(raised.value) and name in str(raised.value)


def erased(*places: tuple[float, float]) -> dict:
    made = of_page([CIRCLE])
    made["strokes"].append({"tool": "eraser", "width": 60, "points": [v for at in places for v in at]})
    return made


HINT = {"width": 9, "colour": "#ff8800", "points": [100, 100, 120, 130]}
SAMPLE = {"paper": {"colour": "#ffffff"}, "picture": "iVBO"}
MAP = {"paper": {"colour": "#0030ff", "covered": True}}
NOTHING = {  # what holds no line drawing -> why it is left out
    "a.json": (json.dumps({"drawings": [of_page([])]}), "1 without lines"),
    "b.json": (json.dumps({"drawings": [{"title": "a", "strokes": [HINT]}]}), "1 without lines"),
    "c.json": (json.dumps({"drawings": [erased(*CIRCLE)]}), "1 without lines"),
    "d.json": (json.dumps({"drawings": [of_page([CIRCLE], **MAP), of_page([], **MAP)]}), "2 of label maps"),
    "e.json": (json.dumps(of_page([CIRCLE], **MAP)), "1 of label maps"),
    "f.json": (json.dumps({"drawings": [of_page([CIRCLE], **SAMPLE)]}), "1 on a sample picture"),
    "g.ndjson": (quick_draw([]) + "\n  \n" + quick_draw([[], []]) + "\n", "2 without lines"),
    "h.ndjson": (quick_draw([CIRCLE], recognized=False), "1 not recognised"),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_is_no_line_drawing_is_left_out_and_refused_where_there_is_nothing_else(tmp_path: Path, name: str) -> None:
    text, why = NOTHING[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(NurieError, match=f"no line drawings in .*{name}, only {why}. Expected drawings of strokes"):
        open_collection(tmp_path / name)
    (tmp_path / "z.ndjson").write_text(quick_draw([CIRCLE]) + "\n")
    collection = open_collection(tmp_path)
    assert (len(collection.sketches), collection.told()) == (1, why)


def test_white_pictures_and_files_of_other_kinds_are_left_out(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((20, 30, 3), 255, np.uint8))
    (tmp_path / "b.svg").write_text("<svg/>")
    with pytest.raises(NurieError, match=r"only 1 \.svg, 1 without lines"):
        open_collection(tmp_path)


def test_what_an_eraser_has_left_is_a_drawing_without_the_place_where_it_went(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(erased((28, 128), (-900, 128))))
    (sketch,) = open_collection(tmp_path / "a.json").sketches
    assert sketch.box[0] == pytest.approx(28, abs=1)


def noise(side: int = 64) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)


def drawn_circle() -> np.ndarray:
    sheet = np.full((96, 96, 3), 255, np.uint8)
    cv2.circle(sheet, (48, 48), 30, (0, 0, 0), 2)
    return sheet


def walls() -> np.ndarray:
    made = np.full((96, 96, 3), (255, 48, 0), np.uint8)
    made[20:60, 30:70], made[60:, 40:60] = (0, 128, 255), (0, 255, 255)
    return made


FOREIGN = {
    "photo": (noise, "has colours, or is dark"),
    "grey": (lambda: noise()[:, :, :1], "has colours, or is dark"),
    "map": (walls, "looks like a label map"),
    "pair": (lambda: np.hstack([drawn_circle(), walls()]), "two pictures side by side"),
    "labels": (lambda: np.hstack([noise(96), walls()]), "two pictures side by side"),
    "beside white": (lambda: np.hstack([np.full((64, 64, 3), 255, np.uint8), noise()]), "has colours, or is dark"),
    "swapped": (lambda: np.hstack([walls(), drawn_circle()]), "two pictures side by side"),
    "inverted": (lambda: 255 - drawn_circle(), "light lines on black. Invert it"),
    "thin": (lambda: np.zeros((1, 1, 3), np.uint8), "light lines on black"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_pictures_that_are_no_line_drawings_are_named_with_what_they_look_like(tmp_path: Path, kind: str) -> None:
    make, said = FOREIGN[kind]
    cv2.imwrite(str(tmp_path / "a.png"), make())
    with pytest.raises(NurieError, match=r"a\.png is no line drawing: expected dark lines on white") as raised:
        open_collection(tmp_path)
    assert said in str(raised.value)


def test_coloured_strokes_of_a_picture_are_left_out_like_those_of_its_strokes(tmp_path: Path) -> None:
    strokes = [Stroke(3, [v for at in CIRCLE for v in at]), Stroke(9, HINT["points"], "#ff8800")]
    for name, kept in (("a", strokes[:1]), ("b", strokes)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), draw_strokes(kept, 256, 256)[:, :, ::-1])
    plain, hinted = open_collection(tmp_path).sketches
    assert plain.picture is not None and hinted.picture is not None
    assert np.abs(plain.picture.astype(int) - hinted.picture).max() < 32  # a hint's edge is pale


numbers = st.floats(-65536, 65536) | st.integers(-3, 300)
page_strokes = st.fixed_dictionaries(
    {"width": st.floats(0.01, 4096), "points": st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5)},
    optional={"colour": st.just("#ff8800"), "tool": st.sampled_from(["pencil", "eraser"])},
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strokes=st.lists(page_strokes, max_size=5), seed=st.integers(0, 9))
def test_strokes_of_any_place_and_length_are_drawn_or_left_out(tmp_path: Path, strokes: list, seed: int) -> None:
    for stroke in strokes:
        stroke["points"] = [v for at in stroke["points"] for v in at]
    (tmp_path / "a.json").write_text(json.dumps({"drawings": [{"title": "", "strokes": strokes}, of_page([CIRCLE])]}))
    collection = open_collection(tmp_path / "a.json")
    assert len(collection.sketches) + sum(collection.left_out.values()) == 2
    batch = unpaired_at(range(2), collection, seed, square(64))
    assert torch.isfinite(batch.drawing).all()
    seen, _ = look(made_painter(lambda drawing: drawing), collection.sketches)
    assert seen.summary()["paint_outside"] is not None


@settings(max_examples=50, deadline=None)
@given(
    missing=st.floats(0, 0.35),
    pieces=st.integers(1, 4),
    turn=st.floats(0, 6.28),
    radius=st.floats(20, 90),
)
def test_an_outline_of_which_up_to_a_fifth_is_missing_is_a_body(
    missing: float, pieces: int, turn: float, radius: float
) -> None:
    angle = 2 * np.pi / pieces
    arcs = [turn + i * angle + np.linspace(0, angle * (1 - missing), 80) for i in range(pieces)]
    strokes = [100 + radius * np.stack([np.cos(arc), np.sin(arc)], 1) for arc in arcs]
    gap = pieces * 2 * radius * np.sin(missing * angle / 2)  # gaps are measured straight
    share = gap / (gap + 2 * np.pi * radius * (1 - missing))
    body = bodies(strokes, (200, 200))
    if share < 0.19:
        assert body[100, 100] and body.sum() > 0.7 * np.pi * radius**2
    elif share > 0.21:
        assert not body.any()


def test_a_tail_and_whiskers_are_no_bodies() -> None:
    tail = np.array([[20, 20], [60, 30], [100, 20], [140, 40]], float)
    assert not bodies([tail, tail + 40, np.array([[5.0, 5.0]])], (200, 200)).any()


def test_what_is_inside_filled_and_paper_of_a_drawing(doodles: Path) -> None:
    collection = open_collection(doodles)
    batch = unpaired_at(range(20), collection, 0, square(128))
    ink, inside, filled, paper = (x.bool() for x in (batch.ink, batch.inside, batch.filled, batch.paper))
    assert batch.drawing.shape == (20, 3, 128, 128) and ink.shape == (20, 1, 128, 128)
    assert (ink == (batch.drawing[:, :1] < 0)).float().mean() > 0.99
    assert not (filled & paper).any() and not ((filled | paper) & ink).any() and (filled <= inside).all()
    assert paper[:, :, 0].float().mean() > 0.8  # the sheet's border, which a wide pen may touch
    areas = filled.float().mean((1, 2, 3))
    assert (areas > 0.02).all()  # each has a body, though a part of its outline is missing
    again = unpaired_at(range(20), collection, 0, square(128))
    assert torch.equal(again.drawing, batch.drawing)
    assert not torch.equal(unpaired_at(range(20), collection, 1, square(128)).drawing, batch.drawing)


def test_processes_share_the_drawings_of_a_step(pairs: Path, doodles: Path) -> None:
    folder, collection = open_pairs(pairs, "train", square(64), "AtoB"), open_collection(doodles)
    options = Train(pairs, Path("run"), size=square(64), batch=4, drawings=doodles)

    def drawings(step: int, processes: int) -> Tensor:
        each = replace(options, batch=4 // processes)
        batches = [Sampler(folder, each, (), i, processes, collection)(step) for i in range(processes)]
        return torch.cat([batch.unpaired.drawing for batch in batches if batch.unpaired])

    assert drawings(0, 1).shape == (2, 3, 64, 64)
    assert all(torch.equal(drawings(step, 2), drawings(step, 1)) for step in range(3))


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.01, 1), (0.5, 2), (1.0, 4), (8.0, 32)])
def test_a_share_of_drawings_is_at_least_one(pairs: Path, doodles: Path, share: float, count: int) -> None:
    folder, collection = open_pairs(pairs, "train", square(64), "AtoB"), open_collection(doodles)
    options = Train(pairs, Path("run"), size=square(64), batch=4, drawings=doodles, drawings_share=share)
    drawn = Sampler(folder, options, drawings=collection)(0).unpaired
    assert (0 if drawn is None else len(drawn.drawing)) == count


def square_of(value: float, around: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
    """A picture whose ink, a dot in the middle, has a value where all around it has another; the ink, the inside."""
    ink = torch.zeros(1, 1, 64, 64)
    ink[:, :, 31:33, 31:33] = 1
    return torch.full((1, 3, 64, 64), around).where(ink == 0, torch.tensor(value)), ink, torch.ones_like(ink)


@pytest.mark.parametrize(("value", "loss"), [(0.0, 0.35), (-0.2, 0.15), (-0.35, 0.0), (-1.0, 0.0), (0.3, 0.65)])
def test_ink_is_to_be_darker_than_what_is_around_it(value: float, loss: float) -> None:
    fake, ink, inside = square_of(value, 0.0)
    assert ink_contrast_loss(fake, ink, inside).item() == pytest.approx(loss, abs=1e-5)
    assert ink_contrast_loss(fake, ink, torch.zeros_like(inside)).item() == 0  # lines on paper are not asked


def test_paper_is_to_be_white_and_a_subject_of_its_colour() -> None:
    fake, _, inside = square_of(0.5, 0.5)
    half = inside.clone()
    half[..., :32] = 0
    assert paper_loss(fake, half).item() == pytest.approx(0.25)
    colour = torch.tensor([[0.5, 0.0, 1.0]])
    assert subject_colour_loss(fake, half, colour).item() == pytest.approx((0 + 0.5 + 0.5) / 3)
    assert subject_colour_loss(fake, 0 * half, colour).item() == 0


@pytest.mark.parametrize(
    "build", [lambda: PatchDiscriminator(8, unpaired=True), lambda: ProjectedDiscriminator(8, size=64, unpaired=True)]
)
def test_what_is_judged_alone_does_not_hang_on_the_drawing(build: Callable) -> None:
    torch.manual_seed(0)
    net, (drawing, other, picture) = build().eval(), torch.rand(3, 2, 3, 64, 64) * 2 - 1
    alone = [net(*net.alone(*net.embed(x, picture)[0]), unpaired=True)[0] for x in (drawing, other)]
    with_it = [net(*net.embed(x, picture)[0])[0] for x in (drawing, other)]
    assert all(torch.equal(a, b) for a, b in zip(*alone, strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(*with_it, strict=True))


def test_training_with_drawings_resumes_to_the_same_bits(pairs: Path, doodles: Path, tmp_path: Path) -> None:
    whole = Train(pairs, tmp_path / "whole", steps=4, save_every=2, drawings=doodles, **TINY)
    train(whole)
    forget_accelerate()
    for steps in (2, 4):
        train(replace(whole, run=tmp_path / "parts", steps=steps))
        forget_accelerate()
    a, b = (checkpoint.load(tmp_path / name / checkpoint.FILE)[0]["ema"] for name in ("whole", "parts"))
    assert all(torch.equal(a[name], b[name]) for name in a)
    losses = [json.loads(line) for line in (tmp_path / "whole" / "losses.jsonl").read_text().splitlines()]
    assert losses[0].keys() >= {"ink_contrast", "open_paper", "subject_colour", "unpaired_gan"} - {"subject_colour"}


def test_a_run_keeps_the_credit_of_the_drawings_data_set(pairs: Path, doodles: Path, tmp_path: Path) -> None:
    own = Train(pairs, tmp_path / "own", steps=1, drawings=doodles, **TINY)
    assert checkpoint.about(train(own))["credits"] == []  # of the maker's own in its format none
    doodles.write_text("".join(quick_draw([CIRCLE, *EYES], key_id=key) for key in ("7", "8", 9)))
    for steps in (1, 2):  # begun, and resumed
        forget_accelerate()
        path = train(replace(own, run=tmp_path / "theirs", steps=steps))
        (credit,) = checkpoint.about(path)["credits"]
        assert "Quick, Draw!" in credit and "CC BY 4.0" in credit
    assert read_manifest(export(Export(tmp_path / "theirs", tmp_path / "model"))).credits == [credit]


def test_nothing_is_written_for_drawings_that_can_not_be_read(pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text("{}")
    with pytest.raises(NurieError, match="Line 1 of"):
        train(Train(pairs, tmp_path / "run", steps=1, drawings=tmp_path / "a.ndjson", **TINY))
    assert not (tmp_path / "run").exists()


def test_lines_are_seen_after_training_with_drawings(pairs: Path, doodles: Path, tmp_path: Path) -> None:
    config = Train(
        pairs, tmp_path / "run", steps=60, save_every=60, drawings=doodles, lr=2e-3, gan=0, feature_matching=0, **TINY
    )
    train(config)
    losses = [json.loads(line) for line in (tmp_path / "run" / "losses.jsonl").read_text().splitlines()]
    first, last = (np.mean([loss["ink_contrast"] for loss in part]) for part in (losses[:5], losses[-10:]))
    assert last < 0.6 * first
    assert "unpaired_gan" not in losses[0]  # no discriminator


def test_a_discriminator_learns_alone_first(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path / "run", steps=2, save_every=1, discriminator_steps=2, **TINY)
    train(config)
    before = checkpoint.load(tmp_path / "run" / checkpoint.FILE)[0]
    forget_accelerate()
    train(replace(config, steps=3))
    after = checkpoint.load(tmp_path / "run" / checkpoint.FILE)[0]
    first = {name for name, x in before["generator"].items() if "running" not in name and "batches" not in name}
    assert all(torch.equal(before["ema"][name], before["generator"][name]) for name in first)  # neither has moved
    assert any(not torch.equal(before["generator"][name], after["generator"][name]) for name in first)


def test_a_run_goes_on_with_other_drawings_but_not_without(
    pairs: Path, doodles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Train(pairs, tmp_path / "run", steps=1, drawings=doodles, **TINY)
    train(config)
    forget_accelerate()
    doodles.rename(tmp_path / "moved.ndjson")
    capsys.readouterr()
    train(replace(config, steps=2, drawings=tmp_path / "moved.ndjson"))
    assert "have changed" not in capsys.readouterr().err
    forget_accelerate()
    with (tmp_path / "moved.ndjson").open("a") as file:
        file.write(quick_draw([CIRCLE]))
    train(replace(config, steps=3, drawings=tmp_path / "moved.ndjson"))
    assert "The drawings without pictures have changed." in capsys.readouterr().err
    forget_accelerate()
    with pytest.raises(NurieError, match="drawings was"):
        train(replace(config, steps=4, drawings=None))


def test_drawings_and_colours_as_classes_do_not_go_together(pairs: Path, doodles: Path, tmp_path: Path) -> None:
    with pytest.raises(NurieError, match="--colours does not go with --drawings"):
        train(Train(pairs, tmp_path / "run", steps=1, colours=8, drawings=doodles, **TINY))
    assert not (tmp_path / "run").exists()


def test_drawings_do_not_go_with_pairs_that_are_no_line_art(pairs: Path, doodles: Path, tmp_path: Path) -> None:
    other = Train(pairs, tmp_path / "run", steps=1, direction="BtoA", **TINY)
    with pytest.raises(NurieError, match="--drawings takes line drawings, but those of the pairs in"):
        train(replace(other, drawings=doodles))
    assert not (tmp_path / "run" / checkpoint.FILE).exists()
    forget_accelerate()
    path = train(other)
    with pytest.raises(NurieError, match="--drawings takes line drawings, but those of the pairs in"):
        evaluate(Evaluate(path, pairs, drawings=doodles))


def seen_of(paint: Callable[[np.ndarray], np.ndarray], sketch: Sketch) -> dict:
    return look(made_painter(paint), [sketch])[0].summary()


def made_painter(paint: Callable[[np.ndarray], np.ndarray]) -> Painter:
    return Painter(
        paint=paint, set_seed=lambda _: None, mean_seed=0, lines=0.0, height=256, width=256, multiple=1,
        labels=[], direction="AtoB", parameters=None, model_bytes=None,
        plan=lambda: make_plan([3], [Op("input"), Op("output")]),
    )  # fmt: skip


@pytest.mark.parametrize(("dark", "lost"), [(180, 0.0), (196, 1.0)])  # 190 is of 77 L*; they of 73 and 79
def test_strokes_without_contrast_are_lost(tmp_path: Path, dark: int, lost: float) -> None:
    eyes = [[(x / 2 + 50, y / 2 + 50) for x, y in eye] for eye in EYES]
    (tmp_path / "a.ndjson").write_text(quick_draw([CIRCLE, *eyes]))
    (sketch,) = open_collection(tmp_path / "a.ndjson").sketches
    brown = 205 if dark == 196 else 200

    def paint(drawing: np.ndarray) -> np.ndarray:
        """Grey inside of the circle, with lines of another grey."""
        y, x = np.mgrid[0:256, 0:256]
        inside = np.hypot(x - 128, y - 128) < 110
        return np.where(inside[:, :, None], np.where(drawing < 128, dark, brown), 255).astype(np.uint8)

    seen = seen_of(paint, sketch)
    assert (seen["inner_strokes"], seen["lost"], seen["lost_small"]) == (2, lost, lost)
    assert seen["white_inside"] == 0 and seen["paint_outside"] < 0.05


def test_what_stays_white_inside_and_is_painted_outside(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text(quick_draw([CIRCLE]))
    (sketch,) = open_collection(tmp_path / "a.ndjson").sketches
    white, grey = (seen_of(lambda _, v=v: np.full((256, 256, 3), v, np.uint8), sketch) for v in (255, 128))
    assert (white["white_inside"], white["paint_outside"], white["inner_strokes"], white["lost"]) == (1, 0, 0, None)
    assert (grey["white_inside"], grey["paint_outside"]) == (0, 1)


def test_evaluate_tells_what_is_lost(pairs: Path, doodles: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("nurie.evaluate.load_networks", Networks)
    path = train(Train(pairs, tmp_path / "run", steps=1, **TINY))
    evaluate(Evaluate(path, pairs, samples=1, drawings=doodles))
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert "left out of" in err and "1 not recognised" in err
    (result,) = json.loads(lines[-1])["results"]
    assert result["drawings"].keys() >= {"lost", "lost_small", "white_inside", "paint_outside"}
    assert result["drawings"]["kid"] is None
    assert any(line.startswith("drawings without pictures: strokes lost") for line in lines)
