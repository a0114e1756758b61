"""The one exception for what a user can mend."""


class NurieError(Exception):
    """Bad input from a user. The message says what was expected, what came and what to do.

    The command line prints it as one sentence without a traceback and exits with status 1.
    """
