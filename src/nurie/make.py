"""photos -> pairs -> run -> model -> site, in one command."""

from pathlib import Path

from rich.console import Console

from nurie.config import Export, Make, Prepare, Publish, Train, check_values
from nurie.errors import NurieError
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
    from nurie.train import train
    from nurie.training.options import check

    options = Train(pairs, run, size=config.size, steps=config.steps, batch=config.batch)
    refuse_mixed(site, work, (pairs, run, model))
    refuse_other(site)  # now, not after hours of training
    check(options)
    heading(1, "prepare", f"{config.photos} -> {pairs}")
    prepare(Prepare(config.photos, pairs, masks=config.masks, size=config.size, fit=config.fit))

    if finished(options):
        heading(2, "train", f"{run} is finished already: {config.steps} steps")
    else:
        heading(2, "train", f"{pairs} -> {run}")
        train(options)

    heading(3, "export", f"{run} -> {model}")
    title = config.title or title_from(site, config.photos)
    export(Export(run, model, title=title, credits=config.credits, pairs=pairs))

    heading(4, "publish", f"{model} -> {config.site}")
    return publish(Publish(model, config.site, title=title))


def refuse_mixed(site: Path, work: Path, results: tuple[Path, ...]) -> None:
    """Raises NurieError where publishing would find the other stages' results in the site's folder."""
    site, work = site.resolve(), work.resolve()
    if work.is_relative_to(site) or site in [result.resolve() for result in results]:
        raise NurieError(
            f"--work {work} and the site {site} are in each other's way. Choose another folder for --work."
        )


def heading(number: int, stage: str, text: str) -> None:
    console = Console(highlight=False)
    console.print(f"\n[bold]{number}/{STAGES} {stage}[/bold]  ", end="")
    console.print(text, markup=False, soft_wrap=True)


def finished(options: Train) -> bool:
    """Whether the run has all its steps. Raises NurieError when it began with other options."""
    from nurie.nets import checkpoint
    from nurie.training.options import refuse_other_options

    path = options.run / checkpoint.FILE
    if not path.is_file():
        return False
    _, meta = checkpoint.load(path, ("none",))  # the metadata alone
    refuse_other_options(options, meta["train"])
    return meta["step"] >= options.steps
