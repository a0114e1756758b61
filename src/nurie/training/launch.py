"""Processes that train together: what their launcher announced, and what there really is."""

import importlib.util
import os
import warnings
from collections.abc import Callable, Mapping

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs

from nurie.config import Train
from nurie.errors import NurieError
from nurie.training.options import choose_precision

# Set by torchrun, and by `accelerate launch` for several GPUs; then by Intel MPI, Open MPI and MVAPICH.
SIZES = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
RANKS = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")
WAY = "For several processes: torchrun --nproc-per-node 2 -m nurie train PAIRS RUN."


def open_accelerator(config: Train) -> Accelerator:
    """What training runs on. Raises NurieError where it would not be all processes that were asked for, together."""
    for name in config.track:
        if not importlib.util.find_spec(name):
            raise NurieError(f'--track {name} needs {name}, which is not installed: pip install "nurie[track]"')
    processes = announced(os.environ)
    # on CPUs Accelerate joins processes only where it is told to take these
    cpu = processes > 1 and not (torch.cuda.is_available() or torch.xpu.is_available())
    # two forward passes of the discriminator per update: buffers must not be overwritten in between
    parallel = DistributedDataParallelKwargs(broadcast_buffers=False)
    warnings.filterwarnings("ignore", "`broadcast_buffers` is deprecated", FutureWarning)  # what replaces it is too new
    try:
        accelerator = Accelerator(
            cpu=cpu, mixed_precision=choose_precision(config), kwargs_handlers=[parallel],
            log_with=list(config.track) or None, project_dir=str(config.run),
        )  # fmt: skip
    except (ValueError, RuntimeError) as error:
        raise NurieError(f"The {processes} processes can not be joined ({first_line(error)}). {WAY}") from error
    if accelerator.num_processes != processes:
        raise NurieError(
            f"{processes} processes were started, but {accelerator.num_processes} would train: on {accelerator.device} "
            f"they can not be joined. {WAY}"
        )
    return accelerator


def announced(environment: Mapping[str, str]) -> int:
    """How many processes a launcher says that there are; 1 without one. Raises NurieError where it can not be so."""
    size = next((name for name in SIZES if name in environment), None)
    if size is None:
        # all that `accelerate launch --num_processes 2` leaves behind where it finds fewer than two GPUs
        if {"ACCELERATE_MIXED_PRECISION", "MASTER_ADDR"} <= environment.keys():
            raise NurieError(
                f"`accelerate launch` was asked for several processes and started only one: it finds no GPUs. {WAY}"
            )
        return 1
    count = number(environment, size, lambda value: value >= 1, "the number of processes")
    rank = RANKS[SIZES.index(size)]
    if count > 1:
        number(environment, rank, lambda value: 0 <= value < count, f"a process's number, 0 to {count - 1}")
    return count


def number(environment: Mapping[str, str], name: str, allowed: Callable[[int], bool], meaning: str) -> int:
    text = environment.get(name)
    try:
        value = int(text or "")
    except ValueError:
        value = None
    if value is None or not allowed(value):
        came = "it is not set" if text is None else f"it is {text!r}"
        raise NurieError(f"The environment variable {name} must be {meaning}, but {came}. Unset them all, or: {WAY}")
    return value


def agreed(accelerator: Accelerator, asked: bool) -> bool:
    """Whether any process is to stop: all stop after the same step."""
    if accelerator.num_processes == 1:
        return asked
    flag = torch.tensor(int(asked), device=accelerator.device)
    total = accelerator.reduce(flag, "sum")
    assert isinstance(total, torch.Tensor)
    return bool(total.item())


def first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
