"""The rules of the house that import-linter cannot see: pages are scripts, with digits in front, in no package."""

import ast
import re
import sys
from pathlib import Path

import pytest

import engine
from engine import errors
from tests.support.paths import ROOT

SCRIPTS = [path for path in (ROOT / "Home.py", *sorted((ROOT / "pages").glob("*.py"))) if path.exists()]
PACKAGES = [path for package in ("engine", "kronos_dashboard") for path in sorted((ROOT / package).rglob("*.py"))]
NO_SCREEN = [path for path in PACKAGES if "ui" not in path.relative_to(ROOT).parts]
LINES_PER_PAGE, LINES_PER_FILE, LINES_PER_FUNCTION = 90, 400, 60


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> set[str]:
    """The top-level names of everything that a file imports, at its top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_a_page_imports_streamlit_and_the_dashboard_alone(path):
    assert imported(path) - sys.stdlib_module_names <= {"streamlit", "kronos_dashboard"}


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_a_page_is_thin(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_PER_PAGE


@pytest.mark.parametrize("path", NO_SCREEN, ids=name_of)
def test_streamlit_is_named_in_ui_alone(path):
    assert "streamlit" not in imported(path)


@pytest.mark.parametrize("path", PACKAGES, ids=name_of)
def test_a_file_and_its_functions_can_be_read_in_one_sitting(path):
    text = path.read_text(encoding="utf-8")
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [f.name for f in functions if (f.end_lineno or 0) - f.lineno + 1 > LINES_PER_FUNCTION]
    assert len(text.splitlines()) <= LINES_PER_FILE
    assert long == []


def test_the_engine_offers_what_is_documented():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = re.search(r"`from engine import ([^`]+)`", text)
    assert listed is not None, "docs/architecture.md lists the public names of the engine in one code span"
    documented = {name.strip() for name in listed.group(1).replace("\n", " ").split(",")}
    assert set(engine.__all__) == documented | set(errors.__all__)
    assert all(hasattr(engine, name) for name in engine.__all__)


def test_every_error_of_the_engine_is_an_engine_error():
    assert all(issubclass(getattr(errors, name), errors.EngineError) for name in errors.__all__)
