"""photos -> pairs -> run -> model -> site, in one command."""

import os
import re
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from nurie.config import Export, Make, Prepare, Publish, Train, check_values
from nurie.errors import NurieError
from nurie.files.lock import locked
from nurie.files.ours import CHECKPOINT
from nurie.files.titles import title_from

STAGES = 4


def make(config: Make) -> Path:
    """Run the whole chain and return the site's folder. Every stage resumes, so this resumes too."""
    check_values(config)
    site = config.site.absolute()
    work = config.work or config.site.parent / f"{site.name}-work"
    pairs, run, model = work / "pairs", work / "run", work / "model"

    # Imported here: only this command needs all of them.
    from nurie.export import export
    from nurie.prepare import prepare
    from nurie.publish import publish, refuse_other
    from nurie.training.launch import announced
    from nurie.training.options import check

    options = Train(pairs, run, size=config.size, steps=config.steps, batch=config.batch)
    if announced(os.environ) > 1:
        raise NurieError("`nurie make` is for one process. For several: nurie prepare, then torchrun -m nurie train.")
    refuse_mixed(site, work, (pairs, run, model))
    refuse_other(site)  # now, not after hours of training
    check(options)
    with locked(work, site):
        heading(1, "prepare", f"{config.photos} -> {pairs}")
        prepare(Prepare(config.photos, pairs, masks=config.masks, size=config.size, fit=config.fit))

        run = learn(options)

        heading(3, "export", f"{run} -> {model}")
        title = config.title or title_from(site, config.photos)
        export(Export(run, model, title=title, credits=config.credits, pairs=pairs))

        heading(4, "publish", f"{model} -> {config.site}")
        return publish(Publish(model, config.site, title=title))


def refuse_mixed(site: Path, work: Path, results: tuple[Path, ...]) -> None:
    """Raises NurieError where publishing would find the other stages' results in the site's folder."""
    site, work = site.resolve(), work.resolve()
    plain = site.with_name(re.sub(r"\.\d+$", "", site.name))  # runs are numbered
    if work.is_relative_to(site) or plain in [result.resolve() for result in results]:
        raise NurieError(
            f"--work {work} and the site {site} are in each other's way. Choose another folder for --work."
        )


def heading(number: int, stage: str, text: str) -> None:
    console = Console(highlight=False)
    console.print(f"\n[bold]{number}/{STAGES} {stage}[/bold]  ", end="")
    console.print(text, markup=False, soft_wrap=True)


def learn(options: Train) -> Path:
    """Train until a run has all its steps and has learnt from the pictures as they are now. Returns its folder.

    A run that is not past the middle goes on with pictures that came, went or changed. A later one stays as it is, and
    another one begins with its weights, in the next of the folders run, run.2, run.3, ...; until it has its first
    checkpoint it counts as not begun. Raises NurieError when the run began with other options.
    """
    from nurie.nets import checkpoint
    from nurie.train import open_dataset, train
    from nurie.training.options import refuse_other_options

    pairs, first, number = options.pairs, options.run, last_number(options.run)
    if number == 0:
        heading(2, "train", f"{pairs} -> {first}")
        train(options)
        return first
    options = replace(options, run=numbered(first, number))
    meta = checkpoint.load_run(options.run / checkpoint.FILE)[1]
    refuse_other_options(options, meta["train"])
    changes = open_dataset(options, told=False)[2].changes(meta)
    if changes and meta["step"] > options.steps // 2:
        last, options = options.run, replace(options, run=numbered(first, number + 1), init=options.run)
        heading(2, "train", f"{pairs} -> {options.run}")
        say(
            f"The pictures are no longer those that {last} learnt from: {changes}. {last} stays as it is, and "
            f"{options.run} begins with its weights: {options.steps:,} steps, or fewer with --steps. The site stays "
            "as it is until they are done."
        )
        train(options)
        return options.run
    if meta["step"] < options.steps:
        heading(2, "train", f"{pairs} -> {options.run}")
        train(options)
    else:
        heading(2, "train", f"{options.run} is finished already: {meta['step']:,} steps, with these pictures")
        if "pairs" not in meta:
            say(f"But an older Nurie trained it, and did not note which. Without {options.run}, training begins anew.")
    return options.run


def numbered(first: Path, number: int) -> Path:
    return first if number == 1 else first.with_name(f"{first.name}.{number}")


def last_number(first: Path) -> int:
    """Of the runs that have a checkpoint; 0 where there is none."""
    found = (re.fullmatch(rf"{re.escape(first.name)}(?:\.(\d+))?", path.name) for path in first.parent.glob("*"))
    numbers = [int(match[1] or 1) for match in found if match]
    return max((number for number in numbers if (numbered(first, number) / CHECKPOINT).is_file()), default=0)


def say(text: str) -> None:
    Console(highlight=False).print(text, markup=False, soft_wrap=True)
