"""The README and the links of all documents: the Python runs, and files, folders and headings exist."""

import re

import pytest

from tests.support.documents import MARKDOWN, headings, prose
from tests.support.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAX_LINES = 110
"""A newcomer reads it in a few minutes; the rest belongs into docs/."""


def name_of(path):
    return path.relative_to(ROOT).as_posix()


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


def test_the_readme_is_short():
    assert len(README.splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", MARKDOWN, ids=name_of)
def test_links_lead_to_files_and_headings_that_exist(path):
    broken = []
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)", prose(path)):
        file, _, anchor = link.partition("#")
        target = (path.parent / file) if file else path
        if not target.exists() or (anchor and anchor not in headings(target)):
            broken.append(link)
    assert broken == []


def test_the_tree_names_every_folder_of_the_project():
    tree = README.split("## The tree", 1)[1].split("```")[1]
    names = [name for line in tree.strip().splitlines() for name in re.split(r" {2,}", line)[0].split(", ")]
    assert [name for name in names if not (ROOT / name).exists()] == []
    folders = {path.parent.relative_to(ROOT).parts[0] + "/" for path in ROOT.glob("*/*.py")} | {"docs/"}
    assert folders - {"runs/", "build/"} <= set(names)
