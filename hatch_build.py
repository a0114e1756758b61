"""Compile engine/*.c to the page's four WebAssembly files, with the Zig compiler from PyPI (no emscripten, no Node).

Hatchling calls `CustomBuildHook` before every build, editable installs included; by hand: `python hatch_build.py`.
Nothing is compiled when the outputs are newer than all sources.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface  # pyright: ignore[reportMissingImports]
except ImportError:  # by hand, in an environment without hatchling
    BuildHookInterface: Any = object

ROOT = Path(__file__).resolve().parent
ENGINE = ROOT / "engine"
WASM_FOLDER = ROOT / "src" / "nurie" / "page" / "engine"
SIMD = "generic+simd128+bulk_memory"  # every browser since 2023
ABANDONED = 3600  # seconds after which what a killed build left is removed
TARGETS = {
    "nurie.wasm": SIMD,
    "nurie-relaxed.wasm": SIMD + "+relaxed_simd",  # fused multiply-add, where the browser has it
    "nurie-threads.wasm": SIMD + "+atomics",  # where the host gives shared memory
    "nurie-relaxed-threads.wasm": SIMD + "+relaxed_simd+atomics",
}
# The host brings the memory: 64 pages (4 MiB) that may grow to 32,768 (2 GiB), or to fewer.
SHARED_MEMORY = ["-Wl,--shared-memory", "-Wl,--import-memory"]
SHARED_MEMORY += ["-Wl,--initial-memory=4194304", "-Wl,--max-memory=2147483648"]
# Every helper thread gets its own stack.
SHARED_MEMORY += ["-Wl,--export=__stack_pointer"]


def compile_engine() -> list[Path]:
    """Bring the wasm files up to date. Returns the ones that were compiled; exits with a sentence on failure."""
    try:
        return _compile_stale()
    except OSError as error:
        raise SystemExit(f"Compiling the engine failed: {error.filename}: {error.strerror}.") from error


def _compile_stale() -> list[Path]:
    sources = sorted(ENGINE.glob("*.c"))
    inputs = [*sources, *ENGINE.glob("*.h"), Path(__file__)]
    if not sources:
        raise SystemExit(f"No C sources in {ENGINE}: this is not a full copy of Nurie.")
    newest = max(path.stat().st_mtime for path in inputs)
    WASM_FOLDER.mkdir(parents=True, exist_ok=True)
    stale = [name for name in TARGETS if not _newer(WASM_FOLDER / name, newest)]
    for name in stale:
        _compile(sources, TARGETS[name], WASM_FOLDER / name)
    return [WASM_FOLDER / name for name in stale]


def _newer(output: Path, moment: float) -> bool:
    return output.exists() and output.stat().st_mtime > moment


def _compile(sources: list[Path], cpu: str, output: Path) -> None:
    """Compile to a temporary file beside the output, then rename: nobody ever sees half an engine."""
    for leftover in output.parent.glob(f".{output.name}.*.wasm"):
        if leftover.stat().st_mtime < time.time() - ABANDONED:
            leftover.unlink()
    handle, temporary = tempfile.mkstemp(prefix=f".{output.name}.", suffix=".wasm", dir=output.parent)
    os.close(handle)
    command = [sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-freestanding", f"-mcpu={cpu}", "-std=c11"]
    # Without loop strength reduction the loads keep their constant offsets: 6 % faster without fused multiply-add.
    command += [
        "-O3",
        "-mllvm",
        "-disable-lsr",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-nostdlib",
        "-Wl,--no-entry",
        "-Wl,--strip-all",
    ]
    if "atomics" in cpu:
        command += SHARED_MEMORY
    command += ["-Wl,-z,stack-size=65536", *map(str, sources), "-o", temporary]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(
                f"Compiling {output.name} failed. The engine needs the Python package ziglang "
                f"(`pip install ziglang==0.17.1`); the compiler said:\n{done.stderr.strip()}"
            )
        os.chmod(temporary, 0o644)
        os.replace(temporary, output)
    finally:
        Path(temporary).unlink(missing_ok=True)


class CustomBuildHook(BuildHookInterface):
    """What hatchling calls (pyproject.toml, tool.hatch.build.hooks.custom)."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict) -> None:
        compile_engine()


if __name__ == "__main__":
    for path in compile_engine():
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")
