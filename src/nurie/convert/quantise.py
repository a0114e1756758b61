"""8-bit weights: symmetric codes with one scale per output channel, finer for small weights where many are small; or
with one step for all of a layer, of which an entropy coder makes the least bytes."""

from collections.abc import Iterator

import numpy as np

MOST = 127  # code
COMPANDS = (0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0)
MOST_BITS = 7.35  # of a code's entropy, which is what its byte takes in a zipped file
AT_ONCE = 1 << 20  # weights


def quantise(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """float32 (out, y, x, in) -> codes int8 of the same shape in [-127, 127], scales (out,), and the companding.

    Value = scale x code x (1 + companding x (code / 127)^2): of some compandings, the one with the least error of those
    whose codes zip as well as they must. Companding as in telephony (Smith 1957), by a cubic. A channel of zeros has
    scale 0. Each kernel's codes sum up to what its weights do, within half a step: where an input hardly changes from
    pixel to pixel, as on paper, their errors cancel (as in SQuant, Guo et al. 2022).
    """
    peaks = np.abs(weights).max(axis=(1, 2, 3))
    compand = chosen(weights, peaks)
    scales = (peaks / (MOST * (1 + compand))).astype(np.float32)
    codes = np.empty(weights.shape, np.int8)
    for part in parts(weights):
        exact = divided(weights[part], scales[part])
        kernels = exact.reshape(len(exact), -1, exact.shape[3])
        found = settled(nearest(kernels, compand), kernels, compand)
        codes[part] = np.clip(found, -MOST, MOST).reshape(exact.shape)
    return codes, scales, compand


def in_steps(weights: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray, float]:
    """As `quantise`, but value = step x code in all channels: a wider step has fewer codes, and takes fewer bits."""
    scales = np.full(len(weights), step, np.float32)
    exact = divided(weights, scales).reshape(len(weights), -1, weights.shape[3])
    codes = np.clip(settled(np.rint(exact), exact, 0.0), -MOST, MOST)
    return codes.astype(np.int8).reshape(weights.shape), scales, 0.0


def codes_with(weights: np.ndarray, step: float | None) -> tuple[np.ndarray, np.ndarray, float]:
    """What a model gets: `in_steps`, or without a step `quantise`."""
    return quantise(weights) if step is None else in_steps(weights, step)


def dequantised(codes: np.ndarray, scales: np.ndarray, compand: float) -> np.ndarray:
    """The values of codes (out, y, x, in), float32."""
    return expanded(codes.astype(np.float32), compand) * scales[:, None, None, None]


def chosen(weights: np.ndarray, peaks: np.ndarray) -> float:
    """The companding. peaks: the largest weight of each channel, (out,)."""
    best, least = 0.0, np.inf
    for compand in COMPANDS:
        error, counts = 0.0, np.zeros(2 * MOST + 1)
        scales = (peaks / (MOST * (1 + compand))).astype(np.float32)
        for part in parts(weights):
            codes = nearest(divided(weights[part], scales[part]), compand)
            difference = dequantised(codes, scales[part], compand) - weights[part]
            error += float(np.square(difference, out=difference).sum())
            counts += np.bincount(codes.astype(np.int16).ravel() + MOST, minlength=len(counts))
        if compand and entropy(counts) > MOST_BITS:
            break
        if error < least:
            best, least = compand, error
    return best


def parts(weights: np.ndarray) -> Iterator[slice]:
    """Some output channels after the other, so that little memory is needed."""
    step = max(1, AT_ONCE // weights[0].size)
    return (slice(first, first + step) for first in range(0, len(weights), step))


def divided(weights: np.ndarray, scales: np.ndarray) -> np.ndarray:
    return weights / np.where(scales == 0, 1, scales)[:, None, None, None]


def expanded(codes: np.ndarray, compand: float) -> np.ndarray:
    """Floating-point codes -> values before they are scaled."""
    return codes * (1 + np.float32(compand) * np.square(codes / MOST))


def nearest(exact: np.ndarray, compand: float) -> np.ndarray:
    """The codes whose values are nearest, as floating-point numbers."""
    if compand == 0:
        return np.rint(exact)
    root = np.float32(np.sqrt(3 * compand))  # of t + companding t^3 = y: t = 2 / root sinh(arcsinh(3 / 2 root y) / 3)
    inner = np.arcsinh(exact * (1.5 * root / MOST)) / 3
    return np.rint(np.sinh(inner, out=inner) * (2 * MOST / root))


def settled(codes: np.ndarray, exact: np.ndarray, compand: float) -> np.ndarray:
    """Rounded numbers (out, n, in), the farthest rounded ones of them now to the other side: for each `out` and `in`
    their values' sum is as near as can be to that of the exact ones."""
    values = expanded(codes, compand)
    errors = values - exact
    total = errors.sum(1, keepdims=True)
    towards = np.copysign(np.float32(1), total)
    steps = np.abs(values - expanded(codes - towards, compand)) if compand else np.ones_like(errors)
    costs = (steps - 1) / 2 - towards * errors  # squared error that a step costs for its length
    order = costs.argsort(1, kind="stable")
    steps = np.take_along_axis(steps, order, 1)
    before = steps.cumsum(1) - steps
    count = np.clip((np.abs(total) - before) / steps, 0, 1).sum(1, keepdims=True)
    return codes - towards * (order.argsort(1) < np.rint(count))


def entropy(counts: np.ndarray) -> float:
    """Bits of one of the things that were counted."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())
