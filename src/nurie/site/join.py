"""The page's scripts in a few files: those that are always needed together are one request, and zipped together.

Each module becomes a block, in the order of the imports; what it exports is seen in all of the file. That needs what
the sources have: imports and exports that begin a line, of names that no two modules export and no browser has; no
exported function that is called before its line; and no module that waits for itself.
"""

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable

from nurie.site.references import IMPORT, REFERENCE, resolved

# In this order each file takes along what it imports and no file before it has. So what workers import lies apart from
# the page's own, and what comes later from what comes first.
FILES = (
    "engine/wasm.js", "engine/start.js", "png.js", "first.js", "main.js", "shelf/shelf.js", "engine/worker.js",
    "engine/helper.js", "engine/backend.js",
)  # fmt: skip
NAMES = re.compile(r'^import (?:\{([\w\s,]*)\} from )?"([^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?:const (\w+)|(class|(?:async )?function) (\w+))", re.MULTILINE)


def homes(scripts: dict[str, str]) -> dict[str, str]:
    """Which file of the published page each module is in: modules in the order in which they run."""
    found: dict[str, str] = {}

    def take(module: str, file: str) -> None:
        if module in found or module not in scripts:
            return
        for other in IMPORT.findall(scripts[module]):
            take(resolved(module, other), file)
        found[module] = file

    for file in FILES:
        take(file, file)
    return found


def joined(scripts: dict[str, str]) -> dict[str, str]:
    """The published page's scripts by name. Those that no file of FILES needs stay as they are."""
    home = homes(scripts)
    files: dict[str, list[str]] = {}
    for module, file in home.items():
        files.setdefault(file, []).append(module)
    left = {name: text for name, text in scripts.items() if name not in home}
    return left | {file: file_of(file, modules, scripts, home) for file, modules in files.items()}


def file_of(file: str, modules: list[str], scripts: dict[str, str], home: dict[str, str]) -> str:
    """One file with its modules, and what other files import of them."""

    def at(name: str) -> str:
        relative = posixpath.relpath(home.get(name, name), posixpath.dirname(file))
        return relative if relative.startswith(".") else f"./{relative}"

    theirs, wanted = imports(modules, scripts), imports(home.keys() - set(modules), scripts)
    wanted[file] |= exports(scripts[file])
    lines = []
    for source in sorted({home[other] for other in theirs} - {file}):
        names = set().union(*(theirs[other] for other in theirs if home[other] == source))
        lines.append(f'import {listed(names)} from "{at(source)}";')
    lines += [block(module, scripts[module], at) for module in modules]
    if names := set().union(*(wanted[module] for module in modules)):
        lines.append(f"export {listed(names)};")
    return "\n".join(lines) + "\n"


def imports(modules: Iterable[str], scripts: dict[str, str]) -> defaultdict[str, set[str]]:
    """The names that these import of each module."""
    found = defaultdict(set)
    for module in modules:
        for names, other in NAMES.findall(scripts[module]):
            found[resolved(module, other)] |= set(re.findall(r"\w+", names))
    return found


def exports(text: str) -> set[str]:
    return {constant or other for constant, _, other in EXPORT.findall(text)}


def block(module: str, text: str, at: Callable[[str], str]) -> str:
    """A module as a block, which hides all but its exports: those are `var`. `at` says where a module's file lies."""

    def variable(match: re.Match[str]) -> str:
        constant, kind, name = match.groups()
        return f"var {constant}" if constant else f"var {name} = {kind}"

    text = EXPORT.sub(variable, NAMES.sub("", text))
    return "{\n" + REFERENCE.sub(lambda match: at(resolved(module, match[0])), text) + "}"


def listed(names: Iterable[str]) -> str:
    return f"{{ {', '.join(sorted(names))} }}"
