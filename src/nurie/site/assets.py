"""The page's files under names with a hash of their content, and what they refer to.

A browser may keep every file but index.html for ever: changed content has a new name. All references are relative,
so the site works under any path of any host.
"""

import posixpath
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from nurie.errors import NurieError
from nurie.files.hashed import hashed
from nurie.site.minify import minified

PAGE = Path(__file__).parents[1] / "page"
EARLY = "early.js"  # lies in index.html itself
TEXT = (".js", ".css")  # the files that refer to others
# './folder/name' or "../name" in scripts, ./name in url(...) of a stylesheet
REFERENCE = re.compile(r"""(?<=['"(])(?:\./|(?:\.\./)+)(?:[\w-]+/)*[\w-]+(?:\.[\w-]+)+(?=['")])""", re.ASCII)
IMPORT = re.compile(r"""\bimport\b(?!\s*\()[^;"'()]*["'](\.[A-Za-z0-9_./-]+)["']""")  # static ones only


def hashed_assets() -> tuple[dict[str, str], dict[str, bytes]]:
    """Scripts, styles and engines: the new name of each, and the files under their new names, in the same folders.

    A name is a hash of what the file holds and of all that it refers to, directly or not: when any of that changes,
    so do the names that the file holds in the end. Files that refer to each other need no order for that.
    """
    contents = {
        path.relative_to(PAGE).as_posix(): minified(path)
        for path in sorted(PAGE.rglob("*"))
        if path.is_file() and path.suffix != ".html" and path != PAGE / EARLY and not is_hidden(path.relative_to(PAGE))
    }
    graph = {name: references(name, data, contents) for name, data in contents.items()}
    names = {}
    for name, data in contents.items():
        others = sorted(reached(name, graph.__getitem__) - {name})
        names[name] = hashed(name, b"\0".join([data, *(contents[other] for other in others)]))
    return names, {names[name]: rewrite(name, data, names) for name, data in contents.items()}


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


def resolved(name: str, reference: str) -> str:
    """The page file that a reference in the file `name` means: ("engine/worker.js", "../text.js") -> text.js."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), reference))


def imported(script: str) -> list[str]:
    """The scripts that this one needs before it can start, directly or not."""
    return sorted(reached(script, imports) - {script})


def imports(script: str) -> list[str]:
    text = (PAGE / script).read_text(encoding="utf-8")
    return [resolved(script, other) for other in IMPORT.findall(text)]
