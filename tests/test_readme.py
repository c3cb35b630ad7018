"""What the README shows is run: its Python, and the places that it names."""

import re

import pytest

from tests.support.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MARKDOWN = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.skipif(
    not (ROOT / "engine/bundled/model/config.json").exists(), reason="the bundled checkpoint is not in this clone"
)
def test_the_ten_lines_of_python_run_offline(monkeypatch, capsys):
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block is not None
    code = block.group(1).replace("num_paths=30", "num_paths=3")
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("(3, 120, 6)")


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_to_files_lead_somewhere(path):
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_tree_names_files_that_exist():
    tree = README.split("## The tree", 1)[1].split("```")[1]
    folders: list[str] = []
    missing = []
    for line in filter(str.strip, tree.splitlines()):
        names, _, _ = line.strip().partition("  ")
        depth = (len(line) - len(line.lstrip())) // 2
        for name in names.split(", "):
            place = ROOT.joinpath(*folders[:depth], name)
            if not place.exists():
                missing.append(str(place.relative_to(ROOT)))
        folders[depth:] = [names] if names.endswith("/") else []
    assert missing == []
