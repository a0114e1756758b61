"""Plans that break a rule of docs/formats.md, "The plan", each only one; plans at the border that keep it; and sizes.

Plans are as a manifest has them. Their weights are ZEROS, so that every offset of 0 will do.
"""

from copy import deepcopy
from typing import Any

Json = dict[str, Any]
Row = tuple[str, Json]  # what it is, and the plan

ZEROS = bytes(1 << 20)
# input -> conv -> conv_transpose -> copy -> output, then the operations that are left; tensor 1 has 2 channels
BASE: Json = {
    "tensors": [3, 2, 3, 3, 3, 4, 1, 3, 5],
    "ops": [
        {"op": "input"},
        {"op": "conv", "output": 1, "in_channels": 3, "out_channels": 2, "kernel": 3, "pad": 1},
        {
            "op": "conv_transpose",
            "input": 1,
            "output": 2,
            "in_channels": 2,
            "out_channels": 3,
            "kernel": 4,
            "stride": 2,
            "pad": 1,
        },
        {"op": "copy", "input": 2, "output": 3, "in_channels": 3},
        {"op": "output", "input": 3},
        {"op": "depthwise", "output": 4, "in_channels": 3, "out_channels": 3, "kernel": 3, "pad": 1},
        {"op": "style", "output": 5},
        {"op": "enclosed", "output": 6},
        {"op": "norm", "output": 7, "in_channels": 3, "out_channels": 3},
        {"op": "labels", "output": 8, "out_channels": 5},
    ],
}
INPUT, CONV, TRANSPOSED, COPY, OUTPUT, DEPTHWISE, STYLE, ENCLOSED, NORM, LABELS = range(10)
OTHERS = (STYLE, ENCLOSED, NORM, LABELS)
TOO_MUCH = 2**31 - 1
CHANNELS = ("input_channel", "output_channel", "residual_channel")


def but(index: int, **fields: Any) -> Row:
    """BASE with other fields in an operation."""
    plan = deepcopy(BASE)
    plan["ops"][index] |= fields
    return f"{BASE['ops'][index]['op']} with {fields}", plan


def lists(what: str, tensors: list[Any] | None = None, ops: list[Json] | None = None) -> Row:
    """BASE with other tensors or operations."""
    given = {"tensors": tensors, "ops": ops}
    return what, BASE | {name: values for name, values in given.items() if values is not None}


def convolution(tensor: int, **fields: int) -> Row:
    """input -> conv -> tensor of so many channels; output of the drawing."""
    ops = [{"op": "input"}, {"op": "conv", "output": 1, "in_channels": 3, "kernel": 1, "scale": 0} | fields]
    return f"conv with {fields}", {"tensors": [3, tensor], "ops": [*ops, {"op": "output"}]}


def copies(count: int) -> Row:
    """So many operations, and tensors."""
    ops = [{"op": "copy", "output": i, "in_channels": 3} for i in range(1, count - 1)]
    return lists(f"{count} operations", [3] * (count - 1), [{"op": "input"}, *ops, {"op": "output"}])


def within(**fields: int) -> Row:
    """4 of 12 channels, and as many added to them, become 4 of 12."""
    made = {"op": "conv", "output": 1, "in_channels": 3, "out_channels": 12, "kernel": 1}
    read = {"op": "depthwise", "input": 1, "output": 2, "in_channels": 4, "out_channels": 4, "kernel": 1, "residual": 1}
    return lists(f"{fields} of 12", [3, 12, 12], [{"op": "input"}, made, read | fields, {"op": "output"}])


def classes(count: int) -> Row:
    """So many logits, which are shown."""
    made = {"op": "conv", "output": 1, "in_channels": 3, "out_channels": count, "kernel": 1}
    shown = {"op": "output", "input": 1, "mode": 3, "activation": 4, "in_channels": count}
    return lists(f"{count} classes", [3, count], [{"op": "input"}, made, shown])


def reads(channels: int) -> Row:
    """A convolution that reads all of a tensor with so many channels."""
    made = {"op": "conv", "output": 1, "in_channels": 3, "out_channels": channels, "kernel": 1, "scale": 0}
    read = {"op": "conv", "input": 1, "output": 2, "in_channels": channels, "out_channels": 1, "kernel": 1, "scale": 0}
    return lists(f"reads {channels}", [3, channels, 1], [{"op": "input"}, made, read, {"op": "output"}])


OPS: list[Json] = BASE["ops"]
TENSORS: list[int] = BASE["tensors"]

