"""How large pictures are. As text, on the command line and in files: 384x256 is a width and a height, 256 a square."""

import re
from dataclasses import dataclass

from nurie.errors import NurieError

FORM = "WIDTHxHEIGHT in pixels, such as 384x256, or one number, such as 256, for a square"
TEXT = re.compile(r"([0-9]{1,9})(?:x([0-9]{1,9}))?")


@dataclass(frozen=True)
class Size:
    """Width and height of a picture, pixels."""

    width: int
    height: int

    @classmethod
    def parse(cls, text: object) -> "Size":
        """Of such a text, or of a number. Raises NurieError, whose sentence begins with "expected"."""
        found = TEXT.fullmatch(str(text))
        if not found:
            raise NurieError(f"expected {FORM}; got {str(text)[:100]!r}.")
        return cls(int(found[1]), int(found[2] or found[1]))

    def __str__(self) -> str:
        return str(self.saved)

    @property
    def saved(self) -> int | str:
        """As files have it: a square as one number, which is all that older versions knew."""
        return self.width if self.width == self.height else self.both

    @property
    def both(self) -> str:
        """As text with both sides, of a square, too."""
        return f"{self.width}x{self.height}"

    @property
    def least(self) -> int:
        """The shorter side."""
        return min(self.width, self.height)

    def times(self, factor: int) -> "Size":
        return Size(factor * self.width, factor * self.height)

    def is_multiple_of(self, multiple: int) -> bool:
        return self.width % multiple == self.height % multiple == 0

    def near(self, multiple: int) -> "Size":
        """The nearest one whose sides are multiples."""
        width, height = (max(1, (side + multiple // 2) // multiple) * multiple for side in (self.width, self.height))
        return Size(width, height)

    def fits(self, other: "Size", within: int = 1) -> bool:
        """Whether this is `other` made smaller or larger, but for less than so many pixels that were rounded."""
        difference = abs(self.width * other.height - self.height * other.width)
        return difference < within * max(other.width, other.height)
