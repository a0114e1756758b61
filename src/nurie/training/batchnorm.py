"""BatchNorm's means and variances, measured anew for averaged weights, whose own averages of them fit only nearly.

After Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization", section 3.2.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from copy import deepcopy
from dataclasses import replace
from itertools import islice

import torch
from torch import Tensor, nn

from nurie.batches.sampler import Sampler, prefetch
from nurie.training.state import State

TIMED = 4  # batches, of which all but the first are timed


def measure(state: State, sampler: Sampler) -> None:
    """Give the averaged generator statistics of as many batches as `batchnorm` says: those of the run's first steps, at
    the size of its last ones, varied as in training. The same for any number of processes."""
    measure_net(state.ema, inputs(state, sampler, state.config.batchnorm), state.config.seed)
    state.measured = state.config.batchnorm


def inputs(state: State, sampler: Sampler, count: int) -> Iterator[tuple[Tensor, ...]]:
    """What the generator takes of so many batches."""
    options = replace(sampler.options, consistency=0.0)  # without what only that loss needs
    device = state.accelerator.device
    with closing(prefetch(replace(sampler, options=options, process=0, processes=1), 0)) as batches:
        for batch in islice(batches, count):
            drawings, styles = batch.shown()
            yield drawings.to(device), *state.told(styles.to(device))


@torch.no_grad()
def measure_net(net: nn.Module, of: Iterable[tuple[Tensor, ...]], seed: int) -> None:
    """Each BatchNorm's statistics become the mean of those of all batches, as `torch.optim.swa_utils.update_bn` makes
    them; but without dropout, which would make variances larger than they are when it is off (Li et al. 2019).

    of: what the net takes of each batch. seed: of the noise that it takes in training.
    """
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a mean of all, not a moving one
    for module in net.modules():
        module.training = not isinstance(module, nn.Dropout)
    torch.manual_seed(seed)
    for given in of:
        net(*given)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    net.eval()


def seconds(state: State, sampler: Sampler) -> float:
    """About how long `measure` takes on this machine."""
    net, of = deepcopy(state.ema), inputs(state, sampler, TIMED)
    measure_net(net, islice(of, 1), 0)
    began = time.perf_counter()
    measure_net(net, of, 0)
    return (time.perf_counter() - began) / (TIMED - 1) * state.config.batchnorm