HALF: list[Json] = [
    {"op": "input"},
    {"op": "copy", "output": 1, "in_channels": 3},
    {"op": "conv", "input": 1, "output": 2, "in_channels": 8, "out_channels": 3, "kernel": 1},
    {"op": "output", "input": 2},
]
UNSHUFFLED: list[Json] = [{"op": "input", "shuffle": 2}, {"op": "output"}]
TWO_SIZES: list[Json] = [{"op": "input"}, {"op": "enclosed", "output_channel": 4, "shuffle": 2}, {"op": "output"}]

INVALID: dict[str, list[Row]] = {
    "counts": [
        lists("no tensors", tensors=[]),
        lists("no operations", ops=[]),
        lists("4,097 tensors", tensors=TENSORS + [3] * 4088),
        copies(4097),
    ],
    "channels": [
        *(lists(f"a tensor of {n}", tensors=[*TENSORS, n]) for n in (0, -2, 16385, TOO_MUCH)),
        *(but(OUTPUT, in_channels=n) for n in (-3, 16385, TOO_MUCH)),
        but(CONV, in_channels=TOO_MUCH),
        *(but(COPY, out_channels=n) for n in (-4, 65537)),
        *(but(CONV, out_channels=n) for n in (-4, TOO_MUCH)),
        convolution(8192, out_channels=8192 * 16, shuffle=4),
        but(COPY, in_channels=-3),
        reads(16385),
    ],
    "names": [
        but(CONV, op="pool"),
        but(CONV, op=1),
        but(CONV, dilation=1),
        but(CONV, Kernel=3),
        but(INPUT, toString=1),
        lists("a nameless operation", ops=[*OPS, {"output": 0}]),
    ],
    "integers": [
        *(but(CONV, slope=value) for value in ("1", True, None, [1])),
        *(but(CONV, stride=value) for value in ("1", 1.5, True, None, [1], 2**31, 2**32 + 1, -(2**31) - 1)),
        *(lists(f"a tensor of {n!r}", tensors=[*TENSORS, n]) for n in ("3", 3.5, True, None, 2**32 + 3)),
    ],
    "one output": [
        lists("none", ops=OPS[:OUTPUT] + OPS[DEPTHWISE:]),
        lists("two", ops=[*OPS, {"op": "output"}]),
    ],
    "tensors": [
        *(but(CONV, input=n) for n in (-1, 9, 99)),
        *(but(STYLE, input=n) for n in (-1, 9)),
        but(STYLE, output=-2),
        *(but(INPUT, output=n) for n in (-1, 10)),
        *(but(CONV, residual=n) for n in (-2, 9)),
    ],
    "slices": [
        *(within(**{field: n}) for field in CHANNELS for n in (2, 12, -4)),
        *(but(CONV, input_channel=n) for n in (1, -4, 4)),
        but(COPY, input_channel=-4),
        but(CONV, in_channels=0),
        but(CONV, in_channels=4),
        *(but(COPY, in_channels=n) for n in (0, 4)),
        *(but(CONV, output_channel=n) for n in (1, -4, 4)),
        but(CONV, out_channels=0),
        but(CONV, out_channels=3),
        but(OUTPUT, input=1),
        but(OUTPUT, input_channel=4),
        but(INPUT, shuffle=2),
        but(ENCLOSED, output_channel=4),
        lists("a style in 3 channels", tensors=[3, 2, 3, 3, 3, 3, 1, 3, 5]),
        *(but(DEPTHWISE, residual=0, residual_channel=n) for n in (2, -4, 4)),
        but(CONV, residual=6),
        but(CONV, residual=0, residual_channel=4),
    ],
    "order": [
        but(CONV, input=2),
        but(CONV, output=0),
        *(but(CONV, residual=n) for n in (1, 2)),
        but(TRANSPOSED, residual=2),
        lists("read before", ops=[OPS[i] for i in (0, 2, 1, *range(3, 10))]),
        lists("written twice", ops=[*OPS, OPS[CONV]]),
        lists("never written", ops=OPS[1:]),
        lists("half of it never written", [3, 8, 3], HALF),
    ],
    "activation": [
        *(but(CONV, activation=n) for n in (-1, 4, 6)),
        *(but(COPY, activation=n) for n in (-1, 4, 6)),
        *(but(index, slope=n) for n in (-0.1, 1.1, 1e300) for index in (CONV, COPY, INPUT)),
        but(TRANSPOSED, activation=4),
        but(DEPTHWISE, activation=4),
        *(but(index, activation=n) for n in (1, 4, 5) for index in (INPUT, STYLE, ENCLOSED, LABELS)),
        *(but(OUTPUT, activation=n) for n in (-1, 1, 2, 3, 5, 6)),
    ],
    "shuffle": [
        *(but(CONV, shuffle=n) for n in (0, 2, 3)),
        convolution(4, out_channels=18, shuffle=2),
        convolution(8, out_channels=72, shuffle=3),
        convolution(8, out_channels=8 * 64, shuffle=8),
        *(but(INPUT, shuffle=n) for n in (0, 3, -1)),
        *(but(COPY, shuffle=n) for n in (0, 3, 8)),
        *(but(ENCLOSED, shuffle=n) for n in (0, 3, 8)),
        but(TRANSPOSED, shuffle=2),
        within(shuffle=2),
        *(but(index, shuffle=2) for index in (STYLE, OUTPUT, NORM, LABELS)),
        lists("an unshuffled lightness", [4, 3], [{"op": "input", "shuffle": 2, "mode": 1}, {"op": "output"}]),
    ],
    "residual": [but(index, residual=0) for index in (COPY, OUTPUT, STYLE, ENCLOSED, LABELS)]
    + [but(INPUT, residual=n) for n in (0, 1)],
    "window": [
        *(but(index, kernel=n) for n in (-1, 0, 8) for index in (CONV, DEPTHWISE)),
        *(but(index, stride=n) for n in (-1, 0, 3) for index in (CONV, DEPTHWISE)),
        *(but(index, pad=n) for n in (-1, 3) for index in (CONV, DEPTHWISE)),
        *(but(TRANSPOSED, kernel=n) for n in (3, 5)),
        *(but(TRANSPOSED, stride=n) for n in (1, 3)),
        *(but(TRANSPOSED, pad=n) for n in (0, 2)),
    ],
    "ends": [
        *(but(index, pad_end=n) for n in (-2, 3) for index in (CONV, DEPTHWISE)),
        *(but(index, reflect=n) for n in (-1, 2) for index in (CONV, DEPTHWISE)),
        *(but(index, pad_end=n) for n in (0, 1) for index in (INPUT, TRANSPOSED, COPY, OUTPUT, *OTHERS)),
        *(but(index, reflect=1) for index in (INPUT, TRANSPOSED, COPY, OUTPUT, *OTHERS)),
    ],
    "depthwise": [but(DEPTHWISE, in_channels=2), but(DEPTHWISE, out_channels=2)],
    "norm": [
        *(but(NORM, epsilon=n) for n in (-1e-9, 1.1)),
        *(but(NORM, statistics=n) for n in (-1, 3)),
        *(but(index, statistics=1) for index in range(10) if index != NORM),
        but(NORM, out_channels=2),
        but(NORM, in_channels=2),
        but(NORM, out_channels=0, statistics=1),
    ],
    "labels": [but(LABELS, out_channels=n) for n in (1, 65)],
    "compand": [but(index, compand=n) for n in (-0.1, 64.1, 1e300) for index in (CONV, COPY, INPUT)],
    "mode": [
        but(INPUT, mode=2),
        *(but(OUTPUT, mode=n, activation=4, in_channels=3) for n in (-1, 4)),
        *(but(index, mode=1) for index in range(10) if index not in (INPUT, OUTPUT)),
    ],
    "classes": [
        but(OUTPUT, mode=3, in_channels=3),
        *(but(OUTPUT, mode=3, activation=4, in_channels=n) for n in (0, 2)),
        classes(65),
    ],
    "offsets": [
        but(OUTPUT, mode=3, activation=4, in_channels=3, weight=-1),
        *(but(index, weight=n) for n in (-4, -1, 2) for index in (CONV, TRANSPOSED, DEPTHWISE)),
        *(but(CONV, weight=n, scale=0) for n in (-4, -1)),
        *(but(index, bias=n) for n in (-8, -2, 2) for index in (CONV, TRANSPOSED, DEPTHWISE)),
        *(but(index, scale=n) for n in (-8, -2, 2) for index in (CONV, TRANSPOSED, DEPTHWISE)),
        *(but(NORM, **{field: n}) for n in (-8, 2) for field in ("scale", "bias")),
        but(LABELS, weight=-1),
    ],
}

