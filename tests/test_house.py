"""The rules of the house that import-linter cannot see: pages are scripts, with digits in front, in no package."""

import ast
import re
import sys
from pathlib import Path

import grimp
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


def test_no_module_imports_itself_by_a_detour():
    graph = grimp.build_graph("engine", "kronos_dashboard", exclude_type_checking_imports=True)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert find_cycles(imports) == []


def find_cycles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that reach one another: strongly connected components of two or more (Tarjan 1972)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    cycles: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = lowest[module] = len(order)
        stack.append(module)
        for target in sorted(imports.get(module, ())):
            if target not in order:
                visit(target)
                lowest[module] = min(lowest[module], lowest[target])
            elif target in stack:
                lowest[module] = min(lowest[module], order[target])
        if lowest[module] == order[module]:
            component = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(component) > 1:
                cycles.append(sorted(component))

    for module in sorted(imports):
        if module not in order:
            visit(module)
    return cycles


def test_a_cycle_is_found():
    assert find_cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]


PAGES = {"home", "data", "forecast"}
SHARED = {"widgets", "series"}


def test_every_file_of_the_interface_is_in_a_room():
    ui = ROOT / "kronos_dashboard" / "ui"
    assert {path.name for path in ui.iterdir() if path.is_dir() and path.name != "__pycache__"} == PAGES | SHARED
    modules = {path.stem for path in ui.glob("*.py")} - {"__init__"}
    assert modules == {"compat", "eviction", "format", "i18n", "layout", "resources", "session_store", "state", "theme"}
