"""Other ways to keep weights in 8 bits, to compare ours with."""

import numpy as np


def mu_law(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """256 codes by mu-law (255) for the whole tensor, of its largest weight, and their values: one codebook for all, as
    the web pages of pix2pix-tensorflow have it."""
    most = np.abs(weights).max()
    heights = np.sign(weights) * np.log1p(255 * np.abs(weights) / most) / np.log(256)
    codes = np.rint((heights + 1) / 2 * 255)
    kept = codes / 255 * 2 - 1
    return codes.astype(np.uint8), (np.sign(kept) * most * (256 ** np.abs(kept) - 1) / 255).astype(np.float32)


def uniform(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Equal steps for each output channel: codes of weights (out, y, x, in), and scales (out,). Each kernel's codes sum
    up to what its weights do within half a code."""
    scales = (np.abs(weights).max(axis=(1, 2, 3)) / 127.0).astype(np.float32)
    exact = weights / np.where(scales == 0, 1, scales)[:, None, None, None]
    kernels = exact.reshape(len(exact), -1, exact.shape[3])
    errors = np.rint(kernels) - kernels
    total = errors.sum(1, keepdims=True)
    towards = np.sign(total)
    rank = (-towards * errors).argsort(1).argsort(1)
    codes = np.rint(kernels) - towards * (rank < np.rint(np.abs(total)))
    return np.clip(codes.reshape(exact.shape), -127, 127).astype(np.int8), scales


def decibels(signal: np.ndarray, came: np.ndarray) -> float:
    """Of signal to noise."""
    noise = np.square(signal.astype(np.float64) - came).sum()
    return float(10 * np.log10(np.square(signal.astype(np.float64)).sum() / noise))
