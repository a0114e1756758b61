"""The one exception for what a user can mend, and what raises it for options out of range."""


class NurieError(Exception):
    """Bad input from a user. The message says what was expected, what came and what to do.

    The command line prints it as one sentence without a traceback and exits with status 1.
    """


def refuse_below(options: object, least: float, *names: str) -> None:
    """Raises NurieError where one of these options is less than it can be, or no number."""
    for name in names:
        if not getattr(options, name) >= least:
            raise NurieError(f"{flag(name)} must be at least {least}, but it is {getattr(options, name)}.")


def flag(name: str) -> str:
    """How an option is spelt on the command line."""
    return f"--{name.replace('_', '-')}"
