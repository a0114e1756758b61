"""How enclosed each place of a drawing is by its lines: the engine, training and the reference say the same."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nurie.drawings.enclosed import enclosed
from nurie.engine.reference import how_enclosed
from nurie.engine.wasm import Engine, EngineError
from nurie.nets.generators import EnclosedInput, FastGenerator
from nurie.nets.tensors import to_tensor
from plans import scribble, small_enclosed


def by_engine(drawing: np.ndarray, factor: int, relaxed: bool = False) -> np.ndarray:
    plan, weights = small_enclosed(factor)
    engine = Engine(plan, weights=weights, relaxed=relaxed)
    engine.run(drawing)
    return engine.tensor(0)[:, :, plan.ops[1].output_channel].copy()  # of memory that goes with the engine


def ring(gap: int, size: int = 96) -> np.ndarray:
    """A circle with a gap of so many pixels at its right."""
    drawing = np.full((size, size, 3), 255, np.uint8)
    cv2.circle(drawing, (size // 2, size // 2), size // 3, (0, 0, 0), 2)
    if gap:
        top = size // 2 - gap // 2
        drawing[top : top + gap, size // 2 :] = 255
    return drawing


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(1, 20),
    width=st.integers(1, 140),  # the engine's words are of 64 places
    factor=st.sampled_from([1, 2, 4]),
    relaxed=st.booleans(),
)
def test_engine_training_and_reference_agree(seed: int, height: int, width: int, factor: int, relaxed: bool) -> None:
    drawing = scribble(height * factor, width * factor, seed)
    expected = how_enclosed(drawing, factor)[:, :, 0].astype(np.float32)
    assert np.array_equal(enclosed(drawing, factor), expected)
    assert np.array_equal(by_engine(drawing, factor, relaxed), expected)


@pytest.mark.parametrize("size", [(1, 1), (256, 192), (768, 1024)])
def test_all_sizes(size: tuple[int, int]) -> None:
    drawing = scribble(*size, seed=5)
    assert np.array_equal(by_engine(drawing, 1), enclosed(drawing))


def test_a_spiral_is_open_to_its_middle_for_the_narrow_brushes_only() -> None:
    drawing = np.full((200, 200, 3), 255, np.uint8)
    corners = [((i, i), (195 - i, i), (195 - i, 195 - i), (i, 195 - i), (i, i + 10)) for i in range(5, 95, 10)]
    cv2.polylines(drawing, [np.array(corners).reshape(-1, 2)], False, (0, 0, 0), 1)
    found = enclosed(drawing)
    assert np.isclose(found[98, 98], 1 / 3)
    assert np.array_equal(by_engine(drawing, 1), found)


@pytest.mark.parametrize(("gap", "kept_out"), [(0, 3), (4, 3), (8, 2), (18, 1), (32, 0)])
def test_a_wider_gap_lets_wider_brushes_in(gap: int, kept_out: int) -> None:
    found = enclosed(ring(gap), 2)
    assert np.isclose(found[24, 24], kept_out / 3)
    assert found[0, 0] == 0 and not found[:4].any()  # the paper
    assert found[8, 24] == 1  # the line
    assert not enclosed(np.full((96, 96, 3), 255, np.uint8), 2).any()


def test_a_line_of_any_colour_encloses() -> None:
    red = ring(0)
    red[red[:, :, 0] < 128] = (230, 40, 40)
    assert enclosed(red, 2)[24, 24] == 1
    assert by_engine(red, 2)[24, 24] == 1


def test_the_network_sees_what_the_engine_sees() -> None:
    drawings = [scribble(64, 64, seed) for seed in range(3)]
    seen = EnclosedInput(2)(to_tensor(drawings))
    assert seen.shape == (3, 1, 32, 32)
    for drawing, map_ in zip(drawings, seen.numpy(), strict=True):
        assert np.array_equal(map_[0], by_engine(drawing, 2))


def test_a_hole_far_away_changes_what_a_generator_makes_inside() -> None:
    torch.manual_seed(0)
    net = FastGenerator(8, enclosed=True, residuals=(0, 0, 0, 0, 0)).eval()
    whole, open_ = ring(0), ring(18)
    with torch.no_grad():
        a, b = net(to_tensor([whole, open_]))
    left = np.s_[:, 40:56, 20:28]  # 50 pixels from the gap
    assert (a[left] - b[left]).abs().max() > 1e-4


def test_sizes_that_are_no_multiples_are_refused() -> None:
    plan, weights = small_enclosed(2)
    with pytest.raises(EngineError):
        Engine(plan, weights=weights).run(np.zeros((3, 4, 3), np.uint8))
