"""Run a plan in the page's own WebAssembly engine, under wasmtime: Python computes the bytes a browser shows."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import wasmtime

from nurie.errors import NurieError
from nurie.plan import Op, Plan, make_plan

PAGE = Path(__file__).parent / "page"
ERRORS = {
    -1: "the plan is invalid",
    -2: "out of memory",
    -3: "the weights are too short for the plan",
    -4: "this picture size does not fit the plan",
    -5: "the engine was called out of order",
}


class EngineError(NurieError):
    """An error of the engine; `code` is the number in docs/formats.md."""

    def __init__(self, code: int) -> None:
        super().__init__(f"The engine refused: {ERRORS.get(code, f'error {code}')}.")
        self.code = code


class Engine:
    """One instance of the engine with one model.

    `relaxed` takes the build with fused multiply-add: faster, but its last bits depend on the machine.
    """

    def __init__(
        self,
        tensors: Sequence[int] | Plan,
        ops: Iterable[Mapping[str, Any] | Op] = (),
        weights: bytes = b"",
        *,
        relaxed: bool = False,
        check: bool = True,
    ) -> None:
        """Load a plan (or its tensors and ops) and the raw, unzipped weights.

        `check=False` leaves all checking to the engine itself. Raises EngineError or NurieError.
        """
        plan = tensors if isinstance(tensors, Plan) else None
        if plan is None:
            plan = make_plan(tensors, ops) if check else Plan(tuple(tensors), tuple(ops))  # type: ignore[arg-type]
        self.plan = plan
        self._store, self._exports = _instantiate(relaxed)
        self._memory: wasmtime.Memory = self._exports["memory"]
        self.size: tuple[int, int] | None = None  # height, width of the picture
        self._load(plan, weights)

    def _load(self, plan: Plan, weights: bytes) -> None:
        at = self._call("plan", len(plan.tensors), len(plan.ops))
        table = np.concatenate([np.array(plan.tensors, dtype="<i4"), plan.rows().ravel()])
        self._memory.write(self._store, table.tobytes(), at)
        self._memory.write(self._store, weights, self._call("weights", len(weights)))
        self._call("load")

    def resize(self, height: int, width: int) -> None:
        """Prepare for pictures of this size. Raises EngineError -4 when the plan cannot take it."""
        self.size = None
        self._call("resize", height, width)
        self.size = height, width
        last = next(op for op in self.plan.ops if op.op == "output")
        self.output_size: tuple[int, int] = self.plan.sizes(height, width)[last.input]

    def run(self, rgba: np.ndarray) -> np.ndarray:
        """uint8 (h, w, 4) or (h, w, 3) -> uint8 RGB picture (h, w, 3). Resizes when the size is new."""
        self.set_input(rgba)
        self.run_ops(0, len(self.plan.ops))
        return self.get_output()

    def set_input(self, rgba: np.ndarray) -> None:
        """Write the drawing, uint8 (h, w, 4) or (h, w, 3); alpha is ignored."""
        height, width, channels = rgba.shape
        if rgba.dtype != np.uint8 or channels not in (3, 4):
            raise NurieError(f"The engine takes uint8 pictures with 3 or 4 channels, not {rgba.dtype} with {channels}.")
        if (height, width) != self.size:
            self.resize(height, width)
        if channels == 3:
            rgba = np.concatenate([rgba, np.full((height, width, 1), 255, np.uint8)], axis=2)
        self._memory.write(self._store, np.ascontiguousarray(rgba).tobytes(), self._call("input"))

    def run_ops(self, first: int, end: int) -> None:
        """Run the operations first <= i < end."""
        self._call("run", first, end)

    def get_output(self) -> np.ndarray:
        """The picture, uint8 (h, w, 3)."""
        height, width = self.output_size
        at = self._call("output")
        data = self._memory.read(self._store, at, at + height * width * 4)
        return np.frombuffer(data, np.uint8).reshape(height, width, 4)[:, :, :3].copy()

    def tensor(self, index: int) -> np.ndarray:
        """A view of a tensor, float32 (h, w, channels), for tests: valid until the memory grows, and it holds the
        tensor's values only from the operation that writes it to the last one that reads it."""
        table = self._bytes(self._call("tensor", index), 24).view("<i4")
        data, height, width, channels, pixel, row = (int(n) for n in table)
        floats = self._bytes(data, ((height - 1) * row + width * pixel) * 4).view("<f4")
        return np.lib.stride_tricks.as_strided(floats, (height, width, channels), (row * 4, pixel * 4, 4))

    def set_tensor(self, index: int, values: np.ndarray) -> None:
        """Overwrite a tensor, float32 (h, w, channels)."""
        self.tensor(index)[...] = values

    @property
    def peak(self) -> int:
        """Bytes in use for this model and size."""
        return self._call("peak")

    @property
    def memory_bytes(self) -> int:
        """Bytes of the whole WebAssembly memory, which never shrinks."""
        return self._memory.data_len(self._store)

    def _bytes(self, start: int, length: int) -> np.ndarray:
        whole = np.ctypeslib.as_array(self._memory.data_ptr(self._store), (self.memory_bytes,))
        return whole[start : start + length]

    def _call(self, name: str, *arguments: int) -> int:
        """Call an export; a negative result becomes an EngineError."""
        result = self._exports[name](self._store, *arguments)
        if result < 0:
            raise EngineError(result)
        return result


_compiled: dict[tuple[Path, float], tuple[wasmtime.Engine, wasmtime.Module]] = {}


def _instantiate(relaxed: bool) -> tuple[wasmtime.Store, Any]:
    """A fresh instance; the machine code is compiled once per process and file."""
    path = PAGE / ("nurie-relaxed.wasm" if relaxed else "nurie.wasm")
    if not path.exists():
        raise NurieError(f"{path.name} is missing from {PAGE}. Install Nurie again, or run `python hatch_build.py`.")
    key = path, path.stat().st_mtime
    if key not in _compiled:
        config = wasmtime.Config()
        config.wasm_relaxed_simd = True
        engine = wasmtime.Engine(config)
        _compiled[key] = engine, wasmtime.Module.from_file(engine, str(path))
    engine, module = _compiled[key]
    store = wasmtime.Store(engine)
    return store, wasmtime.Instance(store, module, []).exports(store)
