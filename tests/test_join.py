"""The published page's scripts, joined: the same program in fewer files."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page

from nurie.site import join
from nurie.site.assets import EARLY, PAGE, imported, sources
from nurie.site.join import FILES, homes, joined

SOURCES = {
    path.relative_to(PAGE).as_posix(): path.read_text() for path in PAGE.rglob("*.js") if path != PAGE / EARLY
}  # fmt: skip


def test_every_script_of_the_page_is_in_one_of_the_files() -> None:
    assert set(homes(SOURCES)) == set(SOURCES)
    assert {name for name in sources() if name.endswith(".js")} == set(FILES)
    for module, text in SOURCES.items():
        forms = {*join.NAMES.findall(text), *join.EXPORT.findall(text)}
        assert len(forms) == len(re.findall(r"^(?:import|export)\b(?!\()", text, re.MULTILINE)), module


@pytest.mark.browser
def test_exports_have_names_of_their_own(page: Page) -> None:
    names = [name for text in SOURCES.values() for name in join.exports(text)]
    assert len(names) == len(set(names)) > 100
    assert page.evaluate("(names) => names.filter((name) => name in globalThis)", names) == []


def test_workers_load_nothing_of_the_page() -> None:
    for worker in ("engine/worker.js", "engine/helper.js", "engine/backend.js"):
        assert set(imported(worker)) <= {"engine/wasm.js", "engine/start.js", "engine/worker.js"}
    assert set(imported("first.js")) == {"engine/wasm.js"}


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(join, "FILES", ("deep/shared.js", "first.js", "gone.js"))
    return {
        "first.js": 'import { other, twice } from "./deep/a.js";\n'
        'import {\n  said,\n} from "./deep/shared.js";\nimport "./deep/b.js";\nconst name = 1;\n'
        "export const all = [name, other, await twice(2), ...said];\n",
        "deep/a.js": 'import { said } from "./shared.js";\nconst name = "a";\nsaid.push(name);\n'
        'export const other = name;\nexport async function twice(n) {\n  return new Kind().times * n;\n}\n'
        'export class Kind {\n  times = 2;\n}\n',
        "deep/b.js": 'import { said } from "./shared.js";\nsaid.push(new URL("./data.bin", import.meta.url).href);\n',
        "deep/shared.js": "export const said = [];\n",
        "deep/apart.js": "export const apart = 1;\n",
    }  # fmt: skip


def test_joined_modules_run_once_in_order_and_keep_their_own_names(
    node: str, modules: dict[str, str], tmp_path: Path
) -> None:
    def run(files: dict[str, str]) -> list:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        (tmp_path / "package.json").write_text('{"type": "module"}')
        call = 'import("./first.js").then(({ all }) => console.log(JSON.stringify(all)))'
        done = subprocess.run([node, "-e", call], cwd=tmp_path, capture_output=True, text=True)
        assert not done.stderr
        return json.loads(done.stdout)

    before = run(modules)
    assert before[:4] == [1, "a", 4, "a"] and before[4].endswith("/deep/data.bin")
    files = joined(modules)
    assert set(files) == {"deep/shared.js", "first.js", "deep/apart.js"}
    assert files["deep/apart.js"] == modules["deep/apart.js"]
    for name in modules:
        (tmp_path / name).unlink()
    assert run(files) == before
