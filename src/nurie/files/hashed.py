"""Names that change with what a file holds."""

import hashlib
from pathlib import PurePosixPath


def hashed(name: str, data: bytes) -> str:
    """main.js -> main.0123456789ab.js; a name that has this hash already stays."""
    path, digest = PurePosixPath(name), hashlib.sha256(data).hexdigest()[:12]
    return name if path.stem.endswith(f".{digest}") else str(path.with_name(f"{path.stem}.{digest}{path.suffix}"))
