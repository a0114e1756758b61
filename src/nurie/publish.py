"""model/ -> site/: the page, the engine and one or more models as static files, named with a hash of their content.

A browser may keep every file but index.html for ever: changed content has a new name. All references are relative,
so the site works under any path of any host.
"""

import html
import json
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nurie.config import Publish
from nurie.engine.modelfile import member, read_manifest
from nurie.errors import NurieError
from nurie.site import assets
from nurie.site.assets import REFERENCE, hashed, imported, named, resolved, write_assets

MARKER = "site.json"  # says that the folder is a site, which publish may replace
# Read by Netlify, Cloudflare Pages and others. A page in a process of its own may share memory between threads.
HEADERS = """/*
  Cross-Origin-Opener-Policy: same-origin
  Cross-Origin-Embedder-Policy: require-corp
"""
MANIFEST_META = '<meta name="nurie-model" content="./model/manifest.json">'
FIRST, MAIN = "first.js", "main.js"  # the script that begins the page, and the one that goes on
HEADING = '<h1 id="title"></h1>'  # empty: the page shows the model's title


@dataclass(frozen=True)
class SiteModel:
    """A model in the site's folder model/."""

    name: str  # of its folder; the page's address says it: ?model=NAME
    title: str | dict[str, str]  # a text, or one for each language
    manifest: str  # file name
    weights: str  # file name

    @property
    def meta(self) -> str:
        """HTML that tells the page of the model."""
        title = json.dumps(self.title, ensure_ascii=False)
        data = f'data-name="{html.escape(self.name)}" data-title="{html.escape(title)}"'
        return f'<meta name="nurie-model" content="./model/{self.manifest}" {data}>'


def publish(config: Publish) -> Path:
    """Write the site, say how large it is, and return its folder. Raises NurieError."""
    site = write_site(config)
    total = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    print(f"{config.site}: {total / 1e6:.2f} MB for any web host; to look at it: nurie serve {config.site}", flush=True)
    return config.site


def write_site(config: Publish) -> Path:
    """Write the site and return its folder. Raises NurieError; the old site then stays as it was."""
    site = config.site.resolve()  # a link to a folder stays a link
    refuse_foreign(site)
    folders = by_name([config.model, *config.more])
    manifests = {name: read_manifest(folder) for name, folder in folders.items()}
    index = assets.PAGE / "index.html"
    if not index.is_file():
        raise NurieError(f"The page is missing from {assets.PAGE}. Install Nurie again.")
    site.parent.mkdir(parents=True, exist_ok=True)
    # Beside the site, so that the swap is a rename within one file system.
    temporary = Path(tempfile.mkdtemp(prefix=f".{site.name}-", dir=site.parent))
    try:
        temporary.chmod(0o755)
        names = write_assets(assets.PAGE, temporary / "assets")
        models = [write_model(name, folders[name], manifests[name], temporary / "model") for name in folders]
        page = rewrite_index(index.read_text(encoding="utf-8"), names, models, config.title)
        (temporary / "index.html").write_text(page, encoding="utf-8")
        marker = {
            "format": "nurie-site", "version": 1, "title": config.title or plain(models[0].title),
            "models": [f"model/{model.manifest}" for model in models],
        }  # fmt: skip
        (temporary / MARKER).write_text(json.dumps(marker, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (temporary / "_headers").write_text(HEADERS, encoding="utf-8")
        swap(temporary, site)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return config.site


def refuse_foreign(site: Path) -> None:
    """Publish replaces folders that it made itself, and nothing else."""
    if site.exists() and not site.is_dir():
        raise NurieError(f"{site} is a file. Expected the name of a folder to write the site to.")
    if site.is_dir() and any(site.iterdir()) and not (site / MARKER).is_file():
        raise NurieError(
            f"{site} is not empty and was not made by `nurie publish` (it has no {MARKER}). "
            "Choose another folder, or empty this one."
        )


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


def write_model(name: str, model: Path, manifest: dict, folder: Path) -> SiteModel:
    """Copy the weights and preset pictures under hashed names, which leave room for other models in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {
        **manifest,
        "weights": {**manifest["weights"]},
        "presets": [dict(p) for p in manifest.get("presets", [])],
    }
    weights = manifest["weights"]
    weights["file"] = copy_hashed(model, weights["file"], folder)
    for preset in manifest["presets"]:
        if "image" in preset:
            preset["image"] = copy_hashed(model, preset["image"], folder)
    data = json.dumps(manifest, ensure_ascii=False, separators=(",", ":")).encode()
    manifest_name = hashed("manifest.json", data)
    (folder / manifest_name).write_bytes(data)
    return SiteModel(name, manifest.get("title") or "Nurie", manifest_name, weights["file"])


def plain(title: str | dict[str, str]) -> str:
    """A title in English, or in the first language that it has."""
    return title if isinstance(title, str) else title.get("en") or next(iter(title.values()))


def copy_hashed(model: Path, name: str, folder: Path) -> str:
    data = member(model, name).read_bytes()
    new = hashed(name, data)
    (folder / new).write_bytes(data)
    return new


def rewrite_index(text: str, names: dict[str, str], models: list[SiteModel], title: str) -> str:
    """index.html with the files' new names, the models (the first is the default) and the title; empty: the model's."""
    if MANIFEST_META not in text:
        raise NurieError(f"The page's index.html has no {MANIFEST_META}. Install Nurie again.")
    named("index.html", text, names)
    scripts = dict.fromkeys([*imported(FIRST), MAIN, *imported(MAIN)])
    hints = preload([names[name] for name in scripts], [models[0].manifest, models[0].weights])
    text = text.replace(MANIFEST_META, "\n".join([*(model.meta for model in models), *hints]))
    text = text.replace(HEADING, HEADING.replace("><", f">{html.escape(title)}<"))
    head = f"<title>{html.escape(title or plain(models[0].title))}</title>"
    text = re.sub(r"<title>.*?</title>", lambda _: head, text, count=1, flags=re.DOTALL)

    def new(match: re.Match[str]) -> str:
        name = resolved("index.html", match[0])
        return f"./assets/{names[name]}" if name in names else match[0]

    return REFERENCE.sub(new, text)


def preload(scripts: Iterable[str], model: Iterable[str]) -> list[str]:
    """HTML that tells the browser at once what the page would ask for, script by script, only later."""
    links = [f'<link rel="modulepreload" href="./assets/{name}">' for name in scripts]
    return links + [f'<link rel="preload" as="fetch" crossorigin href="./model/{name}">' for name in model]


def swap(new: Path, site: Path) -> None:
    """Put the new folder in the old one's place; the old one comes back when that fails."""
    if not site.exists():
        new.rename(site)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{site.name}-old-", dir=new.parent)) / site.name
    try:
        site.rename(old)
        try:
            new.rename(site)
        except OSError:
            old.rename(site)
            raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)
