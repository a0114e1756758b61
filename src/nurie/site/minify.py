"""Scripts and styles without what only their readers need: they are two thirds as large then, zipped."""

import re
from pathlib import PurePath

import rcssmin
import rjsmin

from nurie.site.shorten import shortened

MINIFIERS = {".js": rjsmin.jsmin, ".css": rcssmin.cssmin}

SHADERS = ("engine/wgsl.js", "engine/wgsl-imported.js")
SHADER_SPACE = re.compile(r"[ \t]*//[^\n]*|^[ \t]+", re.MULTILINE)
# None of these becomes another sign beside its neighbour; join.py knows imports by their spaces.
SHADER_SIGN = re.compile(r"^import .*| *([=,;:{}()<>&|?%*+]) *", re.MULTILINE)


def minified(name: str, data: bytes) -> bytes:
    """A file of the page, comments and most white space apart, in scripts with short names. `/*!` begins a comment that
    stays."""
    suffix = PurePath(name).suffix
    minify = MINIFIERS.get(suffix)
    if not minify:
        return data
    text = minify(data.decode("utf-8"), keep_bang_comments=True)
    return (shortened(text) if suffix == ".js" else text).encode()


def without_shader_space(name: str, text: str) -> str:
    """A script. Of those that have WGSL in their strings, without the comments and the spaces there."""
    if name not in SHADERS:
        return text
    return SHADER_SIGN.sub(lambda match: match[1] or match[0], SHADER_SPACE.sub("", text))


def minified_page(text: str) -> str:
    """HTML without its indentation, which nobody sees."""
    return re.sub(r"\n\s+", "\n", text)
