"""Files of old generators with random weights, of any width."""

from itertools import pairwise
from pathlib import Path

import numpy as np

DRAWN = {
    "normal": lambda rng, shape: rng.standard_normal(shape, np.float32),
    "Laplace": lambda rng, shape: rng.laplace(size=shape, scale=0.5**0.5),
    "Student's t of 5": lambda rng, shape: rng.standard_t(5, shape) * 0.6**0.5,
}
DOWN = [64, 128, 256, 512, 512, 512, 512, 512]
UP = [512, 512, 512, 512, 256, 128, 64]


def write_knok(folder: Path, drawn: str = "normal", share: int = 1) -> Path:
    """Encoder and decoder of knok's chainer-pix2pix: 54.42 M parameters, with a `share` of its channels fewer. Returns
    the encoder's file."""
    rng = np.random.default_rng(0)
    down, up = ([max(4, channels // share) for channels in widths] for widths in (DOWN, UP))

    def weights(*shape: int, inputs: int) -> np.ndarray:
        return (DRAWN[drawn](rng, shape) * (2 / inputs) ** 0.5).astype(np.float32)

    def norm(name: str, channels: int) -> dict[str, np.ndarray]:
        values = rng.uniform(0.7, 1.3, channels), rng.normal(0, 0.2, channels), np.zeros(channels), np.ones(channels)
        parts = zip(("gamma", "beta", "avg_mean", "avg_var"), values, strict=True)
        return {f"{name}/batchnorm/{part}": array.astype(np.float32) for part, array in parts}

    enc = {"c0/W": weights(down[0], 3, 3, 3, inputs=27), "c0/b": np.zeros(down[0], np.float32)}
    for i, (inputs, outputs) in enumerate(pairwise(down), 1):
        enc[f"c{i}/c/W"] = weights(outputs, inputs, 4, 4, inputs=16 * inputs)
        enc |= {f"c{i}/c/b": np.zeros(outputs, np.float32)} | norm(f"c{i}", outputs)
    dec, inputs = {}, down[-1]
    for i, outputs in enumerate(up):
        dec[f"c{i}/c/W"] = weights(inputs, outputs, 4, 4, inputs=4 * inputs)
        dec |= {f"c{i}/c/b": np.zeros(outputs, np.float32)} | norm(f"c{i}", outputs)
        inputs = outputs + down[-2 - i]
    dec |= {"c7/W": weights(3, inputs, 3, 3, inputs=36 * inputs), "c7/b": np.full(3, 0.4, np.float32)}
    np.savez(folder / "enc_iter_1.npz", **enc)
    np.savez(folder / "dec_iter_1.npz", **dec)
    return folder / "enc_iter_1.npz"