VALID: dict[str, list[Row]] = {
    "counts": [lists("this one"), lists("4,096 tensors", tensors=TENSORS + [3] * 4087), copies(4096)],
    "channels": [
        lists("a tensor of 16,384", tensors=[*TENSORS, 16384]),
        reads(16384),
        but(OUTPUT, in_channels=16384),
        but(COPY, out_channels=65536),
        convolution(4096, out_channels=65536, shuffle=4),
    ],
    "integers": [but(COPY, kernel=TOO_MUCH, pad=-TOO_MUCH - 1)],
    "slices": [within(**{field: 8}) for field in CHANNELS],
    "order": [
        lists("output first", ops=[OPS[i] for i in (*range(4), *range(5, 10), 4)]),
        lists("tensors without values", tensors=[*TENSORS, 3, 3]),
    ],
    "activation": [
        *(but(CONV, slope=n) for n in (0, 1, 0.5, -0.0)),
        *(but(index, activation=n) for n in (0, 1, 2, 3, 5) for index in (CONV, TRANSPOSED, COPY, DEPTHWISE, NORM)),
        but(OUTPUT, activation=4),
    ],
    "shuffle": [
        *(but(COPY, shuffle=n) for n in (1, 2, 4)),
        *(but(ENCLOSED, shuffle=n) for n in (1, 2, 4)),
        *(convolution(8, out_channels=8 * n**2, shuffle=n) for n in (1, 2, 4)),
    ],
    "residual": [but(DEPTHWISE, residual=0), but(CONV, residual=0), but(NORM, residual=0)],
    "ends": [
        *(but(index, pad_end=n) for n in (-1, 0, 2) for index in (CONV, DEPTHWISE)),
        *(but(index, reflect=1) for index in (CONV, DEPTHWISE)),
    ],
    "window": [
        *(but(index, kernel=n, pad=n - 1) for n in range(1, 8) for index in (CONV, DEPTHWISE)),
        *(but(index, stride=n) for n in (1, 2) for index in (CONV, DEPTHWISE)),
    ],
    "norm": [but(NORM, statistics=n, epsilon=1) for n in (0, 1, 2)],
    "labels": [lists("64", [3, 64], [*OPS[:1], {"op": "labels", "output": 1, "out_channels": 64}, {"op": "output"}])],
    "compand": [but(CONV, scale=0, compand=n) for n in (0, 0.25, 64)],
    "mode": [but(OUTPUT, mode=1), but(INPUT, mode=0)],
    "classes": [classes(3), classes(64)],
    "offsets": [
        but(NORM, scale=0, bias=4, weight=-9),
        but(LABELS, weight=5),
        but(OUTPUT, mode=3, activation=4, in_channels=3, weight=5),
        but(CONV, weight=3, scale=8, bias=4),
        but(CONV, weight=4, bias=0),
        but(DEPTHWISE, weight=1, scale=0),
    ],
}

