"""Identifiers use the words of docs/glossary.md: no private vocabulary, verbs for functions, Error for errors."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = [path for package in ("engine", "kronos_dashboard") for path in sorted((ROOT / package).rglob("*.py"))]

STRUCK_WORDS = frozenset(
    [
        "told",
        "tells",
        "came",
        "held",
        "kept",
        "wanted",
        "wants",
        "asked",
        "asks",
        "answered",
        "drawn",
        "begun",
        "began",
        "heat",
        "heats",
        "mended",
        "found",
        "coder",
        "halves",
        "chance",
        "chances",
        "usual",
        "glimpse",
        "glimpses",
        "leaning",
        "leanings",
        "judged",
        "judge",
        "said",
        "says",
        "stamped",
        "feasts",
        "unwall",
        "misspelt",
        "turned",
        "anew",
        "least",
        "most",
    ]
)
"""Parts of identifiers that have a standard word instead."""

STRUCK_NAMES = frozenset(
    [
        "Question",
        "Glimpse",
        "SinglePath",
        "Published",
        "Pretrained",
        "Answer",
        "Rival",
        "Held",
        "Seen",
        "Walk",
        "Patience",
        "Look",
        "Meaning",
        "Roles",
        "Opened",
        "Desks",
        "Measured",
        "Probe",
        "Place",
        "Draws",
        "Sharing",
        "Averaged",
        "Figures",
        "Told",
        "Judge",
        "Surprise",
        "ModelShelf",
        "CandlesError",
    ]
)

PARTICIPLES = frozenset(
    [
        "told",
        "held",
        "kept",
        "drawn",
        "found",
        "came",
        "asked",
        "settled",
        "made",
        "done",
        "given",
        "known",
        "shown",
        "seen",
        "taken",
        "chosen",
        "sent",
        "put",
        "brought",
        "said",
        "stopped",
        "wanted",
        "needed",
        "counted",
        "reflected",
        "guided",
        "mirrored",
        "rounded",
        "scaled",
        "stepped",
        "logged",
        "judged",
        "watched",
        "begun",
    ]
)
"""A function's whole name is a verb or a noun, never one of these."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def defined_names(tree: ast.AST) -> set[tuple[str, int]]:
    """Every name that a file defines itself, with its line."""
    names: set[tuple[str, int]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add((node.name, node.lineno))
        elif isinstance(node, ast.arg):
            names.add((node.arg, node.lineno))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add((node.id, node.lineno))
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add((node.attr, node.lineno))
    return names


def words_of(name: str) -> set[str]:
    return {word.lower() for part in name.split("_") for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", part)}


@pytest.mark.parametrize("path", PACKAGES, ids=name_of)
def test_identifiers_use_standard_words(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    struck = [
        f"{line}: {name}"
        for name, line in sorted(defined_names(tree), key=lambda entry: entry[1])
        if words_of(name.replace("NotFound", "").replace("not_found", "")) & STRUCK_WORDS
        or name.strip("_") in STRUCK_NAMES
    ]
    assert struck == []


@pytest.mark.parametrize("path", PACKAGES, ids=name_of)
def test_functions_are_verbs_or_nouns_and_errors_end_in_error(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [name for name in functions if name.strip("_") in PARTICIPLES] == []
    errors = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(re.search(r"(Error|Exception)$", ast.unparse(base)) for base in node.bases)
    ]
    assert [name for name in errors if not name.endswith("Error")] == []


STRUCK_PHRASES = re.compile(
    r"what came|left open|take it along|restless|nobody|\btold\b|\bdrawn\b|mended|timid|\banew\b|rests on|worth nothing"
    r"|a word about|\bwhat is odd\b|\bheld\b|\bas long as it\b",
    re.IGNORECASE,
)
"""Phrases of texts on screen that had a plainer one."""


def test_texts_use_standard_phrases():
    template = (ROOT / "kronos_dashboard" / "locale" / "kronos_dashboard.pot").read_text(encoding="utf-8")
    texts = [line for line in template.splitlines() if not line.startswith("#")]
    assert [text for text in texts if STRUCK_PHRASES.search(text)] == []
