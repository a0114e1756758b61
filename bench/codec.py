"""8-bit weights of large generators: signal to noise of their pictures against those by float weights, and their size.

python bench/codec.py            the generator of 2017 (chainer-pix2pix, knok's), 54.42 M random weights
python bench/codec.py RUN...     generators of run folders
"""

import argparse
import gzip
import sys
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from codecs8 import decibels, mu_law  # noqa: E402
from nurie.convert import quantise  # noqa: E402
from nurie.convert.lower import lower  # noqa: E402
from nurie.drawings.made_up import made_up  # noqa: E402
from nurie.engine.plan import Plan  # noqa: E402
from nurie.engine.wasm import Engine  # noqa: E402
from nurie.importers.registry import import_files  # noqa: E402
from nurie.importing import filled  # noqa: E402
from nurie.nets.checkpoint import load_generator  # noqa: E402
from nurie.nets.tensors import to_tensor  # noqa: E402
from nurie.size import Size  # noqa: E402
from oldnets import DRAWN, write_knok  # noqa: E402

SIDE = 128  # pixels
Lowered = tuple[Plan, bytes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir(), "nurie-codec"), help="for files of random weights"
    )
    options = parser.parse_args()
    nets = ((str(run), load_generator(run)[0]) for run in options.runs) if options.runs else random_nets(options.folder)
    for name, net in nets:
        measure(name, net)


def random_nets(folder: Path) -> Iterator[tuple[str, nn.Module]]:
    """By the distribution of their weights, with the running statistics of some drawings."""
    folder.mkdir(exist_ok=True)
    for kind in DRAWN:
        _, imported = import_files([write_knok(folder, kind)])
        net = filled(imported, "fixed")
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None
                module.train()
        with torch.no_grad():
            net(to_tensor(made_up(4, SIDE, SIDE, [])))
        yield kind, net.eval()


def measure(name: str, net: nn.Module) -> None:
    count = sum(parameter.numel() for parameter in net.parameters())
    print(f"{name}: {count / 1e6:.2f} M parameters")
    expected = pictures(lower(net, Size(SIDE, SIDE), int8=False))
    kept = quantise.COMPANDS
    for codec, compands in (("ours", kept), ("equal steps, by channel", kept[:1])):
        quantise.COMPANDS = compands
        lowered = lower(net, Size(SIDE, SIDE))
        used = sorted({op.compand for op in lowered[0].ops if op.scale != -1 and op.is_conv})
        report(codec, expected, lowered, len(gzip.compress(lowered[1], 9)), f"compand {used}")
    quantise.COMPANDS = kept
    other, size = by_mu_law(net)
    report("mu-law, by tensor", expected, lower(other, Size(SIDE, SIDE), int8=False), size)


def report(codec: str, expected: np.ndarray, lowered: Lowered, size: int, more: str = "") -> None:
    print(f"  {codec:24} {decibels(expected, pictures(lowered)):6.2f} dB  {size / 1e6:6.2f} MB  {more}", flush=True)


def by_mu_law(net: nn.Module) -> tuple[nn.Module, int]:
    """The same with the weights of its convolutions rounded, and their codes' bytes, zipped."""
    other, size = deepcopy(net), 0
    for module in other.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            codes, values = mu_law(module.weight.detach().numpy())
            module.weight.data = torch.from_numpy(values)
            size += len(gzip.compress(codes.tobytes(), 9))
    return other, size


def pictures(lowered: Lowered) -> np.ndarray:
    """What the engine shows of two drawings, not yet rounded to levels."""
    plan, weights = lowered
    engine = Engine(plan, weights=weights, relaxed=True)
    shown = []
    for drawing in made_up(2, SIDE, SIDE, []):
        engine.run(drawing)
        shown.append(engine.tensor(plan.ops[-1].input).copy())
    return np.stack(shown)


if __name__ == "__main__":
    main()
