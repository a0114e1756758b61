"""Files that come from outside, damaged by hypothesis: read or refused, how fast, and in how much memory.

    python bench/damaged.py [manifest strokes ...] [--cases 2000]

Each format is read in a process of its own, after its valid file was. Anything but success or a NurieError of one line
ends that process with hypothesis' report of the smallest such file, and so does a case that takes more than 5 seconds
or memory beyond 1 GiB above what the process had. Prints a table.
"""

import argparse
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

import mutations

SECONDS = 5
MEMORY = 1 << 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formats", nargs="*", help="default: all")
    parser.add_argument("--cases", type=int, default=2000, help="of each format")
    parser.add_argument("--here", action="store_true", help="in this process")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        formats = mutations.made_up(Path(home))
        if args.here:
            print(row_of(formats[args.formats[0]], args.cases), flush=True)
            return
    print("| format | cases | read | refused | slowest, s | memory, MB |")
    print("|---|---|---|---|---|---|", flush=True)
    failed = [name for name in args.formats or formats if subprocess.run(command(name, args.cases)).returncode]
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


def command(name: str, cases: int) -> list[str]:
    return [sys.executable, __file__, name, "--cases", str(cases), "--here"]


def row_of(tried: mutations.Format, cases: int) -> str:
    assert tried.refusal(tried.valid) == ""
    before = peak()
    limit = size() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGALRM, too_slow)
    read = tried.read

    def within_time() -> object:
        signal.alarm(SECONDS)
        try:
            return read()
        finally:
            signal.alarm(0)

    tried.read = within_time
    tried.try_all(cases)
    counts = tried.counts
    cells = counts.total(), counts["read"], counts["refused"], f"{tried.slowest:.2f}", peak() - before
    return f"| {tried.name} | {' | '.join(map(str, cells))} |"


def too_slow(*_: object) -> None:
    raise TimeoutError(f"more than {SECONDS} s")


def peak() -> int:
    """The most memory that this process had, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def size() -> int:
    """The address space of this process, bytes."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    main()
