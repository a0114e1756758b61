"""Old checkpoints in the engine: the numbers that their own systems computed for the same drawing."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from importing import generator_of, imported, old, output_of
from nurie.convert.lower import levels_of, lower
from nurie.engine.reference import run_reference
from nurie.engine.wasm import Engine
from nurie.nets.architecture import Architecture
from nurie.size import Size

FIXED, PICTURE = {"fixed": 1e-5}, {"picture": 1e-4}
BOTH = FIXED | PICTURE


class Case(NamedTuple):
    """A file, or a whole folder, of a fixture; the largest difference for each of its readings."""

    fixture: str
    file: str
    readings: dict[str, float]
    unit: bool = False  # the system's output is in [0, 1] where the generator's is in [-1, 1]
    drawing: str = ""  # the fixture whose input it was given


CASES = (
    Case("chainer_knok", "enc_iter_40.npz", BOTH),
    Case("chainer_pfnet", "enc_iter_40.npz", BOTH),
    Case("torch_unet256_batch", "latest_net_G.pth", BOTH),
    Case("torch_legacy_unet128_batch", "latest_net_G.pth", BOTH),
    Case("torch_unet128_instance", "latest_net_G.pth", PICTURE),
    Case("torch_compiled_resnet6_batch", "latest_net_G.pth", BOTH),
    Case("torch_resnet9_instance", "latest_net_G.pth", PICTURE),
    Case("torch_pix2pixhd_global", "latest_net_G.pth", PICTURE),
    Case("torch_pytorchgan_unet", "generator_0.pth", PICTURE),
    Case("torch_pytorchgan_unet", "model.safetensors", PICTURE),
    Case("onnx_unet256_batch", "unet256_opset17.onnx", FIXED, drawing="torch_unet256_batch"),
    Case("tf_affinelayer_dec2017", "", {"picture": 1.7e-4}, unit=True),  # TensorFlow's own rounding
    Case("tf_affinelayer_dec2017", "model.pict", {"picture": 0.055}, unit=True),  # weights in a codebook of 8 bits
    Case("tf_affinelayer_apr2017", "", PICTURE, unit=True),
    Case("affinelayer", "random_ngf8.pict", PICTURE, unit=True),
    Case("tf2_tutorial", "", BOTH),
    Case("tf2_tutorial", "generator.h5", BOTH),
    Case("tf2_tutorial_keras3", "with_optimizers", BOTH, drawing="tf2_tutorial"),
    Case("keras_mlm_model", "model_000012.h5", PICTURE),
    Case("keras2_vess2ret", "atob_weights.h5", FIXED | {"picture": 1.3e-3}),  # TensorFlow's own rounding
    Case("keras2_tdeboissiere_upsampling", "gen_weights_epoch0.h5", BOTH),
)
TRIED = [pytest.param(case, reading, id=f"{case.fixture}-{case.file}-{reading}")
         for case in CASES for reading in case.readings]  # fmt: skip


def drawing_of(x: np.ndarray, architecture: Architecture) -> np.ndarray:
    """The bytes, uint8 (h, w, 3), that are these numbers for the system.

    x: (1, channels, h, w), (1, h, w, channels) or (h, w, channels); uint8 pictures or masks of 0 and 1, or floats that
    are 256 levels of [-1, 1] or [0, 1].
    """
    x = x.reshape(x.shape[-3:])
    x = x if x.shape[-1] == architecture.channels else x.transpose(1, 2, 0)
    if architecture.reads == "labels":
        colours = [[*bytes.fromhex(colour[1:])] for colour in architecture.palette]
        return np.array(colours, np.uint8)[x.argmax(2)]
    if x.dtype != np.uint8 or x.max() == 1:
        levels = 255 * ((x + 1.0) / 2 if x.min() < 0 else x.astype(float))
        assert np.abs(levels - levels.round()).max() < 1e-4
        x = levels.round().astype(np.uint8)
    return np.repeat(x, 3 // architecture.channels, axis=2)


def theirs(folder: Path, reading: str) -> tuple[np.ndarray, int]:
    """What the system computed, (h, w, channels), and of which rows and columns: every n-th."""
    y, step = output_of(folder, reading)
    y = y.reshape(y.shape[-3:])
    return (y.transpose(1, 2, 0) if len(y) in (1, 3) else y), step


class Tried:
    """A reading of a fixture as the engine's plan, its drawing, and how far numbers are from those of the system."""

    def __init__(self, case: Case, reading: str) -> None:
        folder = old(case.fixture, case.file or "checkpoint")
        generator = imported(folder / case.file)
        assert reading in generator.readings
        drawn = old(case.drawing) if case.drawing else folder
        self.drawing = drawing_of(np.load(drawn / "input.npy"), generator.architecture)
        net = generator_of(generator, reading).float()
        self.plan, self.weights = lower(net, Size(*self.drawing.shape[1::-1]), int8=False)
        self.levels, self.grey, self.unit = levels_of(net.show), generator.architecture.gives == "grey", case.unit
        self.theirs, self.step = theirs(folder, reading)

    def difference(self, x: np.ndarray) -> float:
        """The largest. x: what the operation `output` reads, (h, w, channels)."""
        factor, shift = self.levels
        y = (x[:: self.step, :: self.step, : 1 if self.grey else 3].astype(float) - shift) / factor
        y = (y + 1) / 2 if self.unit else y
        assert y.shape == self.theirs.shape and self.theirs.std() > 0.01
        return float(np.abs(y - self.theirs).max())


@pytest.mark.parametrize(("case", "reading"), TRIED)
def test_the_engine_and_its_reference_have_the_numbers_of_the_system_itself(case: Case, reading: str) -> None:
    tried = Tried(case, reading)
    engine, last = Engine(tried.plan, weights=tried.weights), tried.plan.ops[-1].input
    engine.run(tried.drawing)
    _, tensors = run_reference(tried.plan, tried.weights, tried.drawing)
    for found in (engine.tensor(last), tensors[last]):
        assert tried.difference(found) < case.readings[reading]
