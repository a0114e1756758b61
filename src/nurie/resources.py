"""How many cores and how much memory this process may use, which containers and batch systems often limit."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

GROUPS, OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")  # of Linux
UNLIMITED = 1 << 60  # bytes; version 1 writes a huge number for no limit


def cores() -> int:
    """At least 1: what the system's scheduler and its control groups leave to this process."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for folder in control_groups("cpu"):
        quota, period = [*words(folder / "cpu.max"), "", ""][:2]
        if not quota:
            quota, period = ("".join(words(folder / name)) for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us"))
        if quota.isdigit() and period.isdigit() and int(period) > 0:
            found = min(found, math.ceil(int(quota) / int(period)))
    return max(1, found)


def memory_left() -> float:
    """Bytes that the control groups leave to this process; infinite where they set no limit."""
    left = math.inf
    for folder in control_groups("memory"):
        for limit, usage in (("max", "current"), ("limit_in_bytes", "usage_in_bytes")):
            most, used = ("".join(words(folder / f"memory.{name}")) for name in (limit, usage))
            if most.isdigit() and used.isdigit() and int(most) < UNLIMITED:
                left = min(left, max(0, int(most) - int(used)))
    return left


def control_groups(controller: str) -> Iterator[Path]:
    """The folders of this process's control groups, of either version, and of all above them."""
    for line in lines(OWN):
        number, names, path = [*line.split(":", 2), "", ""][:3]
        if number == "0" or controller in names.split(","):
            root = GROUPS if number == "0" else GROUPS / controller
            place = root / path.strip("/")
            yield from (folder for folder in (place, *place.parents) if folder.is_relative_to(root))


def words(path: Path) -> list[str]:
    return [word for line in lines(path) for word in line.split()]


def lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except (OSError, ValueError):
        return []
