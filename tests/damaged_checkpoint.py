"""Mutations of a checkpoint in a process of its own, since the library that reads it may crash:

    python tests/damaged_checkpoint.py FILE

Prints how many were refused and how many were read; see `damaged`, which says what makes it fail.
"""

import sys
import warnings
from pathlib import Path

from importing import damaged
from mutations import changed_bytes

if __name__ == "__main__":
    file = Path(sys.argv[1])
    with warnings.catch_warnings(action="error"):
        counts = damaged(file.name, file, changed_bytes).counts
    print(counts["refused"], counts["read"])
