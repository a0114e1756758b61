"""Digests of files, and names that change with what a file holds."""

import hashlib
from pathlib import Path, PurePosixPath


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hashed(name: str, data: bytes) -> str:
    """main.js -> main.0123456789ab.js; a name that has this hash already stays."""
    path, digest = PurePosixPath(name), hashlib.sha256(data).hexdigest()[:12]
    return name if path.stem.endswith(f".{digest}") else str(path.with_name(f"{path.stem}.{digest}{path.suffix}"))
