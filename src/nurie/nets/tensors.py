"""Pictures as bytes and as tensors."""

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor


def to_tensor(images: list[UInt8[np.ndarray, "h w 3"]]) -> Float[Tensor, "n 3 h w"]:
    """uint8 (h, w, 3) pictures -> float32 (n, 3, h, w) in [-1, 1], channels last in memory."""
    batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return batch.float().div_(127.5).sub_(1.0)


def to_mask(masks: list[Bool[np.ndarray, "h w"]]) -> Float[Tensor, "n 1 h w"]:
    """bool (h, w) -> float32 (n, 1, h, w)."""
    return torch.from_numpy(np.stack(masks)[:, None]).float()


def to_images(batch: Float[Tensor, "n 3 h w"]) -> UInt8[np.ndarray, "n h w 3"]:
    """(n, 3, h, w) in [-1, 1] -> uint8 (n, h, w, 3)."""
    scaled = batch.detach().float().add(1.0).mul(127.5).round().clamp(0, 255)
    return scaled.permute(0, 2, 3, 1).to(torch.uint8).cpu().numpy()
