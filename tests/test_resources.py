"""What control groups and the scheduler leave to a process: on made-up ones, and for real."""

import math
import os
from pathlib import Path

import pytest

from nurie import resources
from nurie.resources import cores, memory_left


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes the files of control groups: path -> text."""
    monkeypatch.setattr(resources, "GROUPS", tmp_path / "sys")
    monkeypatch.setattr(resources, "OWN", tmp_path / "own")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)

    def write(own: str, files: dict[str, str]) -> None:
        (tmp_path / "own").write_text(own)
        for name, text in files.items():
            (tmp_path / "sys" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "sys" / name).write_text(text)

    return write


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {}, 16),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 16),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/a/b\n", {"a/cpu.max": "300000 100000\n", "a/b/cpu.max": "max 100000\n"}, 3),
        ("0::/a\n", {"a/cpu.max": "1000 100000\n"}, 1),
        ("3:cpuacct,cpu:/x\n", {"cpu/x/cpu.cfs_quota_us": "400000\n", "cpu/x/cpu.cfs_period_us": "100000\n"}, 4),
        ("3:cpu:/not/seen\n", {"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2),
        ("3:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 16),
        ("odd\n", {"cpu.max": "100000 100000\n"}, 16),
    ],
)
def test_cores_are_those_of_the_control_group(group, own: str, files: dict[str, str], expected: int) -> None:
    group(own, files)
    assert cores() == expected


@pytest.mark.parametrize(
    ("own", "folder", "limit", "usage", "expected"),
    [
        ("0::/\n", "", None, None, math.inf),
        ("0::/\n", "", ("memory.max", "max"), ("memory.current", "5"), math.inf),
        ("0::/a/b\n", "a/", ("memory.max", "900"), ("memory.current", "800"), 100),
        ("4:memory:/x\n", "memory/x/", ("memory.limit_in_bytes", "70"), ("memory.usage_in_bytes", "90"), 0),
        ("4:memory:/\n", "memory/", ("memory.limit_in_bytes", str(2**63)), ("memory.usage_in_bytes", "9"), math.inf),
    ],
)
def test_memory_is_what_the_control_group_leaves(group, own: str, folder: str, limit, usage, expected: float) -> None:
    group(own, {folder + name: f"{text}\n" for name, text in filter(None, (limit, usage))})
    assert memory_left() == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no such call")
def test_a_process_that_is_kept_to_one_core_counts_one() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, before)
