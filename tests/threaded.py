"""The builds with threads, under wasmtime: Python threads are the helpers."""

import threading
from typing import Any

import numpy as np
import wasmtime
from wasmtime import _ffi as ffi

from nurie.engine.wasm import WASM_FOLDER, Machine


class SharedMemory(wasmtime.SharedMemory):
    """wasmtime 50 passes a pointer to a pointer when a shared memory is imported."""

    def _as_extern(self) -> ffi.wasmtime_extern_t:
        union = ffi.wasmtime_extern_union(sharedmemory=self.ptr())
        return ffi.wasmtime_extern_t(ffi.WASMTIME_EXTERN_SHAREDMEMORY, union)


class ThreadedMachine(Machine):
    """A machine of `threads` threads; a context manager that lets its helpers go.

    With `fuel`, each helper dies after so many instructions, in whatever it is doing.
    """

    def __init__(self, relaxed: bool, threads: int, fuel: int | None = None) -> None:
        self._engine, self._module = compiled(relaxed, fuel is not None)
        memory = self._module.imports[0].type
        assert isinstance(memory, wasmtime.MemoryType)
        self._shared = SharedMemory(self._engine, memory)
        self._fuel = fuel
        self._store, self._exports = self._instantiate(2**62)
        self.call("threads", threads)
        self._helpers = [threading.Thread(target=self._help, args=(i,), daemon=True) for i in range(1, threads)]
        for helper in self._helpers:
            helper.start()

    def _instantiate(self, fuel: int) -> tuple[wasmtime.Store, Any]:
        store = wasmtime.Store(self._engine)
        if self._fuel is not None:
            store.set_fuel(fuel)
        return store, wasmtime.Instance(store, self._module, [self._shared]).exports(store)

    def _help(self, thread: int) -> None:
        store, exports = self._instantiate(self._fuel or 0)
        exports["__stack_pointer"].set_value(store, exports["stack"](store, thread))
        try:
            exports["help"](store, thread)
        except wasmtime.Trap:  # this store has no fuel left
            store, exports = self._instantiate(2**62)
            exports["stop"](store)

    def __enter__(self) -> "ThreadedMachine":
        return self

    def __exit__(self, *_: object) -> None:
        self.join()

    def join(self, timeout_s: float | None = None) -> bool:
        """Let the helpers go and wait until they have; whether all did, each within the time."""
        self.call("stop")
        for helper in self._helpers:
            helper.join(timeout_s)
        return not any(helper.is_alive() for helper in self._helpers)

    def view(self, at: int, length: int) -> np.ndarray:
        return np.ctypeslib.as_array(self._shared.data_ptr(), (self.memory_bytes,))[at : at + length]

    def write(self, at: int, data: bytes) -> None:
        self.view(at, len(data))[:] = np.frombuffer(data, np.uint8)

    @property
    def memory_bytes(self) -> int:
        return self._shared.data_len()


_compiled: dict[tuple[bool, bool], tuple[wasmtime.Engine, wasmtime.Module]] = {}


def compiled(relaxed: bool, fuel: bool) -> tuple[wasmtime.Engine, wasmtime.Module]:
    if (relaxed, fuel) not in _compiled:
        config = wasmtime.Config()
        config.wasm_relaxed_simd = True
        config.wasm_threads = True
        config.shared_memory = True
        config.consume_fuel = fuel
        engine = wasmtime.Engine(config)
        name = "nurie-relaxed-threads.wasm" if relaxed else "nurie-threads.wasm"
        _compiled[relaxed, fuel] = engine, wasmtime.Module.from_file(engine, str(WASM_FOLDER / name))
    return _compiled[relaxed, fuel]
