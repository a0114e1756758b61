"""The engine on this computer under sanitizers, with plans, weights and drawings that a fuzzer makes up.

    python bench/fuzz.py --seconds 3600     AddressSanitizer, UndefinedBehaviorSanitizer; goes on from what was found
    python bench/fuzz.py --relaxed          the same, as the builds with fused multiply-add cut their work
    python bench/fuzz.py FILE               one input, with its stack where it fails
    python bench/fuzz.py FILE --minimise    as short as it still fails
    python bench/fuzz.py --threads 2        all inputs under ThreadSanitizer, with so many helper threads
    python bench/fuzz.py --keep             the fewest inputs that reach all that was reached, for tests/test_fuzz.py

Needs Linux, clang with its runtime libraries, and SIMDe (Debian: clang, libclang-rt-14-dev, libsimde-dev). The target
is engine/fuzz/fuzz.c, its inputs are those of engine/fuzz/input.h. What is found lies in build/fuzz: `inputs` are the
fuzzer's, `fails` those that fail or take more than 5 seconds of a processor.
"""

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from inputs import FILE, HEADER, kept  # noqa: E402

ENGINE, BUILD = ROOT / "engine", ROOT / "build" / "fuzz"
INPUTS, FAILS = BUILD / "inputs", BUILD / "fails"
REPLACED = ("memory.c", "api.c")  # by fuzz/host.c; part of fuzz/fuzz.c
FLAGS = ("-std=gnu11", "-g", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Wno-unknown-attributes")
FLAGS += ("-include", f"{ENGINE}/fuzz/host.h", f"-I{ENGINE}/fuzz")
LIMITS = ("-timeout=60", "-rss_limit_mb=4096", "-max_len=16384", f"-artifact_prefix={FAILS}/")
# Fresh memory is no zeros. The engine frees nothing at its end.
OPTIONS = {"ASAN_OPTIONS": "max_malloc_fill_size=67108864:detect_leaks=0", "TSAN_OPTIONS": "halt_on_error=1"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--relaxed", action="store_true")
    parser.add_argument("--minimise", action="store_true")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--clang", default="clang")
    args = parser.parse_args()
    for folder in (INPUTS, FAILS):
        folder.mkdir(parents=True, exist_ok=True)
    for name, data in kept().items():
        (INPUTS / f"kept-{name}").write_bytes(data)
    if args.threads:
        return call(built(args.clang, "thread", args.relaxed), "-runs=0", INPUTS, HELPERS=args.threads)
    target = built(args.clang, "address,undefined", args.relaxed)
    if args.keep:
        return keep(target)
    if args.minimise:
        return call(target, *LIMITS, "-minimize_crash=1", f"-max_total_time={args.seconds}", *args.files)
    if args.files:
        return call(target, *LIMITS, *args.files)
    return call(target, *LIMITS, f"-max_total_time={args.seconds}", INPUTS)


def built(clang: str, sanitizers: str, relaxed: bool) -> Path:
    """The target as a program."""
    target = BUILD / f"{sanitizers.partition(',')[0]}{'-relaxed' * relaxed}"
    flags = [*FLAGS, *["-D__wasm_relaxed_simd__"] * relaxed]
    checks = [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"]
    guide = [] if sanitizers == "thread" else ["-fsanitize=fuzzer-no-link"]  # its counters are races themselves
    sources = [path for path in ENGINE.glob("*.c") if path.name not in REPLACED]
    with tempfile.TemporaryDirectory() as folder:
        compile_in(folder, clang, *flags, *checks, *guide, "-c", *sources, ENGINE / "fuzz" / "fuzz.c")
        compile_in(folder, clang, *flags, "-c", *(ENGINE / "fuzz" / name for name in ("host.c", "mutate.c")))
        objects = sorted(Path(folder).glob("*.o"))
        compile_in(folder, clang, *objects, f"-fsanitize=fuzzer,{sanitizers}", "-pthread", "-o", target)
    return target


def keep(target: Path) -> int:
    """Choose among all inputs, and those that failed before."""
    with tempfile.TemporaryDirectory() as temporary:
        code = call(target, *LIMITS, "-set_cover_merge=1", "-use_counters=0", temporary, INPUTS, FAILS)
        if code == 0:
            found = [path.read_bytes() for path in Path(temporary).iterdir()]
            pack(data for data in found if len(data) >= 4 * HEADER)
    return code


def pack(inputs: Iterable[bytes]) -> None:
    with tarfile.open(FILE, "w:xz", preset=9) as archive:
        for index, data in enumerate(sorted(inputs, key=lambda data: (len(data), data))):
            member = tarfile.TarInfo(f"{index:03}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    print(f"{FILE.relative_to(ROOT)}: {len(kept())} inputs, {FILE.stat().st_size:,} bytes")


def compile_in(folder: str, *command: object) -> None:
    subprocess.run([*map(str, command)], cwd=folder, check=True)


def call(target: Path, *arguments: object, **environment: object) -> int:
    settings = {name: str(value) for name, value in environment.items()}
    return subprocess.run([str(target), *map(str, arguments)], env=os.environ | OPTIONS | settings).returncode


if __name__ == "__main__":
    sys.exit(main())
