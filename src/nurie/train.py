"""Train a pix2pix generator (Isola et al. 2017). Run the same command again to resume exactly."""

import time
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs

from nurie.batches.sampler import Batch, Sampler, prefetch
from nurie.config import Train
from nurie.errors import NurieError
from nurie.nets import checkpoint
from nurie.nets.styles import common_styles, style_of
from nurie.nets.tensors import to_tensor
from nurie.pairs.classes import members_of_classes
from nurie.pairs.folder import PairFolder, open_pairs
from nurie.pairs.inspect import data_warnings
from nurie.training.log import Log, progress_bar
from nurie.training.options import check, choose_precision, generator_options
from nurie.training.trainer import Trainer
from nurie.training.validate import val_tensors, write_samples
from nurie.training.watch import run_warnings

VAL_PICTURES = 64  # val pairs of the scores
LOOKED_AT = 64  # train pairs looked at before training, for warnings


def train(config: Train) -> Path:
    """Train until `config.steps`, resuming from the run folder's checkpoint. Returns the checkpoint's path."""
    check(config)
    if config.threads:
        torch.set_num_threads(config.threads)
    train_pairs = open_pairs(config.pairs, "train", config.size, config.direction)
    classes = members_of_classes(config.classes, train_pairs.names) if config.classes else ()
    val_folder = PairFolder(config.pairs / "val", config.size, config.direction)
    val = val_tensors(val_folder if len(val_folder) else train_pairs, VAL_PICTURES)
    # two forward passes of the discriminator per update: buffers must not be overwritten in between
    parallel = DistributedDataParallelKwargs(broadcast_buffers=False)
    accelerator = Accelerator(mixed_precision=choose_precision(config), kwargs_handlers=[parallel])
    config.run.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(config, accelerator)
    path = config.run / checkpoint.FILE
    if path.exists():
        trainer.resume(path)
    else:
        if config.init:
            trainer.start_from(config.init, lambda: to_tensor([drawing for drawing, _ in some_pairs(train_pairs)]))
        if generator_options(config)["styles"]:
            trainer.offer(common_styles(styles_of(train_pairs)))
    sampler = Sampler(train_pairs, config, classes, accelerator.process_index, accelerator.num_processes)
    run_steps(trainer, sampler, val, path)
    return path


def some_pairs(pairs: PairFolder) -> list[tuple[np.ndarray, np.ndarray]]:
    return [pairs.read(path) for path in pairs.spread(LOOKED_AT)]


def styles_of(pairs: PairFolder) -> np.ndarray:
    """Of every picture, (n, 3)."""
    return np.concatenate([style_of(to_tensor([pairs.read(group[0])[1]])) for group in pairs.groups])


def run_steps(trainer: Trainer, sampler: Sampler, val: Batch, path: Path) -> None:
    config, main = trainer.config, trainer.accelerator.is_main_process
    log = Log(config.run, trainer.step) if main else None
    with progress_bar(main) as progress:
        task = progress.add_task("", total=config.steps, completed=trainer.step, status="")
        if log:
            log.warn(data_warnings(some_pairs(sampler.pairs), config.direction), progress.console)
        since, counted = time.perf_counter(), trainer.step
        for batch in prefetch(sampler, trainer.step, config.steps):
            losses = trainer.train_step(batch)
            if not np.isfinite(list(losses.values())).all():
                raise NurieError(
                    f"The loss is no longer a number at step {trainer.step}. The checkpoint before it is kept; "
                    "train again with a smaller --lr or --precision fp32."
                )
            rate = (trainer.step - counted) * config.batch / (time.perf_counter() - since)
            progress.update(task, completed=trainer.step, status=f"l1 {losses['l1']:.3f}  {rate:.1f} pictures/s")
            record = {"step": trainer.step, **losses}
            due = trainer.step % config.save_every == 0 or trainer.step == config.steps
            if due and main:
                record |= trainer.validate(val)
            if log:
                log.add(record)
            if due and main and log:
                trainer.keep_best(config.run / checkpoint.BEST, record["val_score"])
                trainer.save(path)
                write_samples(val, trainer.predict, config.run / f"samples-{trainer.step:06d}.png")
                log.plot()
                log.warn(run_warnings(log.records, config.gan), progress.console)
                since, counted = time.perf_counter(), trainer.step
