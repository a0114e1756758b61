"""The page's index.html, told of the site's models and of the files' new names."""

import html
import json
import re
from base64 import b64encode
from hashlib import sha256

from nurie.errors import NurieError
from nurie.site import assets
from nurie.site.assets import imported, named
from nurie.site.minify import minified, minified_page
from nurie.site.models import SiteModel
from nurie.site.references import REFERENCE, resolved
from nurie.site.sitefile import INDEX

MANIFEST_META = '<meta name="nurie-model" content="./model/manifest.json">'
FIRST, MAIN = "first.js", "main.js"  # the script that begins the page, and the one that goes on
EARLY_SCRIPT = f'<script src="./{assets.EARLY}"></script>'
DESCRIPTION = re.compile(r'<meta name="description" content="([^"]*)"')
# Pictures in the style sheet are data. Workers are made from blobs where the page's frame is of its own origin.
POLICY = {
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    "worker-src": "'self' blob:",
    "connect-src": "'self'",
    "img-src": "'self' data:",
    "style-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "nurie",
}
HEADING = '<h1 id="title"></h1>'  # empty: the page shows the model's title


def index_page(names: dict[str, str], models: list[SiteModel], title: str, extra: dict[str, str]) -> str:
    """index.html with the files' new names, the models (the first is the default) and the title; empty: the model's.

    `extra` are the paths of the app's "manifest" and, where there is one, of the "image" that links to the page show.
    """
    text = with_early(read_index())
    named(INDEX, text, names)
    shown = title or plain(models[0].title)
    description = DESCRIPTION.search(text)
    parts = [
        *map(meta, models), *preload(names), f'<link rel="manifest" href="./{extra["manifest"]}">',
        *open_graph(shown, html.unescape(description[1]) if description else "", extra.get("image")),
    ]  # fmt: skip
    text = text.replace(MANIFEST_META, "\n".join(parts))
    text = text.replace(HEADING, HEADING.replace("><", f">{html.escape(title)}<"))
    head = f"{policy(text)}\n<title>{html.escape(shown)}</title>"
    text = re.sub(r"<title>.*?</title>", lambda _: head, text, count=1, flags=re.DOTALL)

    def new(match: re.Match[str]) -> str:
        name = resolved(INDEX, match[0])
        return f"./assets/{names[name]}" if name in names else match[0]

    return REFERENCE.sub(new, minified_page(text))


def with_early(text: str) -> str:
    """index.html with the script that no cache may keep."""
    if EARLY_SCRIPT not in text:
        return text
    script = minified(assets.EARLY, (assets.PAGE / assets.EARLY).read_bytes()).decode()
    return text.replace(EARLY_SCRIPT, f"<script>{script}</script>")


def policy(text: str) -> str:
    """HTML that lets the page load nothing but the site's own files, and run no scripts but these."""
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashes = [f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts]
    rules = {**POLICY, "script-src": " ".join([POLICY["script-src"], *hashes])}
    content = "; ".join(f"{name} {value}" for name, value in rules.items())
    return f'<meta http-equiv="Content-Security-Policy" content="{content}">'


def open_graph(title: str, description: str, image: str | None) -> list[str]:
    """HTML for what shows a link to the page. Nobody knows the site's address here, so the image's is relative."""
    properties = {"type": "website", "title": title, "description": description}
    metas = [f'<meta property="og:{name}" content="{html.escape(value)}">' for name, value in properties.items()]
    if image:
        metas += [
            f'<meta property="og:image" content="./{image}">',
            '<meta name="twitter:card" content="summary_large_image">',
        ]
    return metas


def app_manifest(names: dict[str, str], title: str) -> bytes:
    """The web app manifest, which lies in assets/: for those who put the page on their home screen."""
    icons = {"icons/icon-192.png": "192x192", "icons/icon-512.png": "512x512", "icons/icon.svg": "any"}
    app = {
        "name": title, "short_name": title, "start_url": "../", "scope": "../", "display": "standalone",
        "background_color": "#efe6d6", "theme_color": "#efe6d6",
        "icons": [{"src": f"./{names[icon]}", "sizes": sizes} for icon, sizes in icons.items() if icon in names],
    }  # fmt: skip
    return json.dumps(app, ensure_ascii=False).encode()


def read_index() -> str:
    path = assets.PAGE / INDEX
    if not path.is_file():
        raise NurieError(f"The page is missing from {assets.PAGE}. Install Nurie again.")
    text = path.read_text(encoding="utf-8")
    if MANIFEST_META not in text:
        raise NurieError(f"The page's {INDEX} has no {MANIFEST_META}. Install Nurie again.")
    return text


def meta(model: SiteModel) -> str:
    """HTML that tells the page of a model: what it is called, what is downloaded for it, and what it has."""
    title, layout = (html.escape(json.dumps(value, ensure_ascii=False)) for value in (model.title, model.layout))
    size = sum(len(model.files[name]) for name in (model.manifest, model.weights))
    data = f'data-name="{html.escape(model.name)}" data-title="{title}"'
    fetched = f'data-weights="./model/{model.weights}" data-bytes="{size}" data-layout="{layout}"'
    return f'<meta name="nurie-model" content="./model/{model.manifest}" {data} {fetched}>'


def plain(title: str | dict[str, str]) -> str:
    """A title in English, or in the first language that it has."""
    return title if isinstance(title, str) else title.get("en") or next(iter(title.values()))


def preload(names: dict[str, str]) -> list[str]:
    """HTML that tells the browser at once which scripts the page would ask for, one by one, only later; what the first
    picture does not need, after all that it needs. The model is early.js's: its name is in the page's address."""
    first = imported(FIRST)
    later = [name for name in (MAIN, *imported(MAIN)) if name not in (FIRST, *first)]
    link = '<link rel="modulepreload"{} href="./assets/{}">'.format
    return [link("", names[name]) for name in first] + [link(' fetchpriority="low"', names[name]) for name in later]
