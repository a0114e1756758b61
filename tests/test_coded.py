"""Coded weights: what is written is read again, by the engine and the slow reader alike, and takes little space."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurie.convert.coder import block_of, encode, written
from nurie.convert.quantise import dequantised, entropy, in_steps
from nurie.engine.coded import (
    BYTES,
    CODES,
    HEAD,
    MOST_CODES,
    ROWS,
    SHAPE,
    SLOTS,
    TABLES,
    decoded,
    frequencies,
    sections,
)
from nurie.engine.plan import Op, Plan
from nurie.engine.wasm import Engine, EngineError, Machine
from nurie.errors import NurieError
from plans import drawing, small_unet

SLOW = settings(max_examples=60, deadline=None, derandomize=True)


def layer(codes: np.ndarray, shuffle: int = 1) -> tuple[Plan, bytes]:
    """A plan of one 1x1 convolution with these codes (out, in), not checked."""
    scales = np.linspace(0.5, 1, len(codes), dtype="<f4").tobytes()
    channels = {"in_channels": codes.shape[1], "out_channels": len(codes)}
    op = Op("conv", **channels, kernel=1, shuffle=shuffle, scale=0, weight=len(scales))
    return Plan((codes.shape[1], len(codes)), (op,)), scales + codes.astype(np.int8).tobytes()


def read(data: bytes, size: int) -> bytes:
    """By both readers."""
    made = Machine().decoded(data, size)
    assert decoded(data) == made
    return made


@SLOW
@given(
    rows=st.integers(1, 20), length=st.integers(1, 70), spread=st.floats(0, 300), seed=st.integers(0, 99),
    times=st.sampled_from([1, 4]),
)  # fmt: skip
def test_codes_are_what_they_were(rows: int, length: int, spread: float, seed: int, times: int) -> None:
    rng = np.random.default_rng(seed)
    codes = np.rint(rng.laplace(0, spread * rng.uniform(0, 1, (rows, 1)), (rows, length))).clip(-127, 127)
    plan, weights = layer(codes.repeat(times, 0), shuffle=2 if times == 4 else 1)
    assert read(encode(plan, weights), len(weights)) == weights


@pytest.mark.parametrize("shape", [(3, MOST_CODES + 5), (1, MOST_CODES), (MOST_CODES + 1, 1), (2, 3 * MOST_CODES)])
def test_layers_larger_than_a_section(shape: tuple[int, int]) -> None:
    codes = np.random.default_rng(0).normal(0, 9, shape).round().clip(-127, 127)
    plan, weights = layer(codes)
    assert read(encode(plan, weights), len(weights)) == weights


@pytest.mark.parametrize("law", ["normal", "laplace", "uniform", "logistic"])
@pytest.mark.parametrize("spread", [0.3, 1, 4, 20])
def test_codes_take_little_more_than_their_entropy(law: str, spread: float) -> None:
    rng = np.random.default_rng(0)
    codes = np.rint(getattr(rng, law)(*((-spread, spread) if law == "uniform" else (0, spread)), (64, 1024)))
    codes = codes.clip(-127, 127)
    plan, weights = layer(codes)
    least = entropy(np.unique(codes, return_counts=True)[1]) * codes.size / 8
    more = 0.06 if law == "uniform" else 0.025
    assert least < len(encode(plan, weights)) - 4 * 64 < (1 + more) * least + 200


def test_channels_that_spread_otherwise_have_tables_of_their_own() -> None:
    rng = np.random.default_rng(0)
    spreads = np.repeat([1, 3, 9, 27], 16)[:, None]
    codes = np.rint(rng.normal(0, spreads, (64, 1024))).clip(-127, 127)
    plan, weights = layer(codes)
    least = sum(entropy(np.unique(row, return_counts=True)[1]) * row.size / 8 for row in codes.reshape(4, -1))
    assert len(encode(plan, weights)) - 4 * 64 < 1.02 * least
    tables = next(section for kind, section in sections(encode(plan, weights)) if kind == TABLES)
    assert 4 <= len(tables) // 4 <= 8


def test_rows_of_an_upsampling_are_written_once() -> None:
    codes = np.random.default_rng(0).normal(0, 9, (16, 300)).round().clip(-127, 127)
    once, four = (len(encode(*layer(rows, shuffle))) for rows, shuffle in ((codes, 1), (codes.repeat(4, 0), 2)))
    assert four < once + 4 * 48 + 20  # scales are others in all phases


@given(most=st.integers(0, 127), steepness=st.integers(0, 65535), curvature=st.integers(0, 65535))
def test_a_table_has_all_slots_and_each_code_one(most: int, steepness: int, curvature: int) -> None:
    found = frequencies(most, steepness, curvature)
    assert len(found) == 2 * most + 1 and sum(found) == SLOTS and min(found) >= 1 and found == found[::-1]
    assert found[: most + 1] == sorted(found[: most + 1])


@pytest.mark.parametrize("relaxed", [False, True])
def test_the_engine_makes_the_same_tables(relaxed: bool) -> None:
    rng = np.random.default_rng(0)
    machine = Machine(relaxed)
    for most, *shape in rng.integers(0, (128, 65536, 65536), (50, 3)).tolist():
        index = rng.integers(0, 2 * most + 1, (3, 50))
        block = block_of(index, np.zeros(3, int), np.array([frequencies(most, *shape)], np.uint16), 1)
        body = block.head + next(written([block]))
        data = HEAD.pack(TABLES, 5) + bytes([most]) + SHAPE.pack(*shape) + HEAD.pack(CODES, len(body)) + body
        expected = (index - most).astype(np.int8).tobytes()
        assert machine.decoded(data, 150) == decoded(data) == expected


def unet() -> tuple[Plan, bytes, bytes]:
    plan, weights = small_unet()
    return plan, weights, encode(plan, weights)


def test_a_model_with_norms_and_float_weights() -> None:
    _, weights, coded = unet()
    assert read(coded, len(weights)) == weights


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
def test_parts_of_any_size_give_the_same_picture(size: int) -> None:
    plan, weights, coded = unet()
    expected = Engine(plan, weights=weights).run(drawing(8, 8))
    engine = Engine(plan, weights=weights)
    machine = engine.machine
    table = np.concatenate([np.array(plan.tensors, "<i4"), plan.rows().ravel()])
    machine.write(machine.call("plan", len(plan.tensors), len(plan.ops)), table.tobytes())
    machine.call("weights", len(weights))
    at, made, left = machine.call("coded"), 0, len(plan.ops)
    for start in range(0, len(coded), min(size, 65536)):
        part = coded[start : start + min(size, 65536)]
        machine.write(at, part)
        before, made = made, machine.call("decode", len(part))
        assert before <= made <= len(weights)
        if left:
            left = machine.call("load", made)
    assert (made, left) == (len(weights), 0)
    engine.size = None
    assert (engine.run(drawing(8, 8)) == expected).all()
    with pytest.raises(EngineError, match="out of order"):
        machine.call("decode", 1)


@SLOW
@given(data=st.data())
def test_damaged_files_are_refused_or_read_by_both_alike(data: st.DataObject) -> None:
    """Never a trap, and never more than there is room for."""
    _, weights, coded = unet()
    damaged = bytearray(coded)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, min(len(damaged) - 1, 400)) | st.integers(0, len(damaged) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    del damaged[data.draw(st.just(len(damaged)) | st.integers(0, len(damaged))) :]
    try:
        expected = decoded(bytes(damaged))
    except NurieError:
        expected = b""
    try:
        made = Machine().decoded(bytes(damaged), len(weights))
    except EngineError as error:
        assert error.code == -7 and len(expected) != len(weights)
    else:
        assert made == expected


@pytest.mark.parametrize(
    "section",
    [
        HEAD.pack(3, 0),
        HEAD.pack(BYTES, 5) + bytes(5),
        HEAD.pack(BYTES, 7) + ROWS.pack(0, 1, 1) + b"a",
        HEAD.pack(BYTES, 7) + ROWS.pack(1, 0, 1) + b"a",
        HEAD.pack(BYTES, 7) + ROWS.pack(1, 1, 0) + b"a",
        HEAD.pack(BYTES, 8) + ROWS.pack(1, 1, 1) + b"ab",
        HEAD.pack(TABLES, 0),
        HEAD.pack(TABLES, 1) + b"\1",
        HEAD.pack(TABLES, 4) + bytes(4),
        HEAD.pack(TABLES, 5) + bytes([128, 0, 0, 0, 0]),
        HEAD.pack(TABLES, 1 + 4 * 17) + bytes(1 + 4 * 17),
        HEAD.pack(CODES, 0),
        HEAD.pack(CODES, 23) + ROWS.pack(1, 4, 1) + bytes(17),
        HEAD.pack(CODES, 23) + ROWS.pack(1, 16385, 1) + bytes(17),
        HEAD.pack(CODES, 23) + ROWS.pack(65535, 65535, 65535) + bytes(17),
    ],
)
def test_sections_that_can_not_be_are_refused(section: bytes) -> None:
    for head in (b"", HEAD.pack(TABLES, 5) + bytes([0, 0, 0, 0, 0])):
        with pytest.raises(EngineError, match="damaged"):
            Machine().decoded(head + section, 10**6)
        with pytest.raises(NurieError, match="damaged"):
            decoded(head + section)


def test_a_file_that_holds_more_than_it_should_is_refused() -> None:
    _, weights, coded = unet()
    for size in (1, len(weights) - 1, len(weights) + 1):
        with pytest.raises(EngineError, match="damaged"):
            Machine().decoded(coded, size)


@pytest.mark.parametrize("step", [0.001, 0.01, 0.1, 1.0])
def test_one_step_for_a_layer(step: float) -> None:
    weights = np.random.default_rng(0).laplace(0, 0.05, (32, 3, 3, 48)).astype(np.float32)
    codes, scales, compand = in_steps(weights, step)
    assert codes.dtype == np.int8 and codes.shape == weights.shape and compand == 0
    assert (scales == np.float32(step)).all() and np.abs(codes.astype(int)).max() <= 127
    held = np.abs(weights) < 126 * step  # within what 8 bits reach
    errors = np.abs(dequantised(codes, scales, compand) - weights)[held]
    assert errors.max() <= 1.001 * step and (errors <= 0.5001 * step).mean() > 0.7
    if held.all():
        sums = (dequantised(codes, scales, compand) - weights).sum((1, 2))
        assert np.abs(sums).max() <= 0.501 * step
    again = in_steps(weights.copy(), step)[0]
    assert (again == codes).all()


def test_wider_steps_take_fewer_bytes() -> None:
    weights = np.random.default_rng(0).normal(0, 1, (64, 1, 1, 512)).astype(np.float32)
    sizes = [len(encode(*layer(in_steps(weights, step)[0].reshape(64, -1)))) for step in (0.05, 0.1, 0.2, 0.4, 0.8)]
    bits = [8 * (size - 4 * 64) / weights.size for size in sizes]
    for i, found in enumerate(bits):  # a normal law's entropy in steps (Cover & Thomas, theorem 8.3.1)
        expected = 0.5 * math.log2(2 * math.pi * math.e) - math.log2(0.05 * 2**i)
        assert found == pytest.approx(expected, abs=0.07)
