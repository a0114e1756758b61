"""Train a pix2pix generator (Isola et al. 2017). Run the same command again to resume exactly."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from rich.console import Console

from nurie.batches.sampler import Batch, Sampler, prefetch
from nurie.config import Train
from nurie.drawings.collection import open_collection
from nurie.drawings.palette import common_colours, shares_of
from nurie.errors import NurieError
from nurie.files.lock import locked
from nurie.nets import checkpoint
from nurie.nets.styles import common_styles, style_of
from nurie.nets.tensors import to_tensor
from nurie.pairs.check import check_pairs
from nurie.pairs.classes import classes_of, members_of_classes
from nurie.pairs.folder import PairFolder, open_pairs
from nurie.pairs.inspect import LOOKED_AT, copy_warnings, data_warnings, refuse_without_lines, set_warnings
from nurie.pairs.kinds import PAIRS, PHOTOS, refuse_other_kind
from nurie.resources import cores
from nurie.training import batchnorm
from nurie.training.dataset import Dataset
from nurie.training.launch import agreed, open_accelerator
from nurie.training.log import Log, looking, progress_bar, tracking
from nurie.training.opening import Pace, ending, summary
from nurie.training.options import check, generator_options, with_colours, with_stages
from nurie.training.state import State
from nurie.training.step import Step
from nurie.training.stopping import stoppable
from nurie.training.validate import val_tensors, validate, write_samples
from nurie.training.watch import draw_warnings, run_warnings

SEEN = ".pairs.json"  # in the run folder: which pairs were opened already
VAL_PICTURES = 64  # val pairs of the scores
COLOURS_FROM = 1000  # pictures in which colours are found
SAVE_SECONDS = 300  # at most this much is lost when the computer goes down


def train(config: Train, saved: Callable[[], None] = lambda: None) -> Path:
    """Train for `config.steps` or `config.minutes`, resuming from the run folder's checkpoint. Returns its path.

    saved: called after each save at which the run was validated, but for the last.
    """
    config = with_colours(with_stages(config))
    check(config)
    refuse_other_kind(config.pairs, [PAIRS, PHOTOS], "train", config.run)
    accelerator = open_accelerator(config)
    if config.minutes and accelerator.num_processes > 1:
        raise NurieError("--minutes is for one process, whose clock they would all have to follow. Give --steps.")
    threads = config.threads or min(torch.get_num_threads(), cores())  # PyTorch knows of no control groups
    if threads != torch.get_num_threads():
        torch.set_num_threads(threads)
    with locked(*[config.run] if accelerator.is_main_process else []):
        return train_run(config, accelerator, saved)


def train_run(config: Train, accelerator: Accelerator, saved: Callable[[], None]) -> Path:
    """All of training, in a folder that only the main process writes to. Returns the checkpoint's path."""
    with accelerator.main_process_first():  # the others read what it has found out about the pairs
        train_pairs, val_pairs, dataset = open_dataset(config, told=accelerator.is_main_process)
    val = val_tensors(val_pairs if len(val_pairs) else train_pairs, VAL_PICTURES)
    state = State(config, accelerator, dataset)
    path = config.run / checkpoint.FILE
    warnings: list[str] = []
    if path.exists():
        warnings = state.resume(path)
    else:
        if config.init:
            state.start_from(config.init, lambda: to_tensor([drawing for drawing, _ in some_pairs(train_pairs)]))
        if generator_options(config).get("styles"):
            state.offer(common_styles(styles_of(train_pairs)))
        if config.colours:
            pictures = [train_pairs.read(path)[1] for path in train_pairs.spread(COLOURS_FROM)]
            palette = state.palette or common_colours(pictures, config.colours)
            state.paint_in(palette, shares_of(pictures, palette))
    finished = state.schedule.done(state.step) and config.batchnorm in (0, state.measured)
    about = summary(state, train_pairs, val_pairs)
    log = Log(config, state.step, about) if accelerator.is_main_process else None
    if log:
        for text in (*(f"Warning: {text}" for text in warnings), ending(state) if finished else about):
            say(text)
        if log.lacks_report():
            show(state, val, log, Console(stderr=True))
    if not finished:
        classes = members_of_classes(dataset.classes) if dataset.classes else ()
        process, processes = accelerator.process_index, accelerator.num_processes
        sampler = Sampler(train_pairs, config, classes, process, processes, dataset.drawings)
        if config.minutes and config.batchnorm:
            state.schedule.reserved = batchnorm.seconds(state, sampler)
        if not state.schedule.done(state.step):
            run_steps(state, sampler, val, log, saved)
        if log and config.batchnorm:
            measure_batchnorm(state, sampler, val, log)
    return path


def open_dataset(config: Train, told: bool = True) -> tuple[PairFolder, PairFolder, Dataset]:
    """The pairs to train on and those for validation, without what can not be used, which is named where `told`.

    Raises NurieError when nothing is left to train on, or when the list of classes lacks a picture.
    """
    drawings = open_collection(config.drawings) if config.drawings else None
    train_pairs = open_pairs(config.pairs, "train", config.size, config.direction)
    val_pairs = PairFolder(config.pairs / "val", config.size, config.direction)
    checked = check_pairs([train_pairs, val_pairs], config.run / SEEN, looking)
    pictures, others = checked.digests
    for problem in checked.problems.values() if told else ():
        say(f"left out: {problem}")
    if told and drawings and drawings.left_out:
        say(f"left out of {config.drawings}: {drawings.told()}")
    if not pictures:
        raise NurieError(f"None of the pairs in {train_pairs.folder} can be used; the reasons are above.")
    if drawings:
        refuse_without_lines([drawing for drawing, _ in some_pairs(train_pairs)], config.pairs)
    classes = classes_of(config.classes, train_pairs.names) if config.classes else None
    warnings = set_warnings(len(train_pairs), len(val_pairs), classes)
    warnings |= copy_warnings(checked.copies(train_pairs, val_pairs), len(val_pairs))
    return train_pairs, val_pairs, Dataset(pictures, others, classes, drawings, warnings)


