"""Pairs on disk -> batches, and the variations of drawings."""

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError
from PIL import Image

from conftest import UNVARIED, circle_pair, square
from nurie.batches.sampler import Batch, Sampler, prefetch
from nurie.batches.streams import Choice, Streams
from nurie.batches.vary import jitter, redraw, vary
from nurie.config import Train
from nurie.drawings.ink import is_line_drawing
from nurie.drawings.shift import overlap
from nurie.errors import NurieError
from nurie.nets.styles import style_of
from nurie.nets.tensors import to_images, to_tensor
from nurie.pairs.files import read_pair
from nurie.pairs.folder import PairFolder, open_pairs


def sampler(pairs: Path, process: int = 0, processes: int = 1, **options) -> Sampler:
    config = Train(pairs, Path("run"), **{"batch": 3, "seed": 3, **UNVARIED, **options})
    return Sampler(open_pairs(pairs, "train", square(64), "AtoB"), config, process=process, processes=processes)


def test_details_of_one_picture_are_one_group(pairs: Path) -> None:
    folder = PairFolder(pairs / "train", square(64))
    assert len(folder) == 6
    assert [path.name for path in folder.groups[0]] == ["p0--few.png", "p0--many.png"]


def test_numbers_after_two_dashes_are_no_details(tmp_path: Path) -> None:
    for name in ("cat--1", "cat--2", "cat--few"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), circle_pair(1))
    assert PairFolder(tmp_path, square(64)).names == ["cat--1", "cat--2", "cat"]


def test_batch_depends_on_seed_and_step_alone(pairs: Path) -> None:
    first, again = sampler(pairs, augment_drawing=True)(7), sampler(pairs, augment_drawing=True)(7)
    assert torch.equal(first.drawing, again.drawing)
    assert not torch.equal(first.drawing, sampler(pairs, augment_drawing=True)(8).drawing)
    assert not torch.equal(first.drawing, sampler(pairs, augment_drawing=True, seed=2)(7).drawing)


