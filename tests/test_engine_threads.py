"""The engine with threads, under wasmtime."""

import time

import numpy as np
import pytest

from conftest import BUILDS
from nurie.engine.wasm import Engine, EngineError, Machine
from plans import classic_unet, drawing, random_plan, small_unet
from threaded import ThreadedMachine


@BUILDS
def test_threads_change_no_bit(relaxed: bool) -> None:
    for seed in range(13):
        plan, weights = random_plan(seed) if seed else classic_unet()
        image = drawing(48, 40, seed) if seed else drawing(128, 128)
        expected = Engine(plan, weights=weights, relaxed=relaxed).run(image)
        for threads in (1, 2, 3, 7):
            with ThreadedMachine(relaxed, threads) as machine:
                engine = Engine(plan, weights=weights, machine=machine)
                for _ in range(5):
                    assert (engine.run(image) == expected).all()


def test_a_thread_that_dies_is_noticed_and_one_thread_goes_on() -> None:
    plan, weights = small_unet()
    image = drawing(96, 96)
    expected = Engine(plan, weights=weights).run(image)
    deaths = 0
    for fuel in range(20_000, 400_000, 20_000):
        with ThreadedMachine(False, 3, fuel) as machine:
            engine = Engine(plan, weights=weights, machine=machine)
            try:
                for _ in range(20):
                    assert (engine.run(image) == expected).all()
            except EngineError as error:
                assert error.code == -6
                deaths += 1
            machine.join()
            machine.call("threads", 1)
            engine.resize(96, 96)
            assert (engine.run(image) == expected).all()
    assert deaths  # else the fuel never ran out


def test_helpers_go_home_whenever_they_are_told_to() -> None:
    """A helper that is about to sleep must see `stop` too: 3 to 4 of 1,000 machines once hung here for ever."""
    rng = np.random.default_rng(5)
    for i in range(1000):
        machine = ThreadedMachine(False, 4)
        if i % 3:
            time.sleep(rng.uniform(0, 0.002))
        assert machine.join(timeout_s=60), i


def test_idle_threads_use_no_processor() -> None:
    plan, weights = small_unet()
    with ThreadedMachine(False, 4) as machine:
        engine = Engine(plan, weights=weights, machine=machine)
        engine.run(drawing(32, 32))
        time.sleep(0.05)
        before = time.process_time()
        time.sleep(0.5)
        assert time.process_time() - before < 0.1  # three busy helpers would use 0.5 s or more


def test_threads_wait_for_the_size() -> None:
    plan, weights = small_unet()
    with ThreadedMachine(False, 2) as machine:
        engine = Engine(plan, weights=weights, machine=machine)
        engine.run(drawing(8, 8))
        assert machine.call("threads", 3) == 3
        with pytest.raises(EngineError, match="out of order"):
            engine.run_ops(0, 1)
        assert machine.call("threads", 99) == 16
        assert machine.call("threads", -1) == 1
    assert Machine().call("threads", 4) == 1  # a build without threads
