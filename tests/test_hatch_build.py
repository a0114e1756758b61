"""Compiling the engine: skipped when nothing changed, complete or not at all."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytest.importorskip("ziglang", reason="the compiler comes with the dev extra")


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """hatch_build.py with a copy of engine/ and an empty page folder."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shutil.copytree(ROOT / "engine", tmp_path / "engine")
    monkeypatch.setattr(module, "ENGINE", tmp_path / "engine")
    monkeypatch.setattr(module, "WASM_FOLDER", tmp_path / "page")
    return module


def test_compiles_once_and_again_after_a_change(build) -> None:
    names = ["nurie.wasm", "nurie-relaxed.wasm", "nurie-threads.wasm", "nurie-relaxed-threads.wasm"]
    assert [path.name for path in build.compile_engine()] == names
    assert sorted(path.name for path in build.WASM_FOLDER.iterdir()) == sorted(names)
    assert all(path.read_bytes().startswith(b"\0asm") for path in build.WASM_FOLDER.iterdir())
    assert build.compile_engine() == []
    newer = max(path.stat().st_mtime for path in build.WASM_FOLDER.iterdir()) + 10
    os.utime(build.ENGINE / "simd.h", (newer, newer))
    assert [path.name for path in build.compile_engine()] == names


def test_the_same_sources_give_the_same_bytes(build) -> None:
    first = [path.read_bytes() for path in build.compile_engine()]
    shutil.rmtree(build.WASM_FOLDER)
    assert [path.read_bytes() for path in build.compile_engine()] == first


def test_a_mistake_in_the_source_gives_a_sentence_and_leaves_nothing(build) -> None:
    (build.ENGINE / "api.c").write_text("int plan(void) { return missing; }\n")
    with pytest.raises(SystemExit, match=r"(?s)Compiling nurie.wasm failed. The engine needs .*ziglang.*missing"):
        build.compile_engine()
    assert list(build.WASM_FOLDER.iterdir()) == []


def test_no_sources_gives_a_sentence(build) -> None:
    shutil.rmtree(build.ENGINE)
    with pytest.raises(SystemExit, match="not a full copy of Nurie"):
        build.compile_engine()


def test_what_a_killed_build_left_goes_and_what_another_build_writes_stays(build) -> None:
    build.WASM_FOLDER.mkdir()
    old, new = (build.WASM_FOLDER / f".nurie.wasm.{name}.wasm" for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    (build.ENGINE / "api.c").write_text("a mistake, which is found at once")
    with pytest.raises(SystemExit):
        build.compile_engine()
    assert (old.exists(), new.exists()) == (False, True)


def test_a_file_in_the_folders_place_is_a_sentence(build) -> None:
    build.WASM_FOLDER.write_text("mine")
    with pytest.raises(SystemExit, match=r"Compiling the engine failed: .*page: "):
        build.compile_engine()
    assert build.WASM_FOLDER.read_text() == "mine"
