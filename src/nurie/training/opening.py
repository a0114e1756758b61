"""The first lines of a training run: what is trained on what, and how long it takes."""

import time

import torch
from torch import nn

from nurie.config import Train
from nurie.nets.checkpoint import BEST
from nurie.pairs.folder import PairFolder
from nurie.training.options import generator_options
from nurie.training.schedule import Schedule, stages_of
from nurie.training.state import State

MEASURED = 8  # steps, after the first one, which waits for much that later ones have


def summary(state: State, train: PairFolder, val: PairFolder) -> str:
    """What the run trains, on what and with what."""
    config = state.config
    validation = f"{count(len(val), 'picture')} for validation" if len(val) else "none for validation"
    drawings = state.dataset.drawings
    alone = f", {count(len(drawings.sketches), 'drawing')} without pictures" if drawings else ""
    net = generator_options(config)
    colours = f", in {config.colours} colours" if config.colours else ""
    return (
        f"{count(len(train), 'picture')} with {count(pairs_in(train), 'drawing')} to train on, {validation}{alone}. "
        f"Generator {net['kind']}, width {net['width']}, {parameters(state.ema):,} parameters{colours}, at "
        f"{sizes(config)} pixels. {hardware(state)}. {way(state)}, each of "
        f"{count(config.batch * state.accelerator.num_processes, 'picture')}."
    )


def sizes(config: Train) -> str:
    return ", then ".join(size.both for size, _ in stages_of(config))


def way(state: State) -> str:
    """The steps to come."""
    config = state.config
    if state.schedule.done(state.step):
        return f"All {state.step:,} steps are made"
    if not config.minutes:
        return f"Steps {state.step + 1:,} to {config.steps:,}"
    left = 60 * config.minutes - state.schedule.seconds()
    end = time.strftime("%H:%M", time.localtime(time.time() + left))
    return f"{duration(left)}, until {end}, of steps from number {state.step + 1:,} on"


def ending(state: State) -> str:
    """Of a run that has all its steps already: what can be done with it."""
    config = state.config
    longer = f"--minutes {2 * config.minutes:g}" if config.minutes else f"--steps {2 * state.step}"
    return (
        f"{config.run} is finished: {state.step:,} steps. Its weights are in {config.run / BEST}. To use them: nurie "
        f"export {config.run} MODEL. To train longer, the same command with {longer}; to learn from "
        f"other pictures, or in another way: nurie train {config.pairs} RUN --init {config.run}."
    )


def hardware(state: State) -> str:
    accelerator = state.accelerator
    device = accelerator.device
    precision = "bf16" if accelerator.mixed_precision == "bf16" else "fp32"
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()
    threads = f", {count(torch.get_num_threads(), 'thread')}" if device.type == "cpu" else ""
    each = " each" if accelerator.num_processes > 1 and threads else ""
    return f"{count(accelerator.num_processes, 'process', 'processes')} on {name}{threads}{each}, {precision}"


class Pace:
    """How fast steps are, once a few of them are measured."""

    def __init__(self, schedule: Schedule, processes: int) -> None:
        self.schedule, self.pictures = schedule, schedule.config.batch * processes  # of a step
        self.steps = -1  # measured so far; the first only starts the clock
        self.since = 0.0

    def tick(self, step: int) -> str:
        """To be called after each step, `step` so far. Returns a sentence once, else nothing."""
        self.steps += 1
        if self.steps == 0:
            self.since = time.perf_counter()
        if self.steps != MEASURED or self.schedule.done(step):
            return ""
        seconds = (time.perf_counter() - self.since) / MEASURED
        left = self.schedule.steps(step) - step
        rate = f"{seconds:.2g} s a step, {self.pictures / seconds:.1f} pictures a second"
        return f"{rate}, about {duration(left * seconds)} left."


def pairs_in(folder: PairFolder) -> int:
    return sum(len(group) for group in folder.groups)


def parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def count(number: int, one: str, many: str = "") -> str:
    """ "1 picture", "2,984 pictures"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """In the two units that matter: "3 s", "12 min", "4 h 5 min", "2 days 3 h"."""
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if seconds < 100:
        return f"{seconds:.0f} s"
    if minutes < 100:
        return f"{minutes} min"
    if hours < 48:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{hours // 24} days {hours % 24} h"
