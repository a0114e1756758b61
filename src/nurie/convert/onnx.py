"""A generator as a standard ONNX file, for other programs."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

from nurie.errors import NurieError
from nurie.nets.generators import FastGenerator, StyleInput
from nurie.nets.tensors import to_tensor

ONNX_TOLERANCE = 1e-3  # largest difference between ONNX Runtime and PyTorch, of values in [-1, 1]


@torch.no_grad()
def to_onnx(generator: nn.Module, drawing: np.ndarray, gives: str = "picture") -> bytes:
    """A standard ONNX file, input and output (n, 3, h, w) float32 in [-1, 1], checked with ONNX Runtime.

    gives: the output's name. One that paints in the colours of a palette gives (n, colours, h / 4, w / 4) logits.

    A generator with a style gets the default one, and takes the size it was trained with only: its noise is a constant.
    One that is told how enclosed places are has a second input for that, (n, 1, h / 2, w / 2) or, where it gives
    logits, (n, 1, h / 4, w / 4) float32 in [0, 1].
    """
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise NurieError('--format onnx needs two more packages: pip install "nurie[train]"') from error
    x = to_tensor([drawing]).contiguous()
    styled = any(isinstance(module, StyleInput) for module in generator.modules())
    told = generator.enclosed if isinstance(generator, FastGenerator) else None
    maps = {} if told is None else {"enclosed": told(x)}
    inputs = {"drawing": x, **maps}
    free = {0: "batch"} if styled else {0: "batch", 2: "height", 3: "width"}
    smaller = {axis: name if axis == 0 else f"{name}_of_map" for axis, name in free.items()}
    expected = generator(x)
    whole = {"drawing", gives} if expected.shape[2:] == x.shape[2:] else {"drawing"}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit.TracerWarning: that the noise is a constant is meant
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            generator, (x,), str(path), kwargs=maps, input_names=[*inputs], output_names=[gives],
            dynamic_axes={name: free if name in whole else smaller for name in (*inputs, gives)},
            dynamo=False,
        )  # fmt: skip
        data = path.read_bytes()
    onnx.checker.check_model(data)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (got,) = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    difference = float(np.abs(np.asarray(got) - expected.numpy()).max())
    if difference > ONNX_TOLERANCE:
        raise NurieError(f"ONNX Runtime differs from PyTorch by {difference:.5f}, more than {ONNX_TOLERANCE}.")
    return data
