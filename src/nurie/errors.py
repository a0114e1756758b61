"""The one exception for what a user can correct, and how options and errors are spelt."""

import errno
import os
from typing import Any


class NurieError(Exception):
    """Bad input from a user. The message says what was expected, what came and what to do.

    The command line prints it as one sentence without a traceback and exits with status 1.
    """


# What to do about an error of the operating system; for others, see of_system.
REMEDIES = {
    errno.ENOSPC: "Free some space on that disk",
    errno.EDQUOT: "Free some of your space on that disk",
    errno.EACCES: "Change its permissions, or name another place",
    errno.EPERM: "Change its permissions, or name another place",
    errno.EROFS: "Name a place that can be written to",
    errno.ENAMETOOLONG: "Choose a shorter name",
    errno.ENOTDIR: "A part of this path is a file: name another place",
    errno.EEXIST: "A file of that name is in the way: name another place",
    errno.EISDIR: "Expected a file: name another one",
    errno.ENOENT: "Check how it is spelt, and that nothing else removes it",
    errno.EBUSY: "Close what uses it",
    errno.EMFILE: "Close other programs, or allow more open files (ulimit -n)",
    errno.EIO: "The disk may be failing: copy what is on it elsewhere",
}


def of_system(error: OSError) -> str:
    """An error of the operating system as a sentence: which path, what is wrong, what to do."""
    places = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
    reason = error.strerror or str(error) or type(error).__name__
    remedy = REMEDIES.get(error.errno or 0, "Correct that, or name another place")
    return f"{': '.join([' -> '.join(places), reason] if places else [reason])}. {remedy}, then run the command again."


def flag(name: str) -> str:
    """How an option is spelt on the command line."""
    return f"--{name.replace('_', '-')}"


def spelt(options: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in options.items())
