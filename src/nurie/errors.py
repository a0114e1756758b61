"""The one exception for what a user can correct, and what finds options that are not as before."""

import dataclasses
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


def changed_options(config: Any, now: dict[str, Any], saved: dict[str, Any], free: set[str]) -> str:
    """What differs between two results' options but for `free` ones: "size was 32, now 64; ...", or nothing.

    Those that an older Nurie did not save had the defaults of `config`, a dataclass.
    """
    saved = {field.name: field.default for field in dataclasses.fields(config)} | saved
    return "; ".join(f"{k} was {saved[k]}, now {now[k]}" for k in now if k not in free and now[k] != saved[k])


def spelt(options: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in options.items())
