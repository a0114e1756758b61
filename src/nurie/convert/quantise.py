"""8-bit weights: symmetric codes with one scale per output channel."""

import numpy as np


def quantise(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float32 (out, y, x, in) -> codes int8 of the same shape in [-127, 127] and scales (out,); value = code x scale.

    A channel of zeros has scale 0. Each kernel's codes sum up to what its weights do, within half a code: where an
    input hardly changes from pixel to pixel, as on paper, their errors cancel (as in SQuant, Guo et al. 2022).
    """
    scales = (np.abs(weights).max(axis=(1, 2, 3)) / 127.0).astype(np.float32)
    exact = weights / np.where(scales == 0, 1, scales)[:, None, None, None]
    kernels = exact.reshape(len(exact), -1, exact.shape[3])
    codes = settled(np.rint(kernels), kernels).reshape(exact.shape)
    return np.clip(codes, -127, 127).astype(np.int8), scales


def settled(codes: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Rounded numbers (out, n, in), the farthest rounded ones of them now to the other side: for each `out` and `in`
    their sum is as near as can be to that of the exact ones."""
    errors = codes - exact
    total = errors.sum(1, keepdims=True)
    towards = np.sign(total)
    rank = (-towards * errors).argsort(1).argsort(1)
    return codes - towards * (rank < np.rint(np.abs(total)))
