"""Scripts and styles without what only their readers need: they are two thirds as large then, zipped."""

from pathlib import Path

import rcssmin
import rjsmin

MINIFIERS = {".js": rjsmin.jsmin, ".css": rcssmin.cssmin}


def minified(path: Path) -> bytes:
    """What a file of the page holds, comments and most white space apart. `/*!` begins a comment that stays."""
    data = path.read_bytes()
    minify = MINIFIERS.get(path.suffix)
    return minify(data.decode("utf-8"), keep_bang_comments=True).encode() if minify else data
