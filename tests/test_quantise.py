"""8-bit weights: how near they are to those that were trained, and how small."""

import gzip
import math

import numpy as np
import pytest

from codecs8 import decibels, mu_law, uniform
from nurie.convert import quantise as module
from nurie.convert.quantise import dequantised, entropy, quantise
from oldnets import DRAWN

LAYER = (64, 4, 4, 256)  # out, kernel y, kernel x, in


def drawn(kind: str, shape: tuple[int, ...] = LAYER) -> np.ndarray:
    return DRAWN[kind](np.random.default_rng(0), shape).astype(np.float32)


def made(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    """What a layer with these weights makes of x (n, kernel y, kernel x, in)."""
    return np.tensordot(x.astype(np.float64), weights, ([1, 2, 3], [1, 2, 3]))


@pytest.mark.parametrize("kind", DRAWN)
def test_a_layers_output_is_3_decibels_better_than_by_mu_law(kind: str) -> None:
    weights = drawn(kind)
    x = np.maximum(np.random.default_rng(1).normal(size=(500, *LAYER[1:])), 0)  # after a ReLU
    ours, theirs = dequantised(*quantise(weights)), mu_law(weights)[1]
    assert decibels(made(weights, x), made(ours, x)) >= decibels(made(weights, x), made(theirs, x)) + 3
    assert decibels(weights, ours) >= decibels(weights, theirs) + 2.5


@pytest.mark.parametrize("kind", DRAWN)
def test_codes_zip_to_less_than_their_share_of_a_download(kind: str) -> None:
    codes, _, compand = quantise(drawn(kind))
    assert compand > 0
    assert entropy(np.unique(codes, return_counts=True)[1]) < module.MOST_BITS + 0.02  # sums were settled after it
    assert len(gzip.compress(codes.tobytes(), 9)) < 0.937 * codes.size


@pytest.mark.parametrize("kind", DRAWN)
def test_equal_steps_give_the_codes_that_they_always_gave(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMPANDS", (0.0,))
    weights = drawn(kind)
    codes, scales, compand = quantise(weights)
    before, scales_before = uniform(weights)
    assert compand == 0 and (codes == before).all() and (scales == scales_before).all()


def test_weights_that_are_all_as_likely_have_equal_steps() -> None:
    weights = np.random.default_rng(0).uniform(-1, 1, LAYER).astype(np.float32)
    assert quantise(weights)[2] == 0


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("at_once", [module.AT_ONCE, 1])
def test_codes_and_scales_restore_the_weights(kind: str, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    weights = drawn(kind)
    weights[3] = 0
    codes, scales, compand = quantise(weights)
    assert codes.dtype == np.int8 and scales.dtype == np.float32 and codes.min() >= -127
    restored = dequantised(codes, scales, compand)
    assert (restored[3] == 0).all() and scales[3] == 0
    steps = scales[:, None, None, None] * (1 + 3 * compand * (np.abs(codes.astype(np.float32)) / 127) ** 2) + 1e-6
    errors = np.abs(restored - weights)
    assert (errors <= 1.1 * steps).all()
    assert (errors <= 0.52 * steps).mean() > 0.9  # the others were rounded to the farther side
    largest = steps.max((1, 2))
    assert (np.abs((restored - weights).sum((1, 2))) <= 0.55 * largest).all()
    assert math.isclose(np.abs(restored).max(), np.abs(weights).max(), rel_tol=1e-4)


def test_zeros_and_one_weight_are_kept() -> None:
    codes, scales, compand = quantise(np.zeros((2, 1, 1, 3), np.float32))
    assert not codes.any() and not scales.any()
    weights = np.array([0.5, -2.0], np.float32).reshape(2, 1, 1, 1)
    codes, scales, compand = quantise(weights)
    assert np.allclose(dequantised(codes, scales, compand), weights)
