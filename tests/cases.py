"""For each operation, activation and field of docs/formats.md a plan whose picture hangs on it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from nurie.engine.plan import Op, Plan, make_plan
from plans import drawing, scribble

HEIGHT, WIDTH = 16, 12
SEED, COLOUR = 7, (0.5, -0.25, 0.75)
FLOATS, SCALES = 2000, 8000  # random weights, and the byte where small scales for them begin


def weights_file() -> bytes:
    rng = np.random.default_rng(1)
    return rng.normal(0, 0.2, FLOATS).astype("<f4").tobytes() + rng.uniform(1e-4, 2e-3, 100).astype("<f4").tobytes()


def lines() -> np.ndarray:
    """RGBA of open and closed lines, uint8."""
    return np.dstack([scribble(HEIGHT, WIDTH, 3), drawing(HEIGHT, WIDTH)[:, :, 3]])


def conv(op: str = "conv", channels: int = 3, output: int = 1, **fields: Any) -> Op:
    """3x3, of the drawing."""
    return Op(op, output=output, **({"in_channels": 3, "out_channels": channels, "kernel": 3, "pad": 1} | fields))


def shown(tensors: list[int], *ops: Op, source: int = 1, **fields: int) -> Plan:
    """The drawing as tensor 0, the operations, and a picture of tensor `source`."""
    return make_plan([3, *tensors], [Op("input"), *ops, Op("output", input=source, **fields)])


def copied(**fields: int) -> Op:
    return Op("copy", output=1, **({"in_channels": 3} | fields))


def normed(**fields: Any) -> Op:
    return Op("norm", **({"output": 1, "in_channels": 3, "out_channels": 3, "epsilon": 1e-3} | fields))


Case = Callable[[], list[Plan]]  # made when it is wanted, so that what a plan cannot have fails its own test


def of_activation(number: int) -> Case:
    return lambda: [shown([3], conv(activation=number))]


OPERATIONS: dict[str, Case] = {
    "input": lambda: [make_plan([12, 3], [Op("input", shuffle=2), copied(), Op("output", input=1)])],
    "conv": lambda: [shown([3], conv())],
    "conv_transpose": lambda: [shown([3], conv("conv_transpose", kernel=4, stride=2))],
    "copy": lambda: [shown([3], copied(shuffle=2))],
    "output": lambda: [shown([8], conv(channels=8), input_channel=4)],
    "depthwise": lambda: [shown([3], conv("depthwise"))],
    "style": lambda: [shown([4], Op("style", output=1))],
    "enclosed": lambda: [
        shown([4, 3], Op("enclosed", output=1), Op("conv", 1, 0, 2, 0, 1, 3, kernel=1), source=2),
    ],
    "norm": lambda: [shown([3, 3], conv(), normed(input=1, output=2, scale=40, bias=80, residual=0), source=2)],
    "labels": lambda: [shown([5], Op("labels", output=1, out_channels=5))],
}

ACTIVATIONS: dict[str, Case] = {
    "none": of_activation(0),
    "relu": of_activation(1),
    "leaky_relu": of_activation(2),
    "tanh": of_activation(3),
    "fill": lambda: [shown([3], conv(), activation=4)],
    "sigmoid": of_activation(5),
}

# Two plans that differ in nothing but this field, whose pictures differ.
FIELDS: dict[str, Case] = {
    "op": lambda: [shown([3], conv(op, kernel=1, pad=0)) for op in ("depthwise", "copy")],
    "input": lambda: [shown([3], conv(), source=i) for i in (0, 1)],
    "input_channel": lambda: [shown([8], conv(channels=8), input_channel=i) for i in (0, 4)],
    "output": lambda: [shown([3, 3], conv(output=i), conv(output=3 - i, weight=432)) for i in (1, 2)],
    "output_channel": lambda: [
        shown([8], conv(output_channel=i), conv(output_channel=4 - i, weight=432)) for i in (0, 4)
    ],
    "in_channels": lambda: [
        shown([8, 3], conv(channels=8), conv(output=2, input=1, in_channels=i), source=2) for i in (4, 8)
    ],
    "out_channels": lambda: [
        shown([4, 3], conv(channels=i), conv(output=2, input=1, in_channels=4), source=2) for i in (3, 4)
    ],
    "kernel": lambda: [shown([3], conv(kernel=i)) for i in (2, 3)],
    "stride": lambda: [shown([3], conv(stride=i)) for i in (1, 2)],
    "pad": lambda: [shown([3], conv(pad=i)) for i in (1, 2)],
    "activation": lambda: [shown([3], conv(activation=i)) for i in (0, 1)],
    "shuffle": lambda: [shown([12], conv(channels=12, shuffle=i)) for i in (1, 2)],
    "residual": lambda: [shown([3], conv(residual=i)) for i in (-1, 0)],
    "residual_channel": lambda: [
        shown([8, 3], conv(channels=8), conv(output=2, residual=1, residual_channel=i), source=2) for i in (0, 4)
    ],
    "weight": lambda: [shown([3], conv(weight=i)) for i in (0, 432)],
    "scale": lambda: [shown([3], conv(scale=i)) for i in (SCALES, SCALES + 12)],
    "bias": lambda: [shown([3], conv(bias=i)) for i in (-1, 432)],
    "pad_end": lambda: [shown([3], conv(pad_end=i)) for i in (2, 0)],
    "reflect": lambda: [shown([3], conv(kernel=5, pad=2, reflect=i)) for i in (0, 1)],
    "slope": lambda: [shown([3], conv(activation=2, slope=i)) for i in (0.2, 0.9)],
    "epsilon": lambda: [shown([3], normed(epsilon=i)) for i in (1e-5, 1.0)],
    "statistics": lambda: [shown([3], normed(out_channels=HEIGHT, statistics=i)) for i in (2, 1)],
    "mode": lambda: [shown([4], conv(channels=4), mode=i) for i in (0, 2)],
    "compand": lambda: [shown([3], conv(scale=SCALES, compand=i)) for i in (0.0, 3.0)],
}

PLANS: dict[str, Case] = {
    **{f"operation {name}": case for name, case in OPERATIONS.items()},
    **{f"activation {name}": case for name, case in ACTIVATIONS.items()},
    **{f"field {name}": case for name, case in FIELDS.items()},
}
