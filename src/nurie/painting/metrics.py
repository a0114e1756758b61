"""How near pictures are to their targets: L1, PSNR, SSIM, and FID, KID, LPIPS where their networks can be had."""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nurie.errors import NurieError

try:
    from torchmetrics import MeanAbsoluteError, Metric
    from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.kid import KernelInceptionDistance
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity
except RuntimeError as error:  # torchmetrics imports torchvision, and that fails so with another build of torch
    raise NurieError(
        f"torchvision does not fit the installed torch ({error}). Install the version that belongs to it "
        "(pytorch.org says which), or none: pip uninstall torchvision"
    ) from error

NAMES = ("l1", "psnr", "ssim", "fid", "kid", "lpips")
KID_SUBSET, KID_SUBSETS = 1000, 100  # Binkowski et al. 2018 average over subsets; up to 1,000 pictures are one subset


@dataclass(frozen=True)
class Networks:
    """The pretrained networks, each None where it can not be had; `missing` has a sentence for each reason."""

    inception: nn.Module | None = None  # uint8 (n, 3, h, w) -> (n, features)
    lpips: Metric | None = None
    missing: list[str] = field(default_factory=list)


def load_networks() -> Networks:
    """Load the networks, or download them at the first use. Never raises: what is missing is said in a sentence."""
    reasons: dict[str, list[str]] = {}
    inception = attempt(load_inception, ["FID", "KID"], reasons)
    lpips = attempt(load_lpips, ["LPIPS"], reasons)
    return Networks(inception, lpips, [f"{list_of(names)} left out: {why}" for why, names in reasons.items()])


def load_inception() -> nn.Module:
    """The InceptionV3 of FID and KID, from torch-fidelity."""
    return FrechetInceptionDistance().inception


def load_lpips() -> Metric:
    """LPIPS (Zhang et al. 2018) on AlexNet, from torchvision."""
    return LearnedPerceptualImagePatchSimilarity("alex", normalize=True)


def attempt(load: Callable[[], Any], names: list[str], reasons: dict[str, list[str]]) -> Any:
    """What `load` returns, or None and the reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the packages about themselves
            return load()
    except ImportError:
        why = 'torch-fidelity and torchvision are needed, pip install "torchmetrics[image]" brings them.'
    except (OSError, RuntimeError) as error:  # no network, a full disk; a damaged file
        why = f"the weights of the network could not be downloaded or read ({brief(error)})."
    reasons.setdefault(why, []).extend(names)
    return None


def brief(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].strip(" .<>")


def list_of(names: list[str]) -> str:
    """FID, KID and LPIPS are; LPIPS is."""
    return f"{', '.join(names[:-1])} and {names[-1]} are" if len(names) > 1 else f"{names[0]} is"


class LastFeatures(nn.Module):
    """A network that remembers its last answer: FID and KID ask for the features of the same picture in turn."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net, self.last = net, (torch.empty(0), torch.empty(0))

    def forward(self, images: Tensor) -> Tensor:
        if self.last[0] is not images:
            self.last = images, self.net(images)
        return self.last[1]


class PictureMetrics:
    """All metrics over a set of pictures. One object measures several models on the same targets, one after another."""

    def __init__(self, networks: Networks, count: int, seed: int = 0) -> None:
        """count: how many pictures each model will make."""
        self.seed = seed
        self.by_target: dict[str, Metric] = {
            "l1": MeanAbsoluteError(),
            "psnr": PeakSignalNoiseRatio(data_range=1.0),
            "ssim": StructuralSimilarityIndexMeasure(data_range=1.0),
        }
        if networks.lpips is not None:
            self.by_target["lpips"] = networks.lpips
        self.by_set: dict[str, Metric] = {}
        if networks.inception is not None and count > 1:
            self.by_set = set_metrics(LastFeatures(networks.inception), count)
        self.targets_known = False  # their features are the same for every model

    @torch.no_grad()
    def add(self, picture: np.ndarray, target: np.ndarray) -> None:
        """uint8 (h, w, 3) each."""
        fake, real = to_bytes(picture), to_bytes(target)
        for metric in self.by_target.values():
            metric.update(fake / 255, real / 255)
        for images, is_real in ((fake, False), (real, True)):
            if not (is_real and self.targets_known):
                for metric in self.by_set.values():
                    metric.update(images, real=is_real)

    @torch.no_grad()
    def finish(self) -> dict[str, float | None]:
        """The scores of what was added, and everything ready for the next model.

        None where a score is no finite number (PSNR of identical pictures) or its network is missing.
        """
        scores: dict[str, float | None] = dict.fromkeys(NAMES)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            for name, metric in (self.by_target | self.by_set).items():
                value = metric.compute()
                value = float(value[0] if isinstance(value, tuple) else value)
                scores[name] = value if math.isfinite(value) else None
                metric.reset()
        self.targets_known = True
        return scores


class Distance:
    """KID of pictures to targets that are not theirs, uint8 (h, w, 3) each. The targets are read and looked at once,
    however many models are measured."""

    def __init__(self, networks: Networks, targets: Sequence[Callable[[], np.ndarray]], count: int, seed: int) -> None:
        """targets: each reads one. count: how many pictures each model will make."""
        self.seed, self.kid, least = seed, None, min(count, len(targets))
        if networks.inception is not None and least > 1:
            self.kid = set_metrics(networks.inception, least)["kid"]
            for read in targets:
                self.kid.update(to_bytes(read()), real=True)

    @torch.no_grad()
    def to(self, pictures: Sequence[np.ndarray]) -> float | None:
        """None without the network, or with one picture."""
        if self.kid is None:
            return None
        for image in pictures:
            self.kid.update(to_bytes(image), real=False)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            found = round(float(self.kid.compute()[0]), 6)
        self.kid.reset()  # the targets' features stay
        return found


def set_metrics(inception: nn.Module, count: int) -> dict[str, Metric]:
    """FID and KID. One subset of everything makes KID the plain unbiased estimate."""
    subset, subsets = (count, 1) if count <= KID_SUBSET else (KID_SUBSET, KID_SUBSETS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # KID keeps all features in memory: 8 kB a picture
        return {
            "fid": FrechetInceptionDistance(inception, reset_real_features=False),
            "kid": KernelInceptionDistance(inception, subset_size=subset, subsets=subsets, reset_real_features=False),
        }


def to_bytes(image: np.ndarray) -> Tensor:
    """uint8 (h, w, 3) -> uint8 (1, 3, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
