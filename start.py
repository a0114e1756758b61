#!/usr/bin/env python3
"""Set Nurie up and show the page; nothing but Python 3.11 is needed.

python3 start.py [--port N] [--no-open]    serve the page with the built-in models
python3 start.py test                      install everything that the tests need and run them

Everything goes into .venv beside this file. The second start is fast: a stamp remembers what was installed.
"""

# Written for old Pythons too, as far as the sentence that refuses them.
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
WINDOWS = os.name == "nt"
BIN = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON = BIN / ("python.exe" if WINDOWS else "python")
TORCH = "torch==2.13.0"  # what the tests of exact numbers were written with
TORCH_CPU = "https://download.pytorch.org/whl/cpu"


def main(arguments):
    if sys.version_info < (3, 11):  # noqa: UP036 (this file must run on older ones to say so)
        found = ".".join(map(str, sys.version_info[:2]))
        return fail(f"Nurie needs Python 3.11 or newer, but this is Python {found} ({sys.executable}).")
    if arguments in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    try:
        if arguments[:1] == ["test"]:
            return test(arguments[1:])
        return serve(arguments)
    except Failed as error:
        return fail(str(error))
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on where this one stopped.", file=sys.stderr)
        return 130


class Failed(Exception):
    """A sentence for the user."""


def fail(sentence):
    print(sentence, file=sys.stderr)
    return 1


def say(sentence):
    print("== " + sentence, flush=True)


def serve(arguments):
    if not stamped("base") and not stamped("test"):
        make_venv()
        say("Installing Nurie and its packages into .venv, and compiling the engine (a minute or two)")
        install(["-e", "."])
        # Python 3.11's venv brings setuptools along; nothing here needs its 10 MB.
        run([PYTHON, "-m", "pip", "uninstall", "--yes", "setuptools"], quiet=True)
        stamp("base")
    command = [str(PYTHON), "-m", "nurie", "serve", *arguments]
    process = subprocess.Popen(command, cwd=ROOT)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # Ctrl-C reached the server too, which ends by itself
            continue


def test(arguments):
    if not stamped("test"):
        make_venv()
        say("Installing PyTorch (200 MB, or gigabytes where it comes with CUDA)")
        install_torch()
        say("Installing Nurie with everything that the tests need")
        install(["-e", ".[train,dev]"])
        stamp("test")
    find_chromium()
    say("pytest")
    worst = run([PYTHON, "-m", "pytest", *arguments])
    if arguments:  # options and paths are pytest's: someone is looking at one test
        return worst
    node = shutil.which("node")
    if node and node_version(node) >= 20:
        say("node --test tests/js/")
        scripts = sorted(str(path) for path in (ROOT / "tests" / "js").glob("*test*.*js"))
        worst = max(worst, run([node, "--test", *scripts])) if scripts else worst
    elif os.environ.get("CI"):  # a build machine has to run them all
        raise Failed("tests/js needs Node 20 or newer.")
    else:
        say("Without Node 20 or newer, tests/js is skipped.")
    return worst


# The virtual environment


def make_venv():
    if works(PYTHON):
        return
    if VENV.exists():
        say("The Python in .venv does not work any more: making it anew")
        shutil.rmtree(VENV)
    uv = shutil.which("uv")
    if uv:
        say("Making .venv with uv")
        if run([uv, "venv", "--quiet", "--seed", "--python", sys.executable, VENV]) == 0:
            return
    say("Making .venv")
    if run([sys.executable, "-m", "venv", VENV], quiet=True) or not works(PYTHON):
        shutil.rmtree(VENV, ignore_errors=True)
        raise Failed(
            "Python could not make a virtual environment. On Debian and Ubuntu: `sudo apt install python3-venv`, "
            "then start again. Or install uv (https://docs.astral.sh/uv/), which is used when it is there."
        )


def works(python):
    code = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return python.exists() and run([python, "-c", code], quiet=True) == 0


def install(what):
    uv = shutil.which("uv")
    if uv and run([uv, "pip", "install", "--python", PYTHON, *what]) == 0:
        return
    if pip(what):
        raise Failed("Installing failed; the lines above say why. Without a network nothing can be installed.")


def install_torch():
    """By pip, which a computer's owner may have pointed at a CPU build; uv would fetch gigabytes of CUDA."""
    if run([PYTHON, "-c", "import torch"], quiet=True) == 0:
        return
    linux = sys.platform.startswith("linux")
    if linux and pip([TORCH]) and pip([TORCH.split("=")[0], "--index-url", TORCH_CPU]):
        raise Failed("Installing PyTorch failed; the lines above say why.")


def pip(what):
    return run([PYTHON, "-m", "pip", "install", "--disable-pip-version-check", *what])


# The stamp


def fingerprint():
    """Changes with the list of packages, with the engine, and when the folder moves (.venv holds its path)."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in [ROOT / "pyproject.toml", ROOT / "hatch_build.py", *sorted((ROOT / "engine").glob("*.[ch]"))]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def stamped(level):
    file = VENV / f"nurie-{level}.stamp"
    engine = ROOT / "src" / "nurie" / "page" / "engine" / "nurie.wasm"
    current = file.is_file() and file.read_text() == fingerprint()
    return current and engine.is_file() and PYTHON.exists()


def stamp(level):
    (VENV / f"nurie-{level}.stamp").write_text(fingerprint())


# What the tests need beside Python packages


def find_chromium():
    """The browser tests skip themselves without one, so failing here is only worth a sentence."""
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    if any(shutil.which(name) for name in names):
        return
    has_playwright = "from playwright.sync_api import sync_playwright as s\nwith s() as p: p.chromium.launch().close()"
    if run([PYTHON, "-c", has_playwright], quiet=True) == 0:
        return
    say("Installing Chromium for the browser tests")
    if run([PYTHON, "-m", "playwright", "install", "chromium"]) == 0 and run([PYTHON, "-c", has_playwright], True) == 0:
        return
    apt = shutil.which("apt-get")
    if apt and hasattr(os, "geteuid") and os.geteuid() == 0:
        run([apt, "update", "-qq"])
        if run([apt, "install", "-y", "-qq", "--no-install-recommends", "chromium"]) == 0:
            return
    say("No Chromium could be installed: the browser tests will be skipped.")


def node_version(node):
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
        return int(said.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError):
        return 0


def run(command, quiet=False):
    """Run in the repository; the exit status."""
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(list(map(str, command)), cwd=ROOT, stdout=output, stderr=output).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