def test_every_picture_comes_once_per_epoch_over_all_processes(pairs: Path) -> None:
    seen = []
    for process in range(2):
        for step in range(2):  # 2 processes x 2 steps x 3 pictures = 2 epochs of 6
            s = sampler(pairs, process=process, processes=2)
            rank = (step * 2 + process) * 3
            seen += [int(s._order((rank + i) // 6)[(rank + i) % 6]) for i in range(3)]
    assert sorted(seen) == sorted([*range(6), *range(6)])


def test_btoa_swaps_the_halves(pairs: Path) -> None:
    path = PairFolder(pairs / "train", square(64)).groups[0][0]
    drawing, picture = PairFolder(pairs / "train", square(64), "AtoB").read(path)
    right, left = PairFolder(pairs / "train", square(64), "BtoA").read(path)
    assert np.array_equal(drawing, left) and np.array_equal(picture, right)
    assert is_line_drawing(drawing) and not is_line_drawing(np.full((8, 8, 3), 90, np.uint8))


def jittered(image: np.ndarray) -> list[np.ndarray]:
    """The same image as both sides of a pair, jittered 60 times."""
    found = []
    for seed in range(60):
        drawing, picture = jitter(image, image.copy(), np.random.default_rng(seed))
        assert np.array_equal(drawing, picture)
        assert drawing.shape == image.shape
        found.append(drawing)
    return found


def test_jitter_enlarges_and_crops() -> None:
    image = np.full((64, 96, 3), 255, np.uint8)
    image[20:44, 30:66] = 0
    image[:, 0] = 0  # no paper all around
    ink = np.array([(255.0 - drawing[:, 12:]).sum() / (255.0 - image[:, 12:]).sum() for drawing in jittered(image)])
    assert ink.min() == 1
    assert 1.15 < ink.max() < (286 / 256) ** 2 + 0.03
    assert 5 <= (ink == 1).sum() <= 25


def test_jitter_also_makes_what_is_on_white_paper_smaller_and_moves_it() -> None:
    image = np.full((64, 96, 3), 255, np.uint8)
    image[4:60, 6:90] = 0
    drawings = jittered(image)
    ink = np.array([(255.0 - drawing).sum() / (255.0 - image).sum() for drawing in drawings])
    assert 0.25**2 - 0.03 < ink.min() < 0.3
    assert 1.1 < ink.max() < (286 / 256) ** 2
    assert 5 <= (ink == 1).sum() <= 25
    edges = []
    for drawing in np.array(drawings)[ink < 0.8]:
        x, y, w, h = cv2.boundingRect((drawing[:, :, 0] < 128).astype(np.uint8))
        assert abs(w / 84 - h / 56) < 0.05  # in proportion
        edges.append((x, y, 96 - x - w, 64 - y - h))
    assert np.min(edges) >= 1  # whole
    assert (np.min(edges, axis=0) <= 12).all()  # at each side of the paper
    assert (np.max(edges, axis=0) > 24).all()


def test_a_share_of_the_drawings_gets_a_tail(pairs: Path) -> None:
    plain, some, every = (sampler(pairs, batch=12, augment_drawing=True, tails=share)(0) for share in (0.0, 0.5, 1.0))
    tailed = [(batch.picture != plain.picture).flatten(1).any(1).sum().item() for batch in (some, every)]
    assert 1 <= tailed[0] < tailed[1]


def test_a_share_of_the_drawings_gets_each_made_up_part(pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def count(share: float) -> int:
        return int(
            sampler(pairs, batch=12, augment_drawing=True, body_parts=share)(0).near_parts.flatten(1).any(1).sum()
        )

    assert count(0.0) == 0 and count(1.0) == 12
    for other in ("add_face", "add_paws"):
        with monkeypatch.context() as patch:
            patch.setattr(f"nurie.batches.pair.{other}", lambda d, p, _: (d, p, np.zeros(d.shape[:2], bool)))
            assert 3 <= count(0.5) <= 9 and count(1.0) >= 10  # some are too small for a face
    legged: list[np.ndarray] = []
    monkeypatch.setattr("nurie.batches.pair.add_legs", lambda d, p, _: legged.append(d) or (d, p))
    sampler(pairs, batch=12, augment_drawing=True, body_parts=0.5)(0)
    assert 3 <= len(legged) <= 9
    assert sampler(pairs, batch=12, augment_drawing=True, body_parts=1.0)(0).near_parts.shape == (12, 1, 64, 64)


def test_hints_are_told_where_they_are_after_jitter_and_mirroring(pairs: Path) -> None:
    s = sampler(pairs, batch=6, augment_drawing=True, flip=True, jitter=True, hints=1.0)
    for step in range(4):
        batch = s(step)
        near, picture = batch.near_hints.bool(), batch.picture
        assert batch.near_hints.shape == (6, 1, 64, 64)
        assert near.flatten(1).any(1).all()
        assert picture.amin(1, keepdim=True)[near].max() < 0.85  # never the white paper
        coloured = (batch.drawing.amax(1, keepdim=True) - batch.drawing.amin(1, keepdim=True)) > 0.2
        assert coloured.any()
        assert near[coloured].all()
    assert not sampler(pairs, hints=0.0)(0).near_hints.any()


def test_redrawn_drawings_are_the_same_lines_by_another_pen_with_the_same_hints(pairs: Path) -> None:
    batch = sampler(pairs, batch=8, augment_drawing=True, flip=True, jitter=True, hints=1.0, consistency=1.0)(0)
    assert batch.redrawn is not None
    assert batch.redrawn.shape == batch.drawing.shape
    assert not torch.equal(batch.redrawn, batch.drawing)
    moved, still = overlap((64, 64), batch.shift)
    assert batch.shift != (0, 0)
    hinted, beside = 0, []
    for drawing, redrawn in zip(to_images(batch.drawing), to_images(batch.redrawn), strict=True):
        first, second = drawing[still], redrawn[moved]
        near = cv2.dilate((first[:, :, 0] < 200).astype(np.uint8), np.ones((5, 5), np.uint8))
        beside.append(near[second[:, :, 0] < 100])
        coloured = (np.ptp(first.astype(int), axis=2) > 24) & (np.ptp(second.astype(int), axis=2) > 24)
        hinted += coloured.any()
        assert np.median(np.abs(first.astype(int) - second)[coloured]) < 10 if coloured.any() else True
    assert hinted >= 6
    assert np.concatenate(beside).mean() > 0.97  # the rest is in gaps of the first drawing
    assert sampler(pairs, augment_drawing=True)(0).redrawn is None


def test_drawings_with_colour_are_not_computed_again(tmp_path: Path) -> None:
    folder = tmp_path / "pairs/train"
    folder.mkdir(parents=True)
    for i in range(4):
        labels, picture = np.random.default_rng(i).integers(0, 256, (2, 64, 64, 3), np.uint8)
        cv2.imwrite(str(folder / f"p{i}.png"), np.hstack([labels, picture]))
    options = {"batch": 4, "augment_drawing": True, "consistency": 1.0}
    assert sampler(tmp_path / "pairs", **options)(0).redrawn is None
    cv2.imwrite(str(folder / "p0.png"), circle_pair(0))
    batch = sampler(tmp_path / "pairs", **options)(0)
    assert batch.redrawn is not None
    moved, still = overlap((64, 64), batch.shift)
    same = (batch.redrawn[:, :, *moved] == batch.drawing[:, :, *still]).flatten(1).all(1)
    assert same.sum() == 3  # all but the line drawing


def test_styles_are_of_the_pictures_before_strokes_recolour_them(pairs: Path) -> None:
    options = {"batch": 1, "hints": 1.0}
    recoloured = 0
    for step in range(8):
        own, other = sampler(pairs, **options)(step), sampler(pairs, **options, hint_recolour=1.0)(step)
        assert torch.equal(own.style, style_of(own.picture))
        assert torch.equal(own.style, other.style)
        recoloured += not torch.equal(own.picture, other.picture)
        assert torch.equal(sampler(pairs, hint_recolour=1.0)(step).picture, sampler(pairs)(step).picture)
    assert recoloured == 8


def test_uint8_survives_the_round_trip() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    tensor = to_tensor([image])
    assert tensor.min() >= -1 and tensor.max() <= 1
    assert np.array_equal(to_images(tensor)[0], image)


def test_wrong_shapes_are_caught_in_tests() -> None:
    with pytest.raises(TypeCheckError):
        to_images(torch.zeros(1, 4, 8, 8))


def test_pairs_are_resized_by_area(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    cv2.imwrite(str(tmp_path / "train" / "a.png"), circle_pair(3, 128))
    drawing, picture = PairFolder(tmp_path / "train", square(64)).read(tmp_path / "train" / "a.png")
    assert drawing.shape == picture.shape == (64, 64, 3)


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_of_larger_pairs_thin_lines_of_the_drawing_stay_dark_and_pictures_are_resized_by_area(
    tmp_path: Path, direction: str
) -> None:
    half = np.full((512, 512, 3), 255, np.uint8)
    half[200:202] = 0
    Image.fromarray(np.hstack([half, half])).save(tmp_path / "a.png")
    drawing, picture = PairFolder(tmp_path, square(64), direction).read(tmp_path / "a.png")
    assert drawing.min() < 10 and (drawing[:, 32, 0] < 128).sum() in (1, 2)
    assert picture.min() == 191  # a quarter of its 8 rows


def test_picture_that_is_no_pair_gives_its_size(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((20, 30, 3), np.uint8))
    with pytest.raises(NurieError, match=r"a.png is 30x20 pixels; a pair is two squares side by side, such as 40x20"):
        PairFolder(tmp_path, square(32)).read(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp", "jpg"])
def test_pairs_are_pictures_of_any_kind_on_white(tmp_path: Path, suffix: str) -> None:
    pair = circle_pair(3)
    Image.fromarray(pair).save(tmp_path / f"a.{suffix}", quality=100, lossless=True)
    drawing, picture = read_pair(tmp_path / f"a.{suffix}", square(64))
    right, left = read_pair(tmp_path / f"a.{suffix}", square(64), "BtoA")
    assert np.array_equal(left, drawing) and np.array_equal(right, picture)
    difference = np.abs(np.hstack([drawing, picture]).astype(int) - pair)
    assert difference.mean() < 1 if suffix == "jpg" else difference.max() == 0
    folder = PairFolder(tmp_path, square(64))
    assert folder.names == ["a"] and np.array_equal(folder.read(folder.groups[0][0])[0], drawing)


def test_transparent_pairs_lie_on_white(tmp_path: Path) -> None:
    rgba = np.dstack([np.zeros((64, 128, 3), np.uint8), 255 - circle_pair(3)[:, :, 0]])  # ink in the alpha channel
    Image.fromarray(rgba).save(tmp_path / "a.png")
    assert np.array_equal(read_pair(tmp_path / "a.png", square(64))[0], circle_pair(3)[:, :64])


def test_half_a_picture_is_no_pair(tmp_path: Path) -> None:
    Image.fromarray(circle_pair(3)).save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:-400])
    with pytest.raises(NurieError, match=r"a\.jpg can not be read as a picture .* Delete it or make the pairs again"):
        PairFolder(tmp_path, square(64)).read(tmp_path / "a.jpg")


def test_unreadable_pair_is_named_in_the_consumer(pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "broken.png").write_bytes(b"no picture")
    with pytest.raises(NurieError, match=r"broken\.png can not be read"):
        next(prefetch(sampler(tmp_path), 0))


def test_prefetch_gives_the_same_batches_in_order(pairs: Path) -> None:
    s = sampler(pairs)
    got = list(islice(prefetch(s, 2), 4))
    assert all(isinstance(b, Batch) and torch.equal(b.drawing, s(2 + i).drawing) for i, b in enumerate(got))
    assert len(got) == 4


def test_varied_drawings_are_still_drawings_and_differ() -> None:
    drawing = np.ascontiguousarray(circle_pair(1, 256)[:, :256])
    streams = [Streams(0, i) for i in range(40)]
    varied = [redraw(vary(drawing, drawing, s)[0], s(Choice.PEN)) for s in streams]
    assert all(v.shape == drawing.shape and v.dtype == np.uint8 for v in varied)
    assert sum(not np.array_equal(v, drawing) for v in varied) >= 30
    ink = np.array([(255.0 - v).mean() for v in varied]) / (255.0 - drawing).mean()
    assert ink.min() < 0.9 and ink.max() > 1.3  # thinner and thicker
    assert (ink > 0.1).all()  # the outline is never lost


def test_colour_input_is_not_varied() -> None:
    labels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    picture = np.zeros_like(labels)
    varied, target = vary(labels, picture, Streams(0, 0))
    assert varied is labels
    assert target is picture
    assert redraw(labels, np.random.default_rng(0)) is labels


def test_a_picture_follows_its_wobbling_lines() -> None:
    """The edge of a disc lies where its drawn outline does, at every wobble."""
    ys, xs = np.mgrid[:128, :128]
    distance = np.hypot(ys - 64, xs - 64)
    drawing = np.where(np.abs(distance - 40)[..., None] < 1.5, 0, 255).astype(np.uint8).repeat(3, 2)
    picture = np.where(distance[..., None] < 40, 128, 255).astype(np.uint8).repeat(3, 2)  # black blots have an edge
    moved = 0
    for seed in range(30):
        streams = Streams(seed, 0)
        varied, target = vary(drawing, picture, streams)
        varied = redraw(varied, streams(Choice.PEN))
        edge = cv2.Canny(target[:, :, 0], 50, 150) > 0
        ink = varied[:, :, 0] < 200
        if ink.sum() < 300:  # the outline has become too faint, or has gaps
            continue
        moved += not np.array_equal(target, picture)
        reach = cv2.dilate(edge.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        solid = cv2.morphologyEx(ink.astype(np.uint8), cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)) > 0
        assert (ink & ~solid & ~reach).mean() < 0.002
    assert moved > 3
