"""What visitors download of the page itself: small, and the same program."""

import gzip
import subprocess
from pathlib import Path

import pytest

from nurie.config import Publish
from nurie.publish import publish
from nurie.serve import BUILT_IN
from nurie.site.assets import EARLY, IMPORTED_OPS, PAGE, imported, sources
from nurie.site.minify import minified

SCRIPTS = {name: data for name, data in sources().items() if name.endswith(".js")} | {
    EARLY: (PAGE / EARLY).read_bytes()
}


def zipped(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(Publish(BUILT_IN, tmp_path_factory.mktemp("site")))


@pytest.mark.parametrize("script", SCRIPTS)
def test_minified_scripts_are_scripts(node: str, script: str) -> None:
    small = minified(script, SCRIPTS[script])
    done = subprocess.run([node, "--input-type=module", "--check"], input=small, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert b"/**" not in small


def test_strings_and_patterns_stay_as_they_are() -> None:
    source = (
        'const a = "// no comment /* either */"; // one\nconst b = /[/*"]\\/\\/ /.test(`${a} // ${b}`); /* two */\n'
    )
    text = minified("a.js", source.encode()).decode()
    assert '"// no comment /* either */"' in text and '/[/*"]\\/\\/ /' in text and "`${a} // ${b}`" in text
    assert "one" not in text and "two" not in text
    styles = b"a { width: calc(1px + 2 * 3px); } /* one */ b :hover { content: '/* x */'; }\n"
    assert minified("a.css", styles).decode() == "a{width:calc(1px + 2 * 3px)}b :hover{content:'/* x */'}"


def test_the_page_is_small(site: Path) -> None:
    """Zipped: less than 24.6 kB until the first picture, 52.5 for every visit, 65 in all; engine and model apart."""
    early = {"index.html", "first.js", "style.css", *imported("first.js")}
    assert sum(map(zipped, published(site, early))) < 24_600
    workers = {"engine/worker.js", "engine/helper.js"}
    assert sum(map(zipped, published(site, {*early, "main.js", *imported("main.js"), *workers}))) < 52_500
    files = [path for path in site.rglob("*") if path.suffix in (".html", ".js", ".css")]
    assert len(files) > 10
    assert sum(map(zipped, files)) < 65_000


def test_kernels_of_imported_nets_are_only_where_a_model_has_them(site: Path) -> None:
    [kernels] = site.rglob("backend.*.js")
    assert "inverseSqrt" not in kernels.read_text()
    for op in IMPORTED_OPS:
        text = sources({"conv", op})["engine/backend.js"].decode()
        assert "inverseSqrt" in text and "vec4i(best)" in text, op


def published(site: Path, names: set[str]) -> list[Path]:
    """The page's files of these names."""
    files = [site / "index.html"]
    for name in names - {"index.html"}:
        stem, suffix = Path(name).with_suffix(""), Path(name).suffix
        files += (site / "assets").glob(f"{stem}.????????????{suffix}")
    assert len(files) == len(names) > 3
    return files
