"""How the page's files name each other: by relative paths in quotes."""

import posixpath
import re

# './folder/name' or "../name" in scripts, ./name in url(...) of a stylesheet
REFERENCE = re.compile(r"""(?<=['"(])(?:\./|(?:\.\./)+)(?:[\w-]+/)*[\w-]+(?:\.[\w-]+)+(?=['")])""", re.ASCII)
IMPORT = re.compile(r"""\bimport\b(?!\s*\()[^;"'()]*["'](\.[A-Za-z0-9_./-]+)["']""")  # static ones only


def resolved(name: str, reference: str) -> str:
    """The page file that a reference in the file `name` means: ("engine/worker.js", "../text.js") -> text.js."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), reference))
