"""Colours as classes: palettes, what learns them, and runs that paint in them."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import TINY, forget_accelerate
from nurie.config import Train
from nurie.drawings.palette import bins_of, common_colours, nearest_colours, shares_of, to_bytes, to_lab, to_text
from nurie.errors import NurieError
from nurie.nets import checkpoint
from nurie.nets.colours import BORDER, Colours, even
from nurie.nets.generators import COARSE, FastGenerator, build_generator
from nurie.nets.metadata import read_metadata
from nurie.nets.tensors import to_images, to_tensor
from nurie.painting.painter import open_painter
from nurie.train import train
from nurie.training.options import saved_config

CPU = torch.device("cpu")
THREE = ["#ffffff", "#000000", "#ff0000"]
FIVE: dict = {**TINY, "steps": 2, "save_every": 2, "colours": 5}


def planted(colours: list[tuple[int, ...]], seed: int, size: int = 128) -> list[np.ndarray]:
    """Pictures of rectangles in these colours on white, one for each, with black frames and some noise."""
    rng, pictures = np.random.default_rng(seed), []
    for colour in colours:
        picture = np.full((size, size, 3), 255, np.uint8)
        top, left = rng.integers(8, size // 2, 2)
        picture[top - 4 : top + 44, left - 4 : left + 44] = 0
        picture[top : top + 40, left : left + 40] = np.clip(colour + rng.integers(-2, 3, (40, 40, 3)), 0, 255)
        pictures.append(picture)
    return pictures


@given(st.lists(st.tuples(*[st.sampled_from([70, 150, 230])] * 3), min_size=2, max_size=8, unique=True), st.integers(0))
@settings(max_examples=15, deadline=None)
def test_colours_that_were_planted_are_found_behind_white_and_black(colours: list, seed: int) -> None:
    pictures = planted(colours, seed)
    palette = common_colours(pictures, len(colours) + 2)
    assert palette == common_colours(pictures, len(colours) + 2) and palette[:2] == ["#ffffff", "#000000"]
    apart = np.abs(to_bytes(palette[2:])[:, None].astype(int) - np.array(colours)).max(2)
    assert (apart <= 3).sum(0).tolist() == (apart <= 3).sum(1).tolist() == [1] * len(colours)


def test_the_most_common_colours_come_first_and_shares_tell_how_common_they_are() -> None:
    picture = np.full((64, 64, 3), 255, np.uint8)
    picture[:16], picture[16:48, :32], picture[48:] = (200, 30, 30), (30, 30, 200), 0
    palette = common_colours([picture], 4)
    assert palette == ["#ffffff", "#000000", "#c81e1e", "#1e1ec8"] or palette[2:] == ["#1e1ec8", "#c81e1e"]
    assert shares_of([picture], palette) == [0.25, 0.25, 0.25, 0.25]
    picture[40:48, :32] = 255
    assert common_colours([picture], 4)[2:] == ["#c81e1e", "#1e1ec8"]


def test_a_rare_colour_is_found_beside_many_shades_of_a_common_one() -> None:
    shades = np.linspace((90, 60, 40), (240, 190, 140), 240).astype(np.uint8)
    picture = np.repeat(np.repeat(shades[:, None], 240, axis=1), 1, axis=0)
    picture[:12, :12] = (60, 90, 230)  # 0.25 %
    assert "#3c5ae6" in common_colours([picture], 6)


def test_more_colours_than_there_are_is_a_sentence() -> None:
    pictures = [np.full((64, 64, 3), level, np.uint8) for level in (255, 0, 128)]
    with pytest.raises(
        NurieError, match=r"--colours 5 are white, black and 3 others, .* have 1 others\. Use at most --co"
    ):
        common_colours(pictures, 5)
    with pytest.raises(NurieError, match=r"have 0 others\. They need colours"):
        common_colours(pictures[:2], 5)


@given(
    st.lists(
        st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=8, unique_by=lambda c: tuple(v // 4 for v in c)
    )
)
@settings(max_examples=15, deadline=None)
def test_every_colour_has_the_nearest_of_the_palette_and_those_of_the_palette_themselves(colours: list) -> None:
    palette = [to_text(colour) for colour in colours]
    nearest = nearest_colours(palette)
    assert nearest[bins_of(to_bytes(palette))].tolist() == list(range(len(palette)))
    some = np.random.default_rng(0).integers(0, 256, (500, 3)).astype(np.uint8)
    distance = np.linalg.norm(to_lab(some)[:, None] - to_lab(to_bytes(palette)), axis=2)
    ours = distance[np.arange(500), nearest[bins_of(some)]]
    assert (ours - distance.min(1)).max() < 12  # two levels of a channel


def logits_of(classes: np.ndarray, count: int, sure: float) -> torch.Tensor:
    """Of the classes in the middle of blocks, (n, h, w) of all pixels."""
    middle = torch.from_numpy(classes[:, COARSE // 2 :: COARSE, COARSE // 2 :: COARSE].copy())
    return sure * torch.nn.functional.one_hot(middle, count).permute(0, 3, 1, 2).float()


def test_the_loss_prefers_the_right_class_and_counts_rare_ones_more() -> None:
    colours = Colours(THREE, [0.75, 0.05, 0.2], CPU)
    numbers = np.zeros((1, 16, 16), int)
    numbers[0, :, 8:] = 2
    picture = to_tensor([to_bytes(THREE)[numbers[0]]])
    assert torch.equal(colours.classes(picture)[0], torch.from_numpy(numbers[0]))
    right, even, wrong = (
        colours.cross_entropy(logits_of(numbers, 3, sure), picture).mean().item() for sure in (4.0, 0.0, -4.0)
    )
    assert right < even < wrong
    flat = colours.cross_entropy(logits_of(numbers, 3, 0.0), picture)[0, 0]
    assert flat[0, -1] > 1.4 * flat[0, 0]
    weights = colours.weights.tolist()
    assert weights[0] == 1 and weights[1] / weights[2] == pytest.approx((0.2**0.5 + 0.02) / (0.05**0.5 + 0.02))


@pytest.mark.parametrize(("left", "right"), [(1, 2), (2, 1), (0, 1), (1, 0)])
def test_blocks_between_two_colours_hardly_count_but_those_of_paper_do(left: int, right: int) -> None:
    numbers = np.full((1, 8, 16), left)
    numbers[:, :, 5:] = right  # the second block has one column of the left colour, and the right one in its middle
    assert even(torch.from_numpy(numbers))[0, 0].tolist() == [True, False, True, True]
    colours = Colours(THREE, [1 / 3] * 3, CPU)
    picture = to_tensor([to_bytes(THREE)[numbers[0]]])
    loss = colours.cross_entropy(logits_of(numbers, 3, 0.0), picture)[0, 0, 0, ::COARSE] / np.log(3)
    assert loss.tolist() == pytest.approx([1, 1 if right == 0 else BORDER, 1, 1])


def test_all_pixels_of_a_block_are_judged_by_its_middle() -> None:
    numbers = np.repeat(np.repeat(np.random.default_rng(0).integers(0, 3, (2, 4, 6)), COARSE, 1), COARSE, 2)
    picture = to_tensor(list(to_bytes(THREE)[numbers]))
    colours = Colours(THREE, [0.5, 0.2, 0.3], CPU)
    loss = colours.cross_entropy(logits_of(numbers, 3, 2.0), picture)
    own = -torch.log_softmax(torch.tensor([2.0, 0, 0]), 0)[0] * colours.weights[torch.from_numpy(numbers)]
    assert loss.shape == (2, 1, 16, 24) and torch.allclose(loss[:, 0], own)


def test_the_likeliest_picture_has_each_pixels_most_probable_colour() -> None:
    numbers = np.repeat(np.repeat(np.random.default_rng(0).integers(0, 3, (2, 2, 3)), COARSE, 1), COARSE, 2)
    picture = Colours(THREE, [1.0, 0.0, 0.0], CPU).likeliest(logits_of(numbers, 3, 1.0))
    assert np.array_equal(to_images(picture), to_bytes(THREE)[numbers])


def test_a_run_finds_its_colours_and_paints_in_them_only(pairs: Path, tmp_path: Path) -> None:
    path = train(Train(pairs, tmp_path / "run", **FIVE))
    meta = checkpoint.about(path)
    assert len(meta["palette"]) == len(meta["shares"]) == meta["generator"]["colours"] == 5
    assert sum(meta["shares"]) == pytest.approx(1, abs=1e-4) and not meta["styles"] and not meta["generator"]["styles"]
    saved = saved_config(meta["train"], path)
    assert [saved.l1, saved.gan, saved.feature_matching, saved.consistency, saved.lattice] == [0.0] * 5
    record = json.loads((tmp_path / "run" / "losses.jsonl").read_text().splitlines()[-1])
    assert {"l1", "cross_entropy", "hint_l1", "val_score"} < record.keys() and "discriminator" not in record
    assert (tmp_path / "run" / "samples-000002.png").is_file() and (tmp_path / "run" / "report.html").is_file()


def test_a_run_learns_the_colours_of_its_pictures(pairs: Path, tmp_path: Path) -> None:
    options = FIVE | {"steps": 30, "save_every": 30, "hints": 0.0, "lr": 2e-3}
    train(Train(pairs, tmp_path / "run", **options))
    losses = [
        json.loads(line)["cross_entropy"] for line in (tmp_path / "run" / "losses.jsonl").read_text().splitlines()
    ]
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_a_run_keeps_the_colours_of_the_one_that_it_begins_with(pairs: Path, tmp_path: Path) -> None:
    groups, meta = checkpoint.load(train(Train(pairs, tmp_path / "a", **FIVE)))
    palette = [*meta["palette"][:4], "#123456"]
    checkpoint.save(tmp_path / "a" / checkpoint.FILE, groups, meta | {"palette": palette})
    forget_accelerate()
    path = train(Train(pairs, tmp_path / "b", init=tmp_path / "a", **FIVE))
    assert checkpoint.about(path)["palette"] == palette


def test_a_run_can_not_begin_with_one_of_other_colours(pairs: Path, tmp_path: Path) -> None:
    train(Train(pairs, tmp_path / "five", **FIVE))
    config = Train(pairs, tmp_path / "run", init=tmp_path / "five", **FIVE)
    for changes, sentence in (
        ({"colours": 4}, "five paints in 5 colours, but this run in 4 colours. .* --colours 5"),
        ({"colours": 0}, "five paints in 5 colours, but this run in any colour"),
        ({"colours": 0, "generator": "init", "width": 0}, "paints in the colours of a palette. Train it with --gen"),
    ):
        forget_accelerate()
        with pytest.raises(NurieError, match=sentence):
            train(replace(config, **changes))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"colours": 2}, "--colours must be at least 3, white, black and another, or 0 for any, but it is 2."),
        ({"colours": 65}, "--colours must be from 0 to 64, but it is 65."),
        ({"generator": "unet128"}, "--colours is for --generator fast, but it is unet128."),
        ({"teacher": Path("a run")}, "--colours does not go with --teacher, whose pictures have any colours."),
    ],
)
def test_what_can_not_paint_in_colours_is_refused(pairs: Path, tmp_path: Path, changes: dict, sentence: str) -> None:
    with pytest.raises(NurieError, match=sentence):
        train(replace(Train(pairs, tmp_path / "run", **FIVE), **changes))
    assert not (tmp_path / "run").exists()


def test_a_generator_of_colours_gives_a_logit_for_each_at_every_pixel() -> None:
    net = build_generator("fast", 8, colours=5).eval()
    assert isinstance(net, FastGenerator) and net.head.bias is not None
    with torch.no_grad():
        net.head.bias.fill_(7)  # beyond what pictures have
        logits = net(torch.rand(2, 3, 128, 64))
    assert logits.shape == (2, 5, 32, 16) and (logits > 1).all()


def about(**changes: object) -> str:
    generator = {"kind": "fast", "width": 8, "colours": 3}
    meta = {"version": 1, "step": 1, "train": {"size": 64, "direction": "AtoB"}, "generator": generator}
    return json.dumps(meta | {"palette": ["#ffffff", "#000000", "#ff0000"], "shares": [0.5, 0.25, 0.25]} | changes)


def test_a_checkpoint_of_colours_has_as_many_in_its_palette() -> None:
    meta = read_metadata(about(), "a file")
    assert meta["generator"]["colours"] == len(meta["palette"]) == 3
    for changes, fault in (
        ({"palette": ["#ffffff", "#000000"]}, "a palette of 3 colours, got 2"),
        ({"palette": ["#ffffff", "#000000", "red"]}, r"palette\[2\]"),
        ({"shares": [1.0]}, "a share for each of 3 colours, got 1"),
        ({"generator": {"kind": "fast", "width": 8}}, "a palette of 0 colours, got 3"),
    ):
        with pytest.raises(NurieError, match=fault):
            read_metadata(about(**changes), "a file")


def test_checkpoints_of_before_there_were_colours_are_read_as_they_were() -> None:
    meta = read_metadata(about(generator={"kind": "fast", "width": 8}, palette=[], shares=[]), "a file")
    assert "colours" not in meta["generator"]


def test_predict_paints_areas_in_colours_of_the_palette_and_seeds_in_others(pairs: Path, tmp_path: Path) -> None:
    path = train(Train(pairs, tmp_path / "run", **FIVE))
    palette = to_bytes(checkpoint.about(path)["palette"])
    drawing = np.full((64, 64, 3), 255, np.uint8)
    for top, left in ((6, 6), (6, 36), (36, 6), (36, 36)):
        cv2.rectangle(drawing, (left, top), (left + 20, top + 20), (0, 0, 0), 2)
    painter, seen = open_painter(tmp_path / "run"), set()
    for seed in range(8):
        painter.set_seed(seed)
        picture = painter.paint(drawing)
        inside = picture[12:20, 12:20].reshape(-1, 3)
        assert (inside == inside[0]).all() and inside[0].tolist() in palette[1:].tolist()
        seen.add(picture.tobytes())
    painter.set_seed(0)
    assert painter.paint(drawing).tobytes() in seen and len(seen) > 1
