"""The page's files under names with a hash of their content, and what they refer to.

A browser may keep every file but index.html for ever: changed content has a new name. All references are relative,
so the site works under any path of any host.
"""

import hashlib
import posixpath
import re
from collections.abc import Iterable
from pathlib import Path

from nurie.errors import NurieError

PAGE = Path(__file__).parents[1] / "page"
TEXT = (".js", ".css")  # the files that refer to others
# './folder/name' or "../name" in scripts, ./name in url(...) of a stylesheet
REFERENCE = re.compile(r"""(?<=['"(])(?:\./|(?:\.\./)+)(?:[\w-]+/)*[\w-]+(?:\.[\w-]+)+(?=['")])""", re.ASCII)
IMPORT = re.compile(r"""\bimport\b(?!\s*\()[^;"'()]*["'](\.[A-Za-z0-9_./-]+)["']""")  # static ones only


def hashed(name: str, data: bytes) -> str:
    """main.js -> main.0123456789ab.js; weights.bin.gz -> weights.0123456789ab.bin

    The engine's page unpacks the weights itself; without .gz no web host adds a Content-Encoding.
    """
    name = name.removesuffix(".gz")
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(data).hexdigest()[:12]}{dot}{suffix}"


def write_assets(page: Path, folder: Path) -> dict[str, str]:
    """Copy scripts, styles and engines under hashed names, in the same folders. Returns the new name of each old one,
    with its folders below the page."""
    contents = {
        path.relative_to(page).as_posix(): path.read_bytes()
        for path in sorted(page.rglob("*"))
        if path.is_file() and path.suffix != ".html" and not path.name.startswith(".")
    }
    names: dict[str, str] = {}
    for group in dependency_order({name: references(name, data, contents) for name, data in contents.items()}):
        if len(group) == 1:
            name = group[0]
            names[name] = hashed(name, rewrite(name, contents[name], names))
        else:
            # Files that refer to each other: none can have its own final content's hash, so all share one.
            together = b"\0".join(rewrite(name, contents[name], names) for name in group)
            names.update({name: hashed(name, name.encode() + b"\0" + together) for name in group})
    for name, data in contents.items():
        target = folder / names[name]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(rewrite(name, data, names))
    return names


def references(name: str, data: bytes, known: Iterable[str]) -> set[str]:
    """The page files that this one names. Its own name (a worker that starts itself) counts too."""
    if not name.endswith(TEXT):
        return set()
    return named(name, data.decode("utf-8"), known)


def named(name: str, text: str, known: Iterable[str]) -> set[str]:
    """The known files that a text refers to. Raises NurieError for a script, style or engine that is not there."""
    found = {resolved(name, reference) for reference in REFERENCE.findall(text)}
    missing = sorted(other for other in found - set(known) if other.endswith((*TEXT, ".wasm")))
    if missing:
        raise NurieError(
            f"{name} needs {missing[0]}, which is missing from {PAGE}. "
            "Install Nurie again, or in a clone run `python hatch_build.py`."
        )
    return found & set(known)


def rewrite(name: str, data: bytes, names: dict[str, str]) -> bytes:
    if not name.endswith(TEXT):
        return data

    def new(match: re.Match[str]) -> str:
        folder, _, old = match[0].rpartition("/")
        return f"{folder}/{posixpath.basename(names.get(resolved(name, match[0]), old))}"

    return REFERENCE.sub(new, data.decode("utf-8")).encode()


def resolved(name: str, reference: str) -> str:
    """The page file that a reference in the file `name` means: ("engine/worker.js", "../text.js") -> text.js."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), reference))


def dependency_order(graph: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected components, each after the ones it refers to (Tarjan 1972)."""
    order: list[list[str]] = []
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> None:
        number[node] = low[node] = len(number)
        stack.append(node)
        for target in sorted(graph[node]):
            if target not in number:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], number[target])
        if low[node] == number[node]:
            start = stack.index(node)
            order.append(sorted(stack[start:]))
            del stack[start:]

    for node in sorted(graph):
        if node not in number:
            visit(node)
    return order


def imported(script: str) -> list[str]:
    """The scripts that this one needs before it can start, directly or not."""
    found, new = [], [script]
    while new:
        name = new.pop()
        others = [resolved(name, other) for other in IMPORT.findall((PAGE / name).read_text(encoding="utf-8"))]
        fresh = [other for other in dict.fromkeys(others) if other not in (*found, *new, script)]
        found += fresh
        new += fresh
    return sorted(found)
