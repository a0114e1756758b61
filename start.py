#!/usr/bin/env python3
"""Set Nurie up and show the page; nothing but Python 3.11 is needed.

python3 start.py [--port N] [--host ADDRESS] [--no-open]    serve the page with the built-in models
python3 start.py test [--system] [PYTEST'S OPTIONS]         install everything that the tests need and run them

Everything goes into .venv beside this file; one that start.py did not make is left alone. The second start is fast:
a stamp remembers what was installed. Outside of this folder there are only caches: pip's, Zig's, and a Chromium that
Playwright downloads for the tests where there is none. With --system, root's apt-get installs Debian's Chromium, and
its Firefox and WebKit for the few tests in other browsers.
"""

# Written for old Pythons too, as far as the sentence that refuses them.
import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
WINDOWS = os.name == "nt"
BIN = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON = BIN / ("python.exe" if WINDOWS else "python")
MARK = "nurie-start.txt"  # a file in the .venv that start.py made: its path, or nothing while it is being made
TORCH = "torch==2.13.0"  # what the tests of exact numbers were written with
TORCH_CPU = "https://download.pytorch.org/whl/cpu"
# Debian's packages of the other browsers, and the programs by which they are known.
OTHERS = {"firefox-esr": ["firefox-esr"], "webkit2gtk-driver xvfb": ["WebKitWebDriver", "Xvfb"]}
# They would have packages installed elsewhere, or taken from elsewhere.
MISLEADING = ("PIP_PREFIX", "PIP_ROOT", "PIP_TARGET", "PIP_USER", "PYTHONHOME", "PYTHONPATH")


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
    except OSError as error:
        return fail(f"{error.filename or ROOT}: {error.strerror or error}. {room()}")
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
    set_up(["base", "test"], install_base)
    command = [str(PYTHON), "-m", "nurie", "serve", *arguments]
    if not WINDOWS:
        os.chdir(ROOT)
        os.execve(command[0], command, environment())  # Ctrl-C, signals and the exit status are the server's own
    process = subprocess.Popen(command, cwd=ROOT, env=environment())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # Ctrl-C reached the server too, which ends by itself
            continue


def test(arguments):
    system = "--system" in arguments
    arguments = [argument for argument in arguments if argument != "--system"]
    set_up(["test"], install_tests)
    find_chromium(system)
    if system:
        find_others()
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


# What is installed


def set_up(levels, install_all):
    """Install what the first level needs, unless one of these levels is there already."""
    if any(map(stamped, levels)):
        return
    with alone():
        if any(map(stamped, levels)):  # by the start.py that was waited for
            return
        make_venv()
        for old in VENV.glob("nurie-*.stamp"):  # what is interrupted now is not taken for whole
            old.unlink()
        install_all()
        stamp(levels[0])


def install_base():
    say("Installing Nurie and its packages into .venv, and compiling the engine (a minute or two)")
    install(["-e", "."])
    # Python 3.11's venv brings setuptools along; nothing here needs its 10 MB.
    run([PYTHON, "-m", "pip", "uninstall", "--yes", "setuptools"], quiet=True)


def install_tests():
    say("Installing PyTorch (200 MB, or gigabytes where it comes with CUDA)")
    install_torch()
    say("Installing Nurie with everything that the tests need")
    install(["-e", ".[train,dev]"])


def install(what):
    uv = shutil.which("uv")
    if not (uv and run([uv, "pip", "install", "--python", PYTHON, *what]) == 0):
        pip(what)


def install_torch():
    """By pip, which a computer's owner may have pointed at a CPU build; uv would fetch gigabytes of CUDA."""
    if run([PYTHON, "-c", "import torch"], quiet=True) == 0 or not sys.platform.startswith("linux"):
        return
    try:
        pip([TORCH])
    except Failed:
        pip([TORCH.split("=")[0], "--index-url", TORCH_CPU])


def pip(what):
    said = []
    if run([PYTHON, "-m", "pip", "install", "--disable-pip-version-check", *what], kept=said):
        raise Failed(reason("".join(said)))


def reason(said):
    """A sentence about why installing failed, from what was said on the way."""
    if re.search("No space left|Errno 28|WinError 112", said) or shutil.disk_usage(ROOT).free < 20e6:
        return f"The disk is full. {room()}"
    if re.search("Read-only file system|Permission denied|Access is denied", said):
        return f"A folder cannot be written to; the lines above say which. {room()}"
    if re.search("Connection|Timeout|ProxyError|Max retries|name resolution|timed out", said):
        return "The package index cannot be reached: is there a network? A mirror can be named by PIP_INDEX_URL."
    return "Installing failed; the lines above say why."


def room():
    return (
        f"start.py writes to {ROOT} (150 MB; for the tests 2 GB or more) and temporarily to {tempfile.gettempdir()}. "
        "When both have room and can be written to, the same command goes on."
    )


# The virtual environment


