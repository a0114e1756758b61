"""CRC-32C (RFC 3720, B.4) by NumPy, some 80 MB/s: a loop in Python would take a minute for a checkpoint.

But for its start and its end the checksum is linear: words are folded in pairs, where the left one is moved past the
right one.
"""

from functools import cache

import numpy as np

POLYNOMIAL = np.uint32(0x82F63B78)
START = bytes.fromhex("54641f64")  # what leaves the register all ones
AT_ONCE = 1 << 16  # words, what stays in the cache
Tables = np.ndarray  # uint32 (2, 65536): a linear map of 32 bits, by its values of each half


def crc32c(data: bytes | memoryview) -> int:
    words, level = np.frombuffer(bytes(-len(data) % 4) + START + data, np.uint32), 0
    while len(words) > 1:
        if len(words) % 2:
            words = np.concatenate([np.zeros(1, np.uint32), words])
        parts = [words[start : start + 2 * AT_ONCE] for start in range(0, len(words), 2 * AT_ONCE)]
        words = np.concatenate([moved(past(level), part[0::2]) ^ part[1::2] for part in parts])
        level += 1
    return int(moved(past(0), words)[0]) ^ 0xFFFFFFFF


def masked_crc32c(data: bytes | memoryview) -> int:
    """As LevelDB and TensorFlow store it."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def moved(tables: Tables, words: np.ndarray) -> np.ndarray:
    """words: uint32, of any shape."""
    low, high = words & np.uint32(0xFFFF), words >> np.uint32(16)
    return tables[0][low] ^ tables[1][high]


@cache
def past(level: int) -> Tables:
    """The map that 2^level words of zeros are."""
    if level:
        return moved(past(level - 1), past(level - 1))
    values = np.arange(1 << 16, dtype=np.uint32) << np.array([[0], [16]], np.uint32)
    for _ in range(32):
        values = values >> np.uint32(1) ^ POLYNOMIAL * (values & np.uint32(1))
    return values
