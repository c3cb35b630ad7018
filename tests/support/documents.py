"""The Markdown files of the project, and their parts."""

import re
from pathlib import Path

from tests.support.paths import ROOT

MARKDOWN = sorted(
    {
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "engine").rglob("*.md"),
        *(ROOT / "kronos_dashboard").rglob("*.md"),
        *(ROOT / "tests" / "data").glob("*/README.md"),
    }
)
"""Every document of the project, without the inputs of tests."""


def prose(path: Path) -> str:
    """The text without code blocks."""
    return re.sub(r"^( *)```.*?^\1```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def code_blocks(path: Path, language: str = "") -> list[str]:
    """The code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def code_spans(path: Path) -> list[str]:
    """The inline code."""
    return re.findall(r"`([^`\n]+)`", prose(path))


def headings(path: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