def say(text: str, console: Console | None = None) -> None:
    (console or Console(stderr=True)).print(text, markup=False, highlight=False, soft_wrap=True)


def some_pairs(pairs: PairFolder) -> list[tuple[np.ndarray, np.ndarray]]:
    return [pairs.read(path) for path in pairs.spread(LOOKED_AT)]


def styles_of(pairs: PairFolder) -> np.ndarray:
    """Of every picture, (n, 3)."""
    return np.concatenate([style_of(to_tensor([pairs.read(group[0])[1]])) for group in pairs.groups])


def run_steps(state: State, sampler: Sampler, val: Batch, log: Log | None, saved: Callable[[], None]) -> None:
    """log: of the main process."""
    config, main, schedule = state.config, log is not None, state.schedule
    path = config.run / checkpoint.FILE
    step = Step(state)
    pace = Pace(schedule, state.accelerator.num_processes)
    with progress_bar(main) as progress, tracking(state.accelerator, config), stoppable() as stop:
        task = progress.add_task("", total=schedule.steps(state.step), completed=state.step, status="")
        if log:
            log.warn(state.dataset.warnings, progress.console)
            log.warn(data_warnings(some_pairs(sampler.pairs), config.direction), progress.console)
            log.warn(draw_warnings(state.draws, state.step), progress.console)
        schedule.begin()
        since = last_save = time.perf_counter()
        counted = state.step
        for batch in prefetch(lambda step: sampler(step, schedule.size(step)), state.step):
            losses = step(batch)
            if not np.isfinite(list(losses.values())).all():
                raise diverged(config, f"The loss is no longer a number at step {state.step}.")
            if main and (told := pace.tick(state.step)):
                say(told, progress.console)
            rate = (state.step - counted) * pace.pictures / (time.perf_counter() - since)
            total = schedule.steps(state.step)
            progress.update(
                task, completed=state.step, total=total, status=f"l1 {losses['l1']:.3f}  {rate:.1f} pictures/s"
            )
            record = {"step": state.step, **losses}
            stopping = agreed(state.accelerator, stop.asked)
            done = schedule.done(state.step)
            due = done or schedule.save_due(state.step)
            if due and main:
                record |= validate(state.predict, val, config.batch)
            if log:
                log.add(record)
            state.accelerator.log({name: value for name, value in record.items() if name != "step"}, state.step)
            if main and (due or stopping or time.perf_counter() - last_save > SAVE_SECONDS):
                if not state.is_finite():
                    raise diverged(config, f"The weights are no longer numbers at step {state.step}.")
                if due:
                    state.keep_best(config.run / checkpoint.BEST, record["val_score"])
                state.save(path)
                last_save = time.perf_counter()
            if due and log:
                show(state, val, log, progress.console, (time.perf_counter() - since) / (state.step - counted))
                if not done:
                    saved()
                since, counted = time.perf_counter(), state.step
            if stopping:
                stop.end()
            if done:
                break


def measure_batchnorm(state: State, sampler: Sampler, val: Batch, log: Log) -> None:
    """What comes after the last step and its save, and is done anew where it was cut off: the same generator with other
    statistics is another save of that step."""
    config, console = state.config, Console(stderr=True)
    before = validate(state.predict, val, config.batch)["val_score"]
    state.schedule.begin()
    if not state.measured:  # else they are mixed already
        state.mix_with_begun()
    batchnorm.measure(state, sampler)
    if not state.is_finite():
        raise diverged(config, "BatchNorm's statistics are no longer numbers.")
    scores = validate(state.predict, val, config.batch)
    batches = f"{config.batchnorm} batches" if config.batchnorm > 1 else "1 batch"
    told = f"BatchNorm is measured anew on {batches}: val score {before:.4f} -> {scores['val_score']:.4f}."
    say(told, console)
    if log.records:  # else the file is gone
        log.amend(scores, told)
        show(state, val, log, console)  # before the save, since no other call would write this report
    state.schedule.end()
    state.keep_best(config.run / checkpoint.BEST, scores["val_score"])
    state.save(config.run / checkpoint.FILE)


def show(state: State, val: Batch, log: Log, console: Console, seconds: float | None = None) -> None:
    """What a save is like: warnings, sample pictures and the report, which comes last: it is looked for.

    seconds: of a step.
    """
    log.warn(run_warnings(log.records, state.config.gan), console)
    write_samples(val, state.predict, state.config.run / f"samples-{state.step:06d}.png")
    log.report(state.schedule.steps(state.step), seconds)


def diverged(config: Train, what: str) -> NurieError:
    """Where training breaks off. A run resumes with its own options only, so that another one has to go on."""
    begin = f" --init {config.run}" if (config.run / checkpoint.FILE).exists() else ""
    return NurieError(
        f"{what} Nothing was written over what was saved before. Go on in another run folder, in smaller steps: "
        f"nurie train {config.pairs} {config.run}-2{begin} --lr {config.lr / 4:g}, or also with --precision fp32."
    )