Sizes = list[tuple[Row, tuple[int, int]]]  # height and width of a drawing

BAD_SIZES: dict[str, Sizes] = {
    "sides": [
        *((lists("any"), size) for size in ((0, 0), (0, 4), (4, 0), (-4, 4), (32769, 4), (4, 32769))),
        (lists("an unshuffled drawing", [12], UNSHUFFLED), (32770, 2)),
        (lists("a transposed convolution"), (16385, 1)),
        (but(COPY, shuffle=4), (4100, 1)),
        (but(CONV, kernel=5, pad=1), (2, 4)),
        (but(STYLE, input=6), (4, 4)),  # nothing has written it yet
    ],
    "multiples": [
        *((but(ENCLOSED, shuffle=2), size) for size in ((3, 4), (4, 3))),
        *((lists("an unshuffled drawing", [12], UNSHUFFLED), size) for size in ((5, 4), (4, 5))),
    ],
    "parts": [(lists("two sizes", [8], TWO_SIZES), (4, 4))],
    "mirrors": [
        *((but(index, reflect=1), size) for size in ((1, 4), (4, 1)) for index in (CONV, DEPTHWISE)),
        (but(CONV, reflect=1, pad=0, pad_end=2), (2, 3)),
    ],
    "sums": [(but(TRANSPOSED, residual=0), (4, 4)), (but(DEPTHWISE, stride=2, residual=0), (4, 4))],
    "rows": [(but(NORM, statistics=n), (4, 3)) for n in (1, 2)],
    "fill": [(but(OUTPUT, activation=4), (4, 4)), (but(OUTPUT, mode=1), (4, 4))],
}

GOOD_SIZES: dict[str, Sizes] = {
    "sides": [(lists("any"), (1, 1)), (lists("any"), (16384, 1)), (but(COPY, shuffle=4), (1, 4096))],
    "multiples": [(but(ENCLOSED, shuffle=4), (4, 8))],
    "mirrors": [(but(CONV, reflect=1), (2, 2)), (but(DEPTHWISE, reflect=1, pad=0, pad_end=2), (3, 3))],
    "sums": [(but(DEPTHWISE, residual=0), (4, 4)), (but(DEPTHWISE, stride=2, residual=0), (1, 1))],
    "rows": [(but(NORM, statistics=n), (3, 4)) for n in (1, 2)],
    "fill": [(but(OUTPUT, input=0, **{field: n}), (4, 4)) for field, n in (("activation", 4), ("mode", 1))],
}


def rows(table: dict[str, list]) -> dict[str, Any]:
    """Each row by its rule, its number and what it is."""
    return {f"{rule} {i}: {what_of(row)}": row for rule, found in table.items() for i, row in enumerate(found)}


def what_of(row: Any) -> str:
    return row[0] if isinstance(row[0], str) else f"{row[0][0]}, {row[1][1]}x{row[1][0]} pixels"
