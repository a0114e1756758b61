"""The page's files under names with a hash of their content, and what they refer to.

A browser may keep every file but index.html for ever: changed content has a new name. All references are relative,
so the site works under any path of any host.
"""

import posixpath
import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from nurie.errors import NurieError
from nurie.files.hashed import hashed
from nurie.site.join import joined
from nurie.site.minify import minified, without_shader_space
from nurie.site.references import IMPORT, REFERENCE, resolved
from nurie.site.shorten import shortened

PAGE = Path(__file__).parents[1] / "page"
EARLY = "early.js"  # lies in index.html itself
KEPT = (".html", ".ts")  # index.html has another place, types none
TEXT = (".js", ".css")  # the files that refer to others
# What a site need not have, with the operations that need it, and what is there instead.
IMPORTED, IMPORTED_OPS, NOTHING = "engine/wgsl-imported.js", {"norm", "labels"}, "export const IMPORTED = {};\n"


def hashed_assets(ops: Collection[str]) -> tuple[dict[str, str], dict[str, bytes]]:
    """Scripts, styles and engines for plans with these operations: the new name of each, and the files under their new
    names, in the same folders.

    A name is a hash of what the file holds and of all that it refers to, directly or not: when any of that changes,
    so do the names that the file holds in the end. Files that refer to each other need no order for that.
    """
    contents = {name: minified(name, data) for name, data in sources(ops).items()}
    graph = {name: references(name, data, contents) for name, data in contents.items()}
    names = {}
    for name, data in contents.items():
        others = sorted(reached(name, graph.__getitem__) - {name})
        names[name] = hashed(name, b"\0".join([data, *(contents[other] for other in others)]))
    return names, {names[name]: rewrite(name, data, names) for name, data in contents.items()}


def sources(ops: Collection[str] = IMPORTED_OPS) -> dict[str, bytes]:
    """What of the page lies in assets/, scripts joined, by the names that the sources use."""
    files = {
        path.relative_to(PAGE).as_posix(): path.read_bytes()
        for path in sorted(PAGE.rglob("*"))
        if path.is_file() and path.suffix not in KEPT and path != PAGE / EARLY and not is_hidden(path.relative_to(PAGE))
    }
    scripts = {
        name: without_shader_space(name, data.decode("utf-8")) for name, data in files.items() if name.endswith(".js")
    }
    if IMPORTED in scripts and IMPORTED_OPS.isdisjoint(ops):
        scripts[IMPORTED] = NOTHING
    others = {name: data for name, data in files.items() if name not in scripts}
    # A module's own names are shortened before it meets the others, where they may be properties.
    short = joined({name: shortened(text) for name, text in scripts.items()})
    return others | {name: text.encode() for name, text in short.items()}


def is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def reached(start: str, follow: Callable[[str], Iterable[str]]) -> set[str]:
    """The start, what follows from it, and so on."""
    found, new = set(), {start}
    while new:
        found |= new
        new = {other for name in new for other in follow(name)} - found
    return found


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


def imported(script: str) -> list[str]:
    """The files that this one needs before it can start, directly or not, itself apart: names that the sources use."""
    texts = {name: data.decode("utf-8") for name, data in sources().items() if name.endswith(".js")}
    follow = {name: [resolved(name, other) for other in IMPORT.findall(text)] for name, text in texts.items()}
    return sorted(reached(script, follow.__getitem__) - {script})
