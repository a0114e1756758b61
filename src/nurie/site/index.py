"""The page's index.html, told of the site's models and of the files' new names."""

import html
import json
import re

from nurie.errors import NurieError
from nurie.site import assets
from nurie.site.assets import REFERENCE, imported, named, resolved
from nurie.site.models import SiteModel
from nurie.site.sitefile import INDEX

MANIFEST_META = '<meta name="nurie-model" content="./model/manifest.json">'
FIRST, MAIN = "first.js", "main.js"  # the script that begins the page, and the one that goes on
HEADING = '<h1 id="title"></h1>'  # empty: the page shows the model's title


def index_page(names: dict[str, str], models: list[SiteModel], title: str) -> str:
    """index.html with the files' new names, the models (the first is the default) and the title; empty: the model's."""
    text = read_index()
    named(INDEX, text, names)
    text = text.replace(MANIFEST_META, "\n".join([*map(meta, models), *preload(names, models[0])]))
    text = text.replace(HEADING, HEADING.replace("><", f">{html.escape(title)}<"))
    head = f"<title>{html.escape(title or plain(models[0].title))}</title>"
    text = re.sub(r"<title>.*?</title>", lambda _: head, text, count=1, flags=re.DOTALL)

    def new(match: re.Match[str]) -> str:
        name = resolved(INDEX, match[0])
        return f"./assets/{names[name]}" if name in names else match[0]

    return REFERENCE.sub(new, text)


def read_index() -> str:
    path = assets.PAGE / INDEX
    if not path.is_file():
        raise NurieError(f"The page is missing from {assets.PAGE}. Install Nurie again.")
    text = path.read_text(encoding="utf-8")
    if MANIFEST_META not in text:
        raise NurieError(f"The page's {INDEX} has no {MANIFEST_META}. Install Nurie again.")
    return text


def meta(model: SiteModel) -> str:
    """HTML that tells the page of a model."""
    title = html.escape(json.dumps(model.title, ensure_ascii=False))
    data = f'data-name="{html.escape(model.name)}" data-title="{title}"'
    return f'<meta name="nurie-model" content="./model/{model.manifest}" {data}>'


def plain(title: str | dict[str, str]) -> str:
    """A title in English, or in the first language that it has."""
    return title if isinstance(title, str) else title.get("en") or next(iter(title.values()))


def preload(names: dict[str, str], model: SiteModel) -> list[str]:
    """HTML that tells the browser at once what the page would ask for, script by script, only later. Scripts come
    first: the page does not wait for a model on a slow line."""
    scripts = dict.fromkeys([*imported(FIRST), MAIN, *imported(MAIN)])
    links = [f'<link rel="modulepreload" href="./assets/{names[name]}">' for name in scripts]
    fetched = (model.manifest, model.weights)
    return [*links, *(f'<link rel="preload" as="fetch" crossorigin href="./model/{name}">' for name in fetched)]
