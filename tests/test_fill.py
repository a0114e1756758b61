"""Flat colouring: an output that gives each area between lines one colour."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurie.engine.plan import FILL, Op, Plan, make_plan
from nurie.engine.reference_fill import filled
from nurie.engine.wasm import Engine, EngineError
from nurie.errors import NurieError
from plans import Builder

Model = tuple[Plan, bytes]
RED, BLUE = (220, 40, 30), (40, 60, 230)


def blurred(activation: int = FILL) -> Model:
    """A net whose picture is the drawing, softened: areas get shades from what is near them."""
    b = Builder()
    image, out = b.image(), b.tensor(3)
    mean = b.data(np.full((3, 7, 7), 1 / 49, "<f4"))
    b.ops.append(Op("depthwise", input=image, output=out, in_channels=3, out_channels=3, kernel=7, pad=3, weight=mean))
    return b.finish(out, activation=activation)


def load(model: Model, relaxed: bool = False) -> Engine:
    return Engine(model[0], weights=model[1], relaxed=relaxed)


def house(size: int = 48) -> np.ndarray:
    """Two areas within thick softened lines, one of them open at a corner, and paper around."""
    drawing = np.full((size * 4, size * 4, 3), 255, np.uint8)
    cv2.rectangle(drawing, (32, 40), (92, 152), (0, 0, 0), 8)
    cv2.polylines(drawing, [np.array([(112, 60), (112, 150), (164, 150), (164, 40), (130, 40)])], False, (0, 0, 0), 8)
    return cv2.resize(drawing, (size, size), interpolation=cv2.INTER_AREA)


def test_an_enclosed_area_gets_its_mean_colour() -> None:
    drawing = house()
    plain, flat = (load(blurred(activation)).run(drawing) for activation in (0, FILL))
    lines = drawing[:, :, 0] < 128
    inside = cv2.dilate(lines.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
    inside[:, 24:], inside[:, :8], inside[:10], inside[38:] = False, False, False, False
    assert len(np.unique(plain[inside], axis=0)) > 5
    colours = np.unique(flat[inside], axis=0)
    assert len(colours) == 1
    assert np.abs(colours[0] - plain[inside].mean(0)).max() <= 0.5
    wider = cv2.dilate(inside.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    beside = wider & ~inside & (cv2.dilate(inside.astype(np.uint8), np.ones((5, 5), np.uint8)) == 1)
    assert len(np.unique(drawing[beside])) > 2  # soft lines, as soft as in the drawing
    assert np.abs(flat[beside] - colours[0] * (drawing[beside] / 255)).max() <= 0.5


def test_strokes_give_an_area_their_own_colours() -> None:
    drawing = house()
    drawing[18:22, 12:20] = RED
    drawing[17, 12:20] = drawing[22, 12:20] = (240, 150, 145)  # a soft edge
    engine = load(blurred())
    assert np.array_equal(np.unique(engine.run(drawing)[13:36, 11:21].reshape(-1, 3), axis=0), [RED])
    grey = house()
    grey[18:22, 12:20] = 150
    assert (engine.run(grey)[13:36, 11:21] == 150).all()
    drawing[28:34, 11:21] = BLUE
    picture = engine.run(drawing)[13:36, 11:21]
    assert np.array_equal(np.unique(picture.reshape(-1, 3), axis=0), sorted([RED, BLUE]))
    assert (picture[6, 4] == RED).all() and (picture[18, 4] == BLUE).all()  # each where the net made it


def test_what_is_left_of_a_line_is_no_grey_stroke() -> None:
    drawing = house()
    drawing[22:24, 12:20] = 150
    plain = load(blurred()).run(drawing)[13:36, 11:21]
    assert len(np.unique(plain.reshape(-1, 3), axis=0)) == 1 and plain.min() > 200  # its mean
    drawing[24, 12:20] = 150  # three pixels wide
    assert (load(blurred()).run(drawing)[13:36, 11:21] == 150).all()


def vivid() -> Model:
    """A net whose picture is 4 times as far from white as the drawing: 251 becomes 239."""
    b = Builder()
    image, out = b.image(), b.tensor(3)
    weight, bias = b.data(4 * np.eye(3, dtype="<f4")), b.data(np.full(3, -3, "<f4"))
    b.ops.append(Op("conv", image, 0, out, 0, 3, 3, kernel=1, weight=weight, bias=bias))
    return b.finish(out, activation=FILL)


def test_open_paper_gets_few_colours_between_lines_and_is_white_elsewhere() -> None:
    drawing = np.full((256, 256, 3), 255, np.uint8)
    drawing[30:90, 30:130] = (252, 251, 250)  # a haze
    drawing[40:80, 40:80], drawing[40:80, 80:120] = (235, 245, 255), (231, 241, 247)  # shades of one colour
    drawing[150:190, 40:80], drawing[150:190, 80:120] = (225, 255, 225), (255, 230, 230)  # two colours
    drawing[150:166, 170:189] = 230  # 255 pixels off the lines are too few to be one
    drawing[40:80, 160:240] = (225, 255, 225)  # a line only at one side
    expected = np.full_like(drawing, 255)
    expected[40:80, 40:120] = (167, 207, 239)
    expected[150:190, 40:80], expected[150:190, 80:120] = (135, 255, 135), (255, 155, 155)
    for top, bottom, left, right in ((40, 80, 40, 120), (150, 190, 40, 120), (150, 166, 170, 189)):  # open at the top
        for line in (np.s_[bottom, left:right], np.s_[top:bottom, left - 1], np.s_[top:bottom, right]):
            drawing[line] = 0
    drawing[80, 160:240] = 0
    off_lines = cv2.dilate(255 - drawing.max(2), np.ones((3, 3))) < 200
    assert np.array_equal(load(vivid()).run(drawing)[off_lines], expected[off_lines])
    assert off_lines[40:80, 40:120].mean() > 0.9


def test_a_stroke_speaks_for_all_that_lines_hold_and_for_less_on_open_paper() -> None:
    drawing = np.full((256, 256, 3), 255, np.uint8)
    drawing[40:80, 40:120] = drawing[150:190, 40:120] = (235, 245, 255)
    drawing[80, 40:120] = drawing[40:80, 39] = drawing[40:80, 120] = 0  # open at the top
    drawing[55:60, 60:90] = drawing[165:170, 60:90] = RED
    picture = load(vivid()).run(drawing)
    assert (picture[40:79, 41:119] == RED).all()
    assert (picture[165:170, 60:90] == RED).all()
    assert (picture[150:164, 40:120] == 255).all()  # the output is nearer to white there


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_it_is_the_reference_to_the_byte(seed: int, height: int, width: int, relaxed: bool) -> None:
    rng = np.random.default_rng(seed)
    drawing = np.full((height, width, 3), 255, np.uint8)
    for _ in range(rng.integers(0, 7)):
        shade = int(rng.integers(0, 200))
        colour = (shade, shade, shade) if rng.random() < 0.7 else tuple(rng.integers(0, 256, 3).tolist())
        points = rng.integers(0, max(height, width) + 1, (int(rng.integers(2, 6)), 2)).astype(np.int32)
        kind = cv2.LINE_AA if rng.random() < 0.5 else cv2.LINE_4
        cv2.polylines(drawing, [points], bool(rng.random() < 0.7), colour, int(rng.integers(1, 4)), kind)
    b = Builder(seed % 1000)
    plan, weights = b.finish(b.conv(b.image(), 3, 3, kernel=5), activation=FILL)
    plain = Plan(plan.tensors, (*plan.ops[:-1], replace(plan.ops[-1], activation=0)))
    made, unfilled = (load((p, weights), relaxed=relaxed).run(drawing) for p in (plan, plain))
    assert np.array_equal(made, filled(drawing, unfilled))


def test_more_areas_than_there_are_numbers() -> None:
    """Every other pixel of a grid is an area of its own, too small to have a colour."""
    drawing = np.full((256, 256, 3), 255, np.uint8)
    drawing[::2], drawing[:, ::2] = 0, 0
    assert np.array_equal(load(blurred()).run(drawing), load(blurred(0)).run(drawing))


def test_areas_beyond_the_last_number_stay_as_they_are() -> None:
    """4,224 areas of 3x3 pixels between black lines, in an output that is grey all over."""
    b = Builder()
    image, out = b.image(), b.tensor(3)
    weight, bias = b.data(np.zeros((3, 3), "<f4")), b.data(np.full(3, -0.2, "<f4"))
    b.ops.append(Op("conv", image, 0, out, 0, 3, 3, kernel=1, weight=weight, bias=bias))
    drawing = np.full((257, 265, 3), 255, np.uint8)
    drawing[::4], drawing[:, ::4] = 0, 0
    inside = np.zeros((64, 4, 66, 4), np.uint8)
    inside[:, 1:, :, 1:] = (np.arange(1, 64 * 66 + 1) < 4096).reshape(64, 1, 66, 1)
    touched = cv2.dilate(np.pad(inside.reshape(256, 264), (0, 1)), np.ones((3, 3), np.uint8)) > 0
    expected = np.full_like(drawing, 102)
    expected[touched & (drawing[:, :, 0] == 0)] = 0  # lines beside numbered areas get their colour, and are black
    assert np.array_equal(load(b.finish(out, activation=FILL)).run(drawing), expected)
    assert 0 < (expected[drawing == 0] > 0).mean() < 0.1


def test_the_picture_must_be_as_large_as_the_drawing() -> None:
    b = Builder()
    plan, weights = b.finish(b.conv(b.image(), 3, 3, stride=2), activation=FILL)
    with pytest.raises(NurieError, match="needs the drawing's pixels for a picture of 8x8"):
        plan.sizes(16, 16)
    with pytest.raises(EngineError) as refused:
        Engine(plan, weights=weights).resize(16, 16)
    assert refused.value.code == -4


@pytest.mark.parametrize("op", ["input", "conv", "copy", "style"])
def test_nothing_else_fills(op: str) -> None:
    b = Builder()
    image = b.image()
    b.style(image)
    plan, _ = b.finish(b.copy(b.conv(image, 3, 3), 3))
    ops = [replace(each, activation=FILL) if each.op == op else each for each in plan.ops]
    with pytest.raises(NurieError, match=r"has activation 4; known are 0, 1, 2, 3, 5"):
        make_plan(plan.tensors, ops)


def test_small_gaps_are_closed_and_large_ones_are_not() -> None:
    drawing = np.full((256, 256, 3), 255, np.uint8)
    cv2.rectangle(drawing, (40, 60), (180, 200), (0, 0, 0), 5)
    small, large = drawing.copy(), drawing.copy()
    small[100:106, 36:46] = 255
    large[100:108, 36:46] = 255
    flat, open_small, open_large = (load(blurred()).run(image) for image in (drawing, small, large))
    inside = np.s_[66:195, 46:175]
    assert len(np.unique(flat[inside].reshape(-1, 3), axis=0)) == 1
    assert len(np.unique(open_small[inside].reshape(-1, 3), axis=0)) == 1
    assert len(np.unique(open_large[inside].reshape(-1, 3), axis=0)) > 1
    assert np.array_equal(open_small[:, :33], flat[:, :33])  # nothing runs out of the gap
    assert np.array_equal(open_small, filled(small, load(blurred(0)).run(small)))


def test_an_area_of_millions_of_pixels() -> None:
    """Twice the sum of its bytes is more than an int holds."""
    drawing = np.full((2100, 2100, 3), 255, np.uint8)
    cv2.rectangle(drawing, (2, 2), (2097, 2097), (0, 0, 0), 2)
    b = Builder()
    picture = load(b.finish(b.copy(b.image(), 3), activation=FILL)).run(drawing)
    assert (picture[10:-10, 10:-10] == 255).all()
