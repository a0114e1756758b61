"""Search for the small generator: variants trained briefly on the same pairs with the same budget.

    python bench/search.py PAIRS OUT            train all variants that are not in OUT yet
    python bench/search.py PAIRS OUT --times    print the table; milliseconds are Chromium's, so on a quiet machine

Each variant gets the same steps, batches and losses (`SEARCH` below); scores are of the averaged weights on val.
Milliseconds and scores together choose; docs/LOG.md holds the result.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from engine import WASM_FOLDER, measure  # noqa: E402

from nurie.batches.sampler import Batch  # noqa: E402
from nurie.config import Train  # noqa: E402
from nurie.convert.lower import lower  # noqa: E402
from nurie.nets import checkpoint  # noqa: E402
from nurie.nets.generators import FastGenerator, initialise, initialise_shuffled  # noqa: E402
from nurie.pairs.folder import PairFolder  # noqa: E402
from nurie.size import Size  # noqa: E402
from nurie.train import train  # noqa: E402
from nurie.training import state  # noqa: E402
from nurie.training.validate import val_tensors  # noqa: E402

SEARCH = Train(
    Path(),
    Path(),
    size=Size(128, 128),
    batch=16,
    steps=400,
    discriminator="patch",
    discriminator_width=32,
    l1=30,
    feature_matching=5,
    hint_l1=0,
    jitter=False,
    ema=0.99,
    styles=False,
)
VAL_PAIRS = 128

VARIANTS: dict[str, dict[str, Any]] = {
    "base": {},
    "up by pixel shuffle": {"shuffle": True},
    "width 16": {"width": 16},
    "width 32": {"width": 32},
    "no residual blocks": {"residuals": (0, 0, 0, 0, 0)},
    "3 residual blocks at 16 pixels": {"residuals": (0, 0, 1, 3, 1)},
    "residual block at 64 pixels": {"residuals": (0, 1, 1, 1, 1)},
    "4 levels": {"channels": (24, 48, 96, 160), "residuals": (0, 0, 1, 3)},
    "down by 2x2": {"down": 2},
    "down by 4x4": {"down": 4},
    "unshuffle 4": {"channels": (48, 96, 128, 160), "residuals": (1, 1, 1, 1), "unshuffle": 4},
    "unshuffle 4, wide": {"channels": (64, 96, 160, 192), "residuals": (2, 2, 1, 1), "unshuffle": 4},
}


def build(options: dict[str, Any]) -> FastGenerator:
    net = FastGenerator(**options)
    initialise(net)
    initialise_shuffled(net.head, options.get("unshuffle", 2))
    return net


def run_of(name: str, out: Path) -> Path:
    return out / name.replace(",", "").replace(" ", "-")


@contextmanager
def variant(name: str) -> Iterator[None]:
    """Inside, training and its checkpoints are of this variant's generator."""
    original = state.build_generator
    try:
        for module in (state, checkpoint):
            vars(module).update(build_generator=lambda **_: build(VARIANTS[name]))
        yield
    finally:
        for module in (state, checkpoint):
            vars(module).update(build_generator=original)


def train_variant(name: str, pairs: Path, out: Path) -> None:
    """Train, or resume, or do nothing when it is there."""
    with variant(name):
        train(replace(SEARCH, pairs=pairs, run=run_of(name, out), save_every=SEARCH.steps))


def trained(name: str, out: Path) -> FastGenerator:
    path = run_of(name, out) / checkpoint.FILE
    net = build(VARIANTS[name])
    with variant(name):
        checkpoint.load_weights(net, checkpoint.load(path, ("ema",))[0]["ema"], path)
    return net.eval()


@torch.no_grad()
def score(net: FastGenerator, val: Batch) -> dict[str, float]:
    """L1 of the 0-1 range, and sharpness: the mean difference of neighbouring pixels against the targets'."""
    made = torch.cat([net(drawing) for drawing in val.drawing.split(16)])
    return {"l1": (made - val.picture).abs().mean().item() / 2, "sharpness": edges(made) / edges(val.picture)}


def edges(images: torch.Tensor) -> float:
    return (images.diff(dim=2).abs().mean() + images.diff(dim=3).abs().mean()).item()


def time_ms(net: FastGenerator, rounds: int) -> tuple[float, int]:
    """Median milliseconds at 256x256 in Chromium, one thread, and bytes of the weights before gzip."""
    plan, weights = lower(net, Size(256, 256), True)
    times = measure(plan, weights, 256, 256, rounds, {"relaxed": WASM_FOLDER / "nurie-relaxed.wasm"}, {})
    return statistics.median(times["relaxed"]["total_ms"]), len(weights)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--times", action="store_true", help="print the table; measure on a quiet machine")
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    if not args.times:
        for name in VARIANTS:
            train_variant(name, args.pairs, args.out)
        return
    val = val_tensors(PairFolder(args.pairs / "val", SEARCH.size, SEARCH.direction), VAL_PAIRS)
    print("| variant | ms | MB | val L1 | sharpness |\n|---|---|---|---|---|")
    for name in VARIANTS:
        net = trained(name, args.out)
        scores, (ms, size) = score(net, val), time_ms(net, args.rounds)
        print(f"| {name} | {ms:.1f} | {size / 1e6:.2f} | {scores['l1']:.4f} | {scores['sharpness']:.2f} |", flush=True)


if __name__ == "__main__":
    main()
