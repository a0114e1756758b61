"""How far a run is, by the steps that it has made or by the time that it has trained: sizes and lr follow from that."""

import time
from itertools import accumulate

from nurie.config import Train
from nurie.errors import NurieError
from nurie.size import Size

FIRST_SAVE, OTHER_SAVES = 120, 300  # seconds of training, with --minutes: the first save, and at least between others
SAVES = 10  # with --minutes, about so many


def stages_of(config: Train) -> list[tuple[Size, int]]:
    """Each stage's size, and its steps, or with --minutes its share of the time. Raises NurieError."""
    return [stage_of(text) for text in config.stages] or [(config.size, config.steps)]


def stage_of(text: str) -> tuple[Size, int]:
    size, _, count = text.partition(":")
    try:
        stage = Size.parse(size), int(count) if count.isdecimal() else 0
    except (NurieError, ValueError):  # int of too many digits
        stage = None
    if not (stage and stage[1]):
        raise NurieError(f"--stages takes SIZE:STEPS, such as 128:1400 256:1000, but {text[:100]!r} is none.")
    return stage


class Schedule:
    """A run's way from its first step to its last."""

    def __init__(self, config: Train) -> None:
        self.config, self.stages = config, stages_of(config)
        self.earlier = 0.0  # seconds trained in calls before this one
        self.began: float | None = None  # when this one began to train
        self.saved = 0.0  # seconds trained when the last save was due
        self.first: tuple[Size, float, int] | None = None  # size, time and step since when steps are timed
        self.reserved = 0.0  # seconds of the time for what comes after the last step

    @property
    def timed(self) -> bool:
        return self.config.minutes > 0

    def seconds(self) -> float:
        """Trained so far, in all calls."""
        return self.earlier + (0.0 if self.began is None else time.perf_counter() - self.began)

    def begin(self) -> None:
        """Training begins, or goes on, now."""
        self.earlier = self.seconds()
        self.began, self.saved = time.perf_counter(), self.earlier

    def end(self) -> None:
        """All is done: a timed run is at its end, however long what came after the last step took."""
        self.earlier, self.began = max(self.seconds(), 60 * self.config.minutes), None

    @property
    def budget(self) -> float:
        """Seconds for the steps of a timed run: its minutes without what is reserved, but at least half of them."""
        return max(60 * self.config.minutes - self.reserved, 30 * self.config.minutes)

    def position(self, step: int) -> tuple[float, float]:
        """How far the run is after `step` steps, and how far it goes: in steps, or in seconds of training."""
        return (self.seconds(), self.budget) if self.timed else (step, self.config.steps)

    def progress(self, step: int) -> float:
        made, total = self.position(step)
        return min(1.0, made / total)

    def size(self, step: int) -> Size:
        """Of the pictures of the step after `step` others."""
        total = sum(count for _, count in self.stages)
        ends = accumulate(count / total for _, count in self.stages)
        progress = self.progress(step)
        return next(
            (size for (size, _), end in zip(self.stages, ends, strict=True) if progress < end), self.config.size
        )

    def lr(self, step: int) -> float:
        """`lr`, then linearly to 0 over the last `decay` share."""
        made, total = self.position(step)
        return self.config.lr * max(0.0, min(1.0, (total - made) / max(1.0, self.config.decay * total)))

    def steps(self, step: int) -> int:
        """Of the whole run; with --minutes as it looks now."""
        if not self.timed:
            return self.config.steps
        now, size = self.seconds(), self.size(step)
        if self.first is None or self.first[0] != size:
            self.first = size, now, step
        _, since, begin = self.first
        rate = (step - begin) / (now - since) if step > begin else 0.0
        return step + round(max(0.0, self.budget - now) * rate)

    def done(self, step: int) -> bool:
        return self.progress(step) >= 1

    def save_due(self, step: int) -> bool:
        """Whether the run is to be validated and saved before its end. To be asked once after each step."""
        if not self.timed:
            return step % self.config.save_every == 0
        now, budget = self.seconds(), 60 * self.config.minutes
        wait = max(OTHER_SAVES, budget / SAVES) if self.saved else min(FIRST_SAVE, budget / 4)
        if now - self.saved < wait:
            return False
        self.saved = now
        return True
