"""model/ -> site/: the page, the engine and one or more models as static files, named with a hash of their content.

A browser may keep every file but index.html for ever: changed content has a new name. All references are relative,
so the site works under any path of any host.
"""

from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from nurie.config import Publish
from nurie.engine.modelfile import read_manifest
from nurie.errors import NurieError
from nurie.files.hashed import hashed
from nurie.files.install import install, refuse_foreign
from nurie.files.lock import locked
from nurie.files.ours import SITE
from nurie.files.schema import to_json
from nurie.limits import check_values
from nurie.painting.preview import preview
from nurie.pairs.kinds import MODEL, refuse_other_kind
from nurie.site.assets import hashed_assets
from nurie.site.headers import HEADERS_FILE, headers_text
from nurie.site.index import app_manifest, index_page, plain
from nurie.site.models import site_model
from nurie.site.sitefile import INDEX, Site, current, left_by, standing


def publish(config: Publish) -> Path:
    """Write the site, say how large it is, and return its folder. Raises NurieError."""
    site = write_site(config, preview(config.model))
    total = sum((site / name).stat().st_size for name in current(site))
    print(f"{config.site}: {total / 1e6:.2f} MB for any web host; to look at it: nurie serve {config.site}", flush=True)
    return config.site


def write_site(config: Publish, picture: bytes | None = None) -> Path:
    """Write the site and return its folder; `picture` is what links to it show. Raises NurieError; the old site then
    stays as it was."""
    check_values(config)
    for folder in (config.model, *config.more):
        refuse_other_kind(folder, [MODEL], "publish", config.site)
    refuse_other(config.site)
    with locked(config.site):
        folders = by_name([config.model, *config.more])
        for folder in folders.values():
            read_manifest(folder)
        files, site = site_files(folders, config.title, picture)
        former = left_by(config.site, files)
        files[SITE] = to_json(replace(site, former=former), indent=1)
        install(files, config.site, standing(config.site), former)
    return config.site


def refuse_other(site: Path) -> set[str]:
    """Publish replaces what it made itself, and nothing else: the files of a site that stands. Raises NurieError."""
    refuse_foreign(site, SITE, "was not made by `nurie publish`")
    return standing(site)


def site_files(folders: dict[str, Path], title: str, picture: bytes | None) -> tuple[dict[str, bytes], Site]:
    """All of a site but its list: files by their paths, with these models by name. An empty title means the first
    model's."""
    models = [site_model(name, folder) for name, folder in folders.items()]
    names, scripts = hashed_assets(frozenset().union(*(model.ops for model in models)))
    files = {
        **{f"assets/{name}": data for name, data in scripts.items()},
        **{f"model/{name}": data for model in models for name, data in model.files.items()},
        HEADERS_FILE: headers_text().encode(),
    }
    app = app_manifest(names, title or plain(models[0].title))
    extra = {"manifest": (f"assets/{hashed('app.webmanifest', app)}", app)}
    if picture:
        extra["image"] = (f"model/{hashed('preview.jpg', picture)}", picture)
    files |= dict(extra.values())
    files[INDEX] = index_page(names, models, title, {use: name for use, (name, _) in extra.items()}).encode()
    return files, Site(
        title=title or plain(models[0].title), models=[f"model/{model.manifest}" for model in models],
        files=sorted([*files, SITE]),
    )  # fmt: skip


def by_name(folders: Iterable[Path]) -> dict[str, Path]:
    """Model folders by their names, which the page's address uses. Raises NurieError when two have the same."""
    names: dict[str, Path] = {}
    for folder in folders:
        name = folder.resolve().name
        if name in names:
            raise NurieError(
                f"{names[name]} and {folder} are both named {name!r}, but the page's address tells a site's models "
                f"apart by their folders' names (?model={name}). Rename one of them."
            )
        names[name] = folder
    return names
