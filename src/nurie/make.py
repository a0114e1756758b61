"""photos -> pairs -> run -> model -> site, in one command; or an old checkpoint -> run -> model -> site."""

import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shlex import quote

from rich.console import Console

from nurie.config import Export, Import, Make, Prepare, Publish, Train
from nurie.errors import NurieError
from nurie.files.lock import locked
from nurie.files.ours import CHECKPOINT
from nurie.files.titles import title_from
from nurie.limits import check_values
from nurie.serve import BUILT_IN

STAGES = 4
LOOKED_AT = 32  # drawings, to see whether they are line art
EARLY_SAMPLES = 2  # drawings that an early model is compared on


def make(config: Make) -> Path:
    """Run the whole chain and return the site's folder. Every stage resumes, so this resumes too."""
    check_values(config)
    site = config.site.absolute()
    work = config.work or config.site.parent / f"{site.name}-work"
    pairs, run, model = work / "pairs", work / "run", work / "model"
    if config.photos.is_file() or is_checkpoint(config.photos):
        if config.drawings or config.colours:
            raise NurieError(f"{config.photos} is a checkpoint and stays as it is: leave out --drawings and --colours.")
        return from_checkpoint(config, work)

    # Imported here: only this command needs all of them.
    from nurie.drawings.collection import open_collection
    from nurie.export import export
    from nurie.pairs.kinds import PAIRS, holds_pairs, kind_of
    from nurie.prepare import prepare
    from nurie.publish import publish, refuse_other
    from nurie.training.launch import announced
    from nurie.training.options import check

    given = kind_of(config.photos) == PAIRS or holds_pairs(config.photos, config.size)
    options = first_options(config, config.photos if given else pairs, run)
    if announced(os.environ) > 1:
        raise NurieError("`nurie make` is for one process. For several: nurie prepare, then torchrun -m nurie train.")
    refuse_mixed(site, work, (pairs, run, model))
    # now, not after all the training
    refuse_other(site)
    check(options)
    refuse_unfit(config)
    if config.drawings:
        open_collection(config.drawings)
    title = config.title or title_from(site, config.photos)

    def present(trained: Path, samples: int) -> Path:
        exported = Export(trained, model, title, fill=config.fill, credits=config.credits, pairs=options.pairs)
        export(replace(exported, samples=samples))
        return publish(Publish(model, config.site, title=title))

    def early(trained: Path) -> None:
        present(trained, EARLY_SAMPLES)
        say(f"{config.site} has the model as it is now; to draw on it: nurie serve {quote(str(config.site))}")

    with locked(work, site):
        if given:
            heading(1, "prepare", f"{config.photos} has pairs already")
        else:
            heading(1, "prepare", f"{config.photos} -> {pairs}")
            mode = "folders" if config.inputs else "lines"
            prepare(Prepare(config.photos, pairs, mode, config.inputs, config.masks, config.size, config.fit))
        run = learn(options, config.init, early)
        heading(3, "export", f"{run} -> {model}")
        heading(4, "publish", f"{model} -> {config.site}")
        return present(run, Export.samples)


def is_checkpoint(path: Path) -> bool:
    """Whether an old checkpoint lies there: some are folders, or files that only begin with this name."""
    from nurie.importers.registry import CONTAINERS

    return any(container.sniff(path) for container in CONTAINERS)


def from_checkpoint(config: Make, work: Path) -> Path:
    """A page with the generator of an old checkpoint."""
    from nurie.export import export
    from nurie.importing import import_checkpoint
    from nurie.publish import publish, refuse_other

    run, model = work / "run", work / "model"
    refuse_mixed(config.site.absolute(), work, (run, model))
    refuse_other(config.site)
    title = config.title or title_from(config.site, config.photos)
    with locked(work, config.site):
        heading(1, "import", f"{config.photos} -> {run}", 3)
        direction, credits = config.direction, config.credits
        import_checkpoint(Import((config.photos, run), direction=direction, credits=credits))
        heading(2, "export", f"{run} -> {model}", 3)
        export(Export(run, model, title, fill=config.fill))
        heading(3, "publish", f"{model} -> {config.site}", 3)
        return publish(Publish(model, config.site, title=title))


def first_options(config: Make, pairs: Path, run: Path) -> Train:
    """Of a run from nothing, before anything is known of the pairs and the machine."""
    from nurie.training.options import with_colours
    from nurie.training.plan import CLASSES, FLAT

    options = Train(pairs, run, size=config.size, direction=config.direction, batch=config.batch)
    options = replace(options, drawings=config.drawings, colours=config.colours)
    way = {"steps": config.steps} if config.steps else {"minutes": config.minutes}
    return with_colours(replace(options, **way, **(CLASSES if config.colours else FLAT if config.fill else {})))


def refuse_unfit(config: Make) -> None:
    """Raises NurieError where there is nothing to begin with, or where that paints in other colours."""
    from nurie.engine.modelfile import is_model, read_manifest
    from nurie.nets.checkpoint import about
    from nurie.training.state import refuse_other_palette

    path = Path(config.init)
    if config.init in ("auto", "none"):
        return
    if not path.exists():
        raise NurieError(f"There is no {path} to begin with. --init takes a run, a model, auto or none.")
    palette = read_manifest(path).palette if is_model(path) else about(path).get("palette", [])
    refuse_other_palette(path, len(palette), config.colours)


def refuse_mixed(site: Path, work: Path, results: tuple[Path, ...]) -> None:
    """Raises NurieError where publishing would find the other stages' results in the site's folder."""
    site, work = site.resolve(), work.resolve()
    plain = site.with_name(re.sub(r"\.\d+$", "", site.name))  # runs are numbered
    if work.is_relative_to(site) or plain in [result.resolve() for result in results]:
        raise NurieError(
            f"--work {work} and the site {site} are in each other's way. Choose another folder for --work."
        )


