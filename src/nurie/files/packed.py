"""The strokes of a manifest's presets as short texts (docs/formats.md, "model/")."""

from typing import Any

UNIT = 4  # of a pixel
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
BITS = 5  # of a digit; one more says that the number goes on
MOST_DIGITS = 7  # of a number
MOST_NUMBERS = 200_001  # one more than a stroke has


def packed(manifest: dict[str, Any]) -> dict[str, Any]:
    """The same with points as text."""
    presets = [
        {**preset, "strokes": [{**stroke, "points": to_text(stroke["points"])} for stroke in preset["strokes"]]}
        if "strokes" in preset
        else preset
        for preset in manifest["presets"]
    ]
    return {**manifest, "presets": presets}


def unpacked(manifest: Any) -> Any:
    """The same with points as numbers; what is none of that stays, for the schema to refuse."""
    for preset in entries(manifest, "presets"):
        for stroke in entries(preset, "strokes"):
            if isinstance(stroke, dict) and isinstance(stroke.get("points"), str):
                stroke["points"] = to_points(stroke["points"])
    return manifest


def entries(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def to_text(points: list[float]) -> str:
    """x, y, x, y, ... in pixels, rounded to quarters: each less the one before it, in digits of 5 bits, the lowest
    first, the sign as the lowest bit."""
    digits, before = [], [0, 0]
    for i, value in enumerate(points):
        number = round(value * UNIT)
        step, before[i % 2] = number - before[i % 2], number
        rest = 2 * step if step >= 0 else -2 * step - 1
        while rest >> BITS:
            digits.append(DIGITS[1 << BITS | rest & (1 << BITS) - 1])
            rest >>= BITS
        digits.append(DIGITS[rest])
    return "".join(digits)


def to_points(text: str) -> list[float] | str:
    """The other way; the text itself where it is no such one."""
    points, before = [], [0, 0]
    number = shift = 0
    for digit in text:
        value = DIGITS.find(digit)
        number |= (value & (1 << BITS) - 1) << shift
        shift += BITS
        if value < 0 or shift > BITS * MOST_DIGITS or len(points) == MOST_NUMBERS:
            return text
        if value >> BITS:
            continue
        at = len(points) % 2
        before[at] += number >> 1 if number % 2 == 0 else -(number + 1 >> 1)
        points.append(before[at] / UNIT)
        number = shift = 0
    return text if shift else points