def make_venv():
    """See to it that .venv is ours and works."""
    if os.path.lexists(str(VENV)) and not ours():
        raise Failed(
            f"{VENV} was not made by start.py, so it is left alone. Move it away and start again, or install Nurie "
            f"there yourself: {PYTHON} -m pip install -e . and then {PYTHON} -m nurie serve"
        )
    if not works():
        make_venv_anew()
    (VENV / MARK).write_bytes(os.fsencode(str(VENV)))


def make_venv_anew():
    if PYTHON.parent.is_dir():
        say("The Python in .venv does not work any more, or its folder has moved: making it anew")
    if VENV.is_dir():
        shutil.rmtree(str(VENV))
    VENV.mkdir()
    (VENV / MARK).write_bytes(b"")
    uv = shutil.which("uv")
    say("Making .venv with uv" if uv else "Making .venv")
    if uv and run([uv, "venv", "--quiet", "--seed", "--allow-existing", "--python", sys.executable, VENV]) == 0:
        return
    said = []
    if run([sys.executable, "-m", "venv", VENV], quiet=True, kept=said) or not runs_pip():
        shutil.rmtree(str(VENV), ignore_errors=True)
        raise Failed(no_venv("".join(said)))


def ours():
    """Whether start.py made .venv; an empty folder will do, too."""
    if VENV.is_symlink() or not VENV.is_dir():
        return False
    return (VENV / MARK).is_file() or any(VENV.glob("nurie-*.stamp")) or not any(VENV.iterdir())


def works():
    """Whether .venv is complete, where it was made, and has a Python that runs."""
    mark = VENV / MARK
    if mark.is_file() and mark.read_bytes() != os.fsencode(str(VENV)):
        return False
    return runs_pip()


def runs_pip():
    code = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        return PYTHON.exists() and run([PYTHON, "-c", code], quiet=True) == 0
    except OSError:  # of another kind of computer
        return False


def no_venv(said):
    if "ensurepip" not in said or shutil.disk_usage(ROOT).free < 20e6:
        return f"Python could not make a virtual environment. {room()}"
    return (
        "Python could not make a virtual environment. On Debian and Ubuntu: `sudo apt install python3-venv`, "
        "then start again. Or install uv (https://docs.astral.sh/uv/), which is used when it is there."
    )


# The stamp


def fingerprint():
    """Changes with the list of packages, the engine, the folder (.venv holds its path) and the Python behind .venv."""
    digest = hashlib.sha256(os.fsencode(str(ROOT)) + b"\0" + os.fsencode(os.path.realpath(str(PYTHON))))
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


def find_chromium(system):
    """The browser tests skip themselves without one, so failing here is only worth a sentence."""
    if has_chromium():
        return
    if system and install_by_apt("chromium") and has_chromium():
        return
    say("Playwright downloads a Chromium (about 170 MB) to your cache folder, for the browser tests")
    if run([PYTHON, "-m", "playwright", "install", "chromium"]) == 0 and has_chromium():
        return
    say("No Chromium could be installed: the browser tests will be skipped. As root, --system installs Debian's.")


def has_chromium():
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    code = "from playwright.sync_api import sync_playwright as s\nwith s() as p: p.chromium.launch().close()"
    return any(map(shutil.which, names)) or run([PYTHON, "-c", code], quiet=True) == 0


def find_others():
    """Beside Debian's Chromium its Firefox and WebKit are 135 MB more and take half a minute."""
    for package, programs in OTHERS.items():
        if not all(map(shutil.which, programs)) and not install_by_apt(*package.split()):
            say(f"Without {package}, the tests of that browser will be skipped.")


def install_by_apt(*packages):
    apt = shutil.which("apt-get")
    names = " ".join(packages)
    if not (apt and hasattr(os, "geteuid") and os.geteuid() == 0):
        say(f"--system needs apt-get and root, so this is not installed: {names}")
        return False
    say(f"Installing with apt-get: {names}")
    run([apt, "update", "-qq"])
    return run([apt, "install", "-y", "-qq", "--no-install-recommends", *packages]) == 0


def node_version(node):
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
        return int(said.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError):
        return 0


# Processes


@contextlib.contextmanager
def alone():
    """Only one start.py of this folder installs at a time. The lock is on this file, and ends with its process."""
    with open(__file__, "rb") as file:
        waiting = False
        while not locked(file):
            if not waiting:
                say("Another start.py is installing: waiting for it")
            waiting = True
            time.sleep(0.5)
        yield


def locked(file):
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(1 << 30)  # behind the text, which others have to read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system without locks
        return True
    return True


def environment():
    return {name: value for name, value in os.environ.items() if name not in MISLEADING}


def run(command, quiet=False, kept=None):
    """Run in the repository; the exit status. A list `kept` gets the lines about failures, if quiet all lines."""
    output = subprocess.DEVNULL if quiet else None
    error = output
    if kept is not None:
        output, error = (subprocess.PIPE, subprocess.STDOUT) if quiet else (None, subprocess.PIPE)
    command = list(map(str, command))
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=output, stderr=error, text=True, errors="replace"
    ) as process:
        for line in process.stdout or process.stderr or []:
            kept.append(line)  # pyright: ignore[reportOptionalMemberAccess] (without it there are no lines)
            if not quiet:
                sys.stderr.write(line)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
