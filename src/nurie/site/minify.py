"""Scripts and styles without what only their readers need: they are two thirds as large then, zipped."""

import re
from pathlib import PurePath

import rcssmin
import rjsmin

MINIFIERS = {".js": rjsmin.jsmin, ".css": rcssmin.cssmin}


SHADERS = ("engine/wgsl.js", "engine/wgsl-imported.js")
SHADER_SPACE = re.compile(r"[ \t]*//[^\n]*|^[ \t]+", re.MULTILINE)


def minified(name: str, data: bytes) -> bytes:
    """A file of the page, comments and most white space apart. `/*!` begins a comment that stays."""
    minify = MINIFIERS.get(PurePath(name).suffix)
    return minify(data.decode("utf-8"), keep_bang_comments=True).encode() if minify else data


def without_shader_space(name: str, text: str) -> str:
    """A script. Of those that have WGSL in their strings, without the comments and the indentation there."""
    return SHADER_SPACE.sub("", text) if name in SHADERS else text


def minified_page(text: str) -> str:
    """HTML without its indentation, which nobody sees."""
    return re.sub(r"\n\s+", "\n", text)
