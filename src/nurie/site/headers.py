"""The headers of a site's files: `nurie serve` sends them, and the file _headers tells other hosts to."""

import re
from pathlib import PurePosixPath

HEADERS_FILE = "_headers"  # read by Netlify, Cloudflare Pages and others
# A page in a process of its own may share memory between threads. Pages that are in one, too, may show it in a frame.
EVERYWHERE = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
HASHED_FOLDERS = ("assets", "model")  # where publish writes files under names with a hash, and no others
HASHED = re.compile(r"\.[0-9a-f]{12}\.\w+$", re.ASCII)  # how such a name ends
KEEP = "public, max-age=31536000, immutable"  # changed content has a new name
ASK = "no-cache"  # browsers ask each time whether the file has changed


def cache_control(name: str) -> str:
    """For a file by its path in the folder that is served, which may hold the site in a folder of its own."""
    *folders, last = PurePosixPath(name).parts
    keep = bool(HASHED.search(last)) and not set(HASHED_FOLDERS).isdisjoint(folders)
    return KEEP if keep else ASK


def headers_text() -> str:
    """What the file _headers says. No path gets one header from two rules: hosts would send both values."""
    rules = {"/*": EVERYWHERE}
    rules |= {path: {"Cache-Control": ASK} for path in ("/", "/index.html", "/site.json")}
    rules |= {f"/{folder}/*": {"Cache-Control": KEEP} for folder in HASHED_FOLDERS}
    return "".join(
        f"{path}\n" + "".join(f"  {name}: {value}\n" for name, value in headers.items())
        for path, headers in rules.items()
    )
