"""The page's scripts in a few files: those that are always needed together are one request, and zipped together.

Each module becomes a function that is called at once, in the order of the imports, and gives what it exports. That
needs what the sources have: imports and exports that begin a line, of names, and no module that waits for itself.
"""

import posixpath
import re
from collections.abc import Callable, Iterable

from nurie.site.references import IMPORT, REFERENCE, resolved

# In this order each file takes along what it imports and no file before it has. So what workers import lies apart from
# the page's own, and what comes later from what comes first.
FILES = (
    "engine/wasm.js", "engine/start.js", "png.js", "first.js", "main.js", "shelf/shelf.js", "engine/worker.js",
    "engine/helper.js", "engine/backend.js",
)  # fmt: skip
NAMES = re.compile(r'^import (?:\{([^}]*)\} from )?"([^"]+)";', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:const|class|(?:async )?function) (\w+))", re.MULTILINE)


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
    """One file with its modules. Other files find those by their variables, import() what the file's own exports."""

    def at(name: str) -> str:
        relative = posixpath.relpath(home.get(name, name), posixpath.dirname(file))
        return relative if relative.startswith(".") else f"./{relative}"

    def needed(within: Iterable[str]) -> set[str]:
        return {resolved(module, other) for module in within for other in IMPORT.findall(scripts[module])}

    theirs = needed(modules) - set(modules)
    wanted = needed(home.keys() - set(modules)) & set(modules)
    lines = [
        f'import {listed(map(variable, (other for other in theirs if home[other] == source)))} from "{at(source)}";'
        for source in sorted({home[other] for other in theirs})
    ]
    lines += [function(module, scripts[module], at) for module in modules]
    lines += [f"export {listed(map(variable, wanted))};"] if wanted else []
    if names := EXPORT.findall(scripts[file]):
        lines += [f"export const {listed(names)} = {variable(file)};"]
    return "\n".join(lines) + "\n"


def function(module: str, text: str, at: Callable[[str], str]) -> str:
    """A module as a call whose value has its exports; `at` says where the file with a module lies."""

    def names(match: re.Match[str]) -> str:
        wanted, name = match.groups()
        return f"const {{{wanted.replace(' as ', ': ')}}} = {variable(resolved(module, name))};" if wanted else ""

    exports = EXPORT.findall(text)
    body = EXPORT.sub("", NAMES.sub(names, text))
    body = REFERENCE.sub(lambda match: at(resolved(module, match[0])), body)
    return f"const {variable(module)} = (() => {{\n{body}return {listed(exports)};\n}})();"


def listed(names: Iterable[str]) -> str:
    return f"{{ {', '.join(sorted(names))} }}"


def variable(module: str) -> str:
    """engine/plan.js -> $engine_plan"""
    return "$" + re.sub(r"\W", "_", module.removesuffix(".js"))
