"""Run a plan in the page's own WebAssembly engine, under wasmtime: Python computes the bytes a browser shows."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import wasmtime

from nurie.engine.plan import Op, Plan, make_plan
from nurie.errors import NurieError

WASM_FOLDER = Path(__file__).parents[1] / "page" / "engine"
ERRORS = {
    -1: "the plan is invalid",
    -2: "out of memory",
    -3: "the weights are too short for the plan",
    -4: "this picture size does not fit the plan",
    -5: "the engine was called out of order",
    -6: "a thread was lost",
    -7: "the coded weights are damaged",
}


MOST_PART = 65536  # bytes of coded weights at a time


class EngineError(NurieError):
    """An error of the engine; `code` is the number in docs/formats.md."""

    def __init__(self, code: int) -> None:
        super().__init__(f"The engine refused: {ERRORS.get(code, f'error {code}')}.")
        self.code = code


class Machine:
    """The WebAssembly instance: calls and memory, nothing of what they mean."""

    def __init__(self, relaxed: bool = False) -> None:
        engine, module = compiled("nurie-relaxed.wasm" if relaxed else "nurie.wasm")
        self._store = wasmtime.Store(engine)
        self._exports: Any = wasmtime.Instance(self._store, module, []).exports(self._store)
        self._memory: wasmtime.Memory = self._exports["memory"]

    def call(self, name: str, *arguments: int) -> int:
        """Call an export; a negative result becomes an EngineError."""
        result = self._exports[name](self._store, *arguments)
        if result < 0:
            raise EngineError(result)
        return result

    def load(self, tensors: Sequence[int], rows: np.ndarray, weights: bytes) -> None:
        """Give the engine a plan as integers, int32 (ops, fields), and the raw weights."""
        table = np.concatenate([np.array(tensors, dtype="<i4"), rows.astype("<i4").ravel()])
        self.write(self.call("plan", len(tensors), len(rows)), table.tobytes())
        self.write(self.call("weights", len(weights)), weights)
        self.call("load", len(weights))

    def decoded(self, data: bytes, size: int) -> bytes:
        """Coded weights as they are raw, `size` bytes. Raises EngineError where they are others."""
        plan = make_plan([3], [{"op": "input"}, {"op": "output"}])
        self.write(self.call("plan", 1, 2), np.concatenate([[3], plan.rows().ravel()]).astype("<i4").tobytes())
        raw, part = self.call("weights", size), self.call("coded")
        made = 0
        for start in range(0, len(data), MOST_PART):
            self.write(part, data[start : start + MOST_PART])
            made = self.call("decode", len(data[start : start + MOST_PART]))
        if made != size:
            raise EngineError(-7)
        return self.view(raw, size).tobytes()

    def write(self, at: int, data: bytes) -> None:
        self._memory.write(self._store, data, at)

    def view(self, at: int, length: int) -> np.ndarray:
        """A view of memory as uint8, valid until the memory grows."""
        whole = np.ctypeslib.as_array(self._memory.data_ptr(self._store), (self.memory_bytes,))
        return whole[at : at + length]

    @property
    def memory_bytes(self) -> int:
        """Bytes of the whole memory, which never shrinks."""
        return self._memory.data_len(self._store)


class Engine:
    """An engine with one model.

    `relaxed` takes the build with fused multiply-add: faster, but its last bits depend on the machine.
    """

    def __init__(
        self,
        tensors: Sequence[int] | Plan,
        ops: Iterable[Mapping[str, Any] | Op] = (),
        weights: bytes = b"",
        *,
        relaxed: bool = False,
        machine: Machine | None = None,
    ) -> None:
        """Load a plan (or its tensors and ops) and the raw, unzipped weights, into `machine` if there is one already.

        Raises NurieError.
        """
        self.plan = tensors if isinstance(tensors, Plan) else make_plan(tensors, ops)
        self.machine = machine or Machine(relaxed)
        self.machine.load(self.plan.tensors, self.plan.rows(), weights)
        self.size: tuple[int, int] | None = None  # height, width of the drawing
        self._output = next(op for op in self.plan.ops if op.op == "output")

    def resize(self, height: int, width: int) -> None:
        """Prepare for drawings of this size. Raises EngineError -4 when the plan cannot take it."""
        self.size = None
        self.machine.call("resize", height, width)
        self.size = height, width

    def run(self, rgba: np.ndarray) -> np.ndarray:
        """uint8 (h, w, 4) or (h, w, 3) -> picture, uint8 RGB (h, w, 3). Resizes when the size is new."""
        self.set_input(rgba)
        self.run_ops(0, len(self.plan.ops))
        return self.get_output()

    def set_style(self, seed: int = 0, colour: Sequence[float] = (0.0, 0.0, 0.0)) -> None:
        """What the drawing does not say: a number for the noise, and the subject's colour, RGB in [-1, 1]."""
        data = np.uint32(seed & 0xFFFFFFFF).tobytes() + np.array(colour, "<f4").tobytes()
        self.machine.write(self.machine.call("style"), data)

    def set_input(self, rgba: np.ndarray) -> None:
        """Write the drawing, uint8 (h, w, 4) or (h, w, 3); alpha is ignored."""
        if rgba.dtype != np.uint8 or rgba.ndim != 3 or rgba.shape[2] not in (3, 4):
            raise NurieError(f"The engine takes uint8 pictures (h, w, 3 or 4), not {rgba.dtype} {rgba.shape}.")
        height, width, channels = rgba.shape
        if (height, width) != self.size:
            self.resize(height, width)
        if channels == 3:
            rgba = np.concatenate([rgba, np.full((height, width, 1), 255, np.uint8)], axis=2)
        self.machine.write(self.machine.call("input"), np.ascontiguousarray(rgba).tobytes())

    def run_ops(self, first: int, end: int) -> None:
        """Run the operations first <= i < end."""
        self.machine.call("run", first, end)

    def get_output(self) -> np.ndarray:
        """The picture, uint8 (h, w, 3)."""
        height, width = (side * self._output.shuffle for side in self._shape(self._output.input)[1:3])
        data = self.machine.view(self.machine.call("output"), height * width * 4)
        return data.reshape(height, width, 4)[:, :, :3].copy()

    def tensor(self, index: int, padded: bool = False) -> np.ndarray:
        """A view of a tensor, float32 (h, w, channels), for tests; `padded` shows the padding channels too.

        Valid until the memory grows. Its place holds its values only from the operation that writes it to the
        last one that reads it.
        """
        data, height, width, channels, pixel, row = self._shape(index)
        floats = self.machine.view(data, ((height - 1) * row + width * pixel) * 4).view("<f4")
        shape = height, width, pixel if padded else channels
        return np.lib.stride_tricks.as_strided(floats, shape, (row * 4, pixel * 4, 4))

    def set_tensor(self, index: int, values: np.ndarray) -> None:
        """Overwrite a tensor, float32 (h, w, channels)."""
        self.tensor(index)[...] = values

    @property
    def peak(self) -> int:
        """Bytes in use for this model and size."""
        return self.machine.call("peak")

    @property
    def memory_bytes(self) -> int:
        """Bytes of the whole WebAssembly memory, which never shrinks."""
        return self.machine.memory_bytes

    def _shape(self, index: int) -> list[int]:
        """Data address, height, width, channels, pixel stride, row stride."""
        return self.machine.view(self.machine.call("tensor", index), 24).view("<i4").tolist()


_compiled: dict[tuple[Path, float], tuple[wasmtime.Engine, wasmtime.Module]] = {}


def compiled(name: str) -> tuple[wasmtime.Engine, wasmtime.Module]:
    """One of the builds as machine code, compiled once per process and file. Raises NurieError where it is missing."""
    path = WASM_FOLDER / name
    if not path.exists():
        raise NurieError(
            f"{path.name} is missing from {WASM_FOLDER}. Install Nurie again, or run `python hatch_build.py`."
        )
    key = path, path.stat().st_mtime
    if key not in _compiled:
        config = wasmtime.Config()
        config.wasm_relaxed_simd = True
        engine = wasmtime.Engine(config)
        _compiled[key] = engine, wasmtime.Module.from_file(engine, str(path))
    return _compiled[key]
