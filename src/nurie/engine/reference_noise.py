"""The noise of docs/formats.md, `style`, in plain integers."""


def hash_of(number: int, seed: int) -> int:
    """PCG's output function (O'Neill 2014): 32 bits."""
    state = ((number + seed * 0x9E3779B9) * 747796405 + 2891336453) % 2**32
    word = ((state >> ((state >> 28) + 4)) ^ state) * 277803737 % 2**32
    return word ^ (word >> 22)