def heading(number: int, stage: str, text: str, stages: int = STAGES) -> None:
    console = Console(highlight=False)
    console.print(f"\n[bold]{number}/{stages} {stage}[/bold]  ", end="")
    console.print(text, markup=False, soft_wrap=True)


def learn(options: Train, init: str, saved: Callable[[Path], None]) -> Path:
    """Train until a run is at its end and has learnt from the pictures as they are now. Returns its folder.

    A run that is not past the middle goes on with pictures that came, went or changed. A later one stays as it is, and
    another one begins with its weights, in the next of the folders run, run.2, run.3, ...; until it has its first
    checkpoint it counts as not begun. saved: called with the run after each save before the last. Raises NurieError
    when the run began with other options.
    """
    from nurie.nets import checkpoint
    from nurie.train import open_dataset, train
    from nurie.training.options import refuse_imported, saved_config
    from nurie.training.schedule import Schedule

    first, number = options.run, last_number(options.run)
    if number == 0:
        begin(options, beginning(options, init), saved)
        return first
    path = numbered(first, number)
    meta = checkpoint.load_run(path / checkpoint.FILE)[1]
    refuse_imported(meta, path)
    before = saved_config(meta["train"], path)
    refuse_other_run(options, before, path)
    schedule = Schedule(replace(before, steps=options.steps, minutes=options.minutes))
    schedule.earlier = meta.get("seconds", 0.0)
    dataset = open_dataset(replace(options, run=path), told=False)[2]
    others = ["other drawings without pictures"] if dataset.other_drawings(meta) else []
    changes = ", ".join(filter(None, [dataset.changes(meta), *others]))
    first_drawings = bool(others) and before.drawings is None  # from which no run that has begun can learn
    if changes and (first_drawings or schedule.progress(meta["step"]) > 0.5):
        say(
            f"The pictures are no longer those that {path} learnt from: {changes}. {path} stays as it is, and another "
            "run begins with its weights."
        )
        options = replace(options, run=numbered(first, number + 1))
        begin(options, path, saved)
        return options.run
    if schedule.done(meta["step"]):
        heading(2, "train", f"{path} is finished already: {meta['step']:,} steps, with these pictures")
        if "pairs" not in meta:
            say(f"But an older Nurie trained it, and did not note which. Without {path}, training begins anew.")
        return path
    heading(2, "train", f"{options.pairs} -> {path}")
    goes_on = replace(before, **{name: getattr(options, name) for name in ("pairs", "drawings", "steps", "minutes")})
    train(replace(goes_on, run=path), lambda: saved(path))
    return path


def begin(options: Train, init: Path | None, saved: Callable[[Path], None]) -> None:
    """Train a new run, in a way that fits the time and this machine."""
    from nurie.train import open_dataset, train
    from nurie.training.plan import planned, seconds_a_step

    heading(2, "train", f"{options.pairs} -> {options.run}")
    options = replace(options, init=init)
    steps = options.steps
    if options.minutes:
        pairs, _, dataset = open_dataset(options, told=False)
        steps = 60 * options.minutes / seconds_a_step(options, pairs, dataset)
    options = planned(options, steps)
    way = f"{options.minutes:g} minutes" if options.minutes else f"{options.steps:,} steps"
    sizes = ", then ".join(stage.partition(":")[0] for stage in options.stages) or str(options.size)
    say(
        f"Plan: {way} from {init or 'nothing'}, at {sizes} pixels, {options.batch} pictures a step, lr {options.lr:g}. "
        "The page is there after the first minutes, and better at each save."
    )
    train(options, lambda: saved(options.run))


def beginning(options: Train, init: str) -> Path | None:
    """Where a first run begins. Raises NurieError where there is nothing."""
    from nurie.pairs.folder import open_pairs
    from nurie.pairs.inspect import is_line_art

    if init == "none" or (init == "auto" and options.colours):  # those that are built in paint in any colour
        return None
    if init != "auto":
        return Path(init)
    pairs = open_pairs(options.pairs, "train", options.size, options.direction)
    drawings = [pairs.read(path)[0] for path in pairs.spread(LOOKED_AT)]
    line_art = 2 * sum(map(is_line_art, drawings)) > len(drawings)
    return BUILT_IN.with_name("openmoji" if options.gan == 0 else BUILT_IN.name) if line_art else None


def refuse_other_run(options: Train, before: Train, run: Path) -> None:
    """Raises NurieError where a run began otherwise than it is now asked for."""
    asked = ["size", "direction", "gan", "colours"]
    asked += [] if options.drawings else ["drawings"]  # others may come in their place, but none may not
    changed = [f"{name} was {getattr(before, name)}, now {getattr(options, name)}" for name in asked
               if getattr(before, name) != getattr(options, name)]  # fmt: skip
    if changed:
        raise NurieError(
            f"{run} holds a run with other options ({'; '.join(changed)}). Use the same ones, or another --work."
        )


def numbered(first: Path, number: int) -> Path:
    return first if number == 1 else first.with_name(f"{first.name}.{number}")


def last_number(first: Path) -> int:
    """Of the runs that have a checkpoint; 0 where there is none."""
    found = (re.fullmatch(rf"{re.escape(first.name)}(?:\.(\d+))?", path.name) for path in first.parent.glob("*"))
    numbers = [int(match[1] or 1) for match in found if match]
    return max((number for number in numbers if (numbered(first, number) / CHECKPOINT).is_file()), default=0)


def say(text: str) -> None:
    Console(highlight=False).print(text, markup=False, soft_wrap=True)
    sys.stdout.flush()  # into a file, too: it takes half an hour
