"""Every text is in every catalog, messages are structured where they are made, and real sentences are translated."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

import pandas as pd
import pytest
import translations

from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.calendars import calendar_options, future_times
from kronos_dashboard.markets.doctor import run_checks
from kronos_dashboard.markets.importers import ImportedCandles, read
from kronos_dashboard.markets.samples import SAMPLES, load_sample
from kronos_dashboard.messages import Message, available_languages, load_catalog, translate
from tests.support import makers
from tests.support.imports.cases import CASES, load_case
from tests.support.paths import ROOT

FILES = translations.source_files()
LANGUAGES = [language for language in available_languages() if language != "en"]
MAKERS = {"msg", "nmsg", "sentences", "join_messages", "message_of", "term", "Message", "t"}
"""Functions that make messages."""


TEXT_FIELDS = {"Note": {1, "text"}, "Finding": {"title", "text"}, "Fix": {"title"}, "Sample": {"title", "description"}}
"""Which arguments are read by people; of errors it is all that are text."""
HAN = re.compile("[\u4e00-\u9fff]")
SENTENCE = re.compile(r"(?:\b[A-Za-z][a-z']*\b[ ,]+){3}[A-Za-z]+")
"""Four words in a row: English that was not translated. Names and lists of columns have commas or fewer words."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls_of(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2], node


# ------------------------------------------------------------------------------------------------- the catalogs


def test_there_is_a_second_language() -> None:
    assert available_languages()[:2] == ("en", "zh-Hans")


def test_every_text_is_extracted_and_translated_with_its_placeholders() -> None:
    assert translations.check() == []


@pytest.mark.parametrize("path", translations.catalog_files(), ids=lambda path: path.parents[1].name)
def test_the_compiled_catalog_is_that_of_its_source(path: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.mo"
    fresh.write_bytes(translations.compiled(translations.read_catalog(path)))
    with fresh.open("rb") as ours, path.with_suffix(".mo").open("rb") as shipped:
        ours_texts, shipped_texts = (dict(GNUTranslations(file)._catalog) for file in (ours, shipped))  # type: ignore[attr-defined]
    ours_texts.pop(""), shipped_texts.pop("")
    assert ours_texts == shipped_texts


def test_a_third_language_needs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translations, "LOCALE", tmp_path)
    monkeypatch.setattr(translations, "TEMPLATE", tmp_path / "kronos_dashboard.pot")
    monkeypatch.setattr("kronos_dashboard.messages.LOCALE_FOLDER", tmp_path)
    for cached in (available_languages, load_catalog):
        cached.cache_clear()
    try:
        translations.add("de")
        translations.update()
        assert available_languages() == ("en", "de")
        path = tmp_path / "de" / "LC_MESSAGES" / "kronos_dashboard.po"
        filled = re.sub(
            r'(msgid "Load more history\."\nmsgstr )""', r'\1"Mehr laden."', path.read_text(encoding="utf-8")
        )
        path.write_text(filled, encoding="utf-8")
        translations.update()
        load_catalog.cache_clear()
        assert translate("Load more history.", load_catalog("de")) == "Mehr laden."
        assert translate("Choose another calendar, or learned.", load_catalog("de")).startswith("Choose")
        assert any("is not translated" in problem for problem in translations.check())
    finally:
        for cached in (available_languages, load_catalog):
            cached.cache_clear()


def test_a_chinese_text_is_chinese_and_its_bold_words_are_bold() -> None:
    catalog = translations.read_catalog(translations.LOCALE / "zh_Hans" / "LC_MESSAGES" / "kronos_dashboard.po")
    pairs = [
        (message.id if isinstance(message.id, str) else message.id[1], str(message.string))
        for message in catalog
        if message.id
    ]
    without = {text for text, translated in pairs if not HAN.search(translated)}
    bare = {re.sub(r"\{\w+(?::[^}]*)?\}", "", text) for text in without}
    assert all(len(text) < 24 for text in bare), "names such as CRPS may stay"
    broken = re.compile(r"[。，：；）！？]\*\*\w")  # Markdown would not close the bold words there
    assert [translated for _, translated in pairs if broken.search(translated)] == []


# ------------------------------------------------------------------------------- where messages are made


def error_classes() -> set[str]:
    """Names of the two trees of errors."""
    bases: dict[str, set[str]] = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
    found = {"DashboardError", "EngineError"}
    while more := {name for name, parents in bases.items() if parents & found} - found:
        found |= more
    return found


def raw_texts(node: ast.expr, function: ast.AST) -> list[str]:
    """Text in an argument, or in what is assigned to its name, that is not made by a function of messages."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) and node.value.strip() else []
    if isinstance(node, ast.JoinedStr | ast.BinOp):
        return [ast.unparse(node)]
    if isinstance(node, ast.IfExp):
        return raw_texts(node.body, function) + raw_texts(node.orelse, function)
    if isinstance(node, ast.Name):
        assigned = [
            part.value
            for part in ast.walk(function)
            if isinstance(part, ast.Assign) and any(ast.unparse(target) == node.id for target in part.targets)
        ]
        return [text for value in assigned if not isinstance(value, ast.Name) for text in raw_texts(value, function)]
    return []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_what_people_read_is_a_message(path: Path) -> None:
    errors, tree, raw = error_classes_once(), ast.parse(path.read_text(encoding="utf-8")), []
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)] or [tree]
    for function in functions:
        for name, call in calls_of(function):
            wanted = TEXT_FIELDS.get(name, {0, 1, "message", "hint"} if name in errors else set())
            arguments = [node for place, node in enumerate(call.args) if place in wanted]
            arguments += [word.value for word in call.keywords if word.arg in wanted]
            raw += [text for node in arguments for text in raw_texts(node, function)]
    assert raw == []


def error_classes_once(cache: list[set[str]] = []) -> set[str]:  # noqa: B006 - the list is the cache
    if not cache:
        cache.append(error_classes())
    return cache[0]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_templates_are_literals_and_get_the_values_that_they_name(path: Path) -> None:
    for name, call in calls_of(ast.parse(path.read_text(encoding="utf-8"))):
        number = {"msg": 1, "nmsg": 2}.get(name, 0)
        for template in call.args[:number]:
            if name_of(path) in ("kronos_dashboard/ui/i18n.py", "engine/messages.py"):
                continue
            assert isinstance(template, ast.Constant), ast.unparse(call)
            names = {placeholder for placeholder, _ in translations.placeholders(str(template.value))}
            given = {word.arg for word in call.keywords}
            if given and None not in given:
                assert names - {"n"} <= given, ast.unparse(call)
                assert name == "nmsg" or given <= names, ast.unparse(call)


# ------------------------------------------------------------------------------- sentences as they are made


def chinese(message: str) -> str:
    assert isinstance(message, Message), message
    return translate(message, load_catalog("zh-Hans"))


def assert_chinese(message: str, cause: BaseException | None = None) -> None:
    """No English is left but what was quoted from the file, or is the word of a library, the cause."""
    translated = chinese(message)
    own = re.sub(r"'[^']*'|\"[^\"]*\"", "", translated)
    own = own if cause is None else own.partition("：")[0]
    assert HAN.search(translated), translated
    assert not SENTENCE.search(own), translated


def read_cases() -> Iterator[ImportedCandles]:
    for name in CASES:
        case = load_case(name)
        yield read(case.data, case.filename, case.options)


def test_notes_of_all_kinds_of_files_are_chinese() -> None:
    notes = {str(note.text): note for imported in read_cases() for note in imported.notes}
    assert len(notes) > 20
    for note in notes.values():
        assert_chinese(note.text)


BROKEN = {
    "empty.csv": b"",
    "words.csv": b"a,b\n1,2\n",
    "paper.pdf": b"%PDF-1.4",
    "reply.json": b'{"error": "no"}',
    "page.html": b"<html><body>login</body></html>",
    "short.csv": b"time,open,high,low,close\n2024-01-01,1,2,1,2\n",
    "negative.csv": b"time,open,high,low,close\n" + b"".join(b"2024-01-0%d,-1,2,1,2\n" % day for day in range(1, 9)),
    "torn.zip": b"PK\x03\x04torn",
    "torn.parquet": b"PAR1torn",
    "torn.json": b'[{"a": 1}',
}


@pytest.mark.parametrize("name", BROKEN)
def test_refusals_of_files_are_chinese(name: str) -> None:
    with pytest.raises(DashboardError) as caught:
        read(BROKEN[name], name)
    assert name in chinese(caught.value.message)
    assert_chinese(caught.value.message, caught.value.__cause__)
    assert_chinese(caught.value.hint)


def test_findings_fixes_and_their_notes_are_chinese() -> None:
    flawed = makers.candles(600)
    frame = flawed.frame.drop(flawed.index[200:203]).copy()
    frame.iloc[300:330, :4] = frame.iloc[300, 3]
    frame.iloc[400, :4] *= 30
    frame.iloc[450:, :4] /= 4
    frame["volume"] = 5.0
    series = [makers.on(frame), makers.candles(50), *(load_sample(sample.key).candles for sample in SAMPLES)]
    now = pd.Timestamp("2031-01-01", tz="UTC")
    findings = [finding for candles in series for finding in run_checks(candles, now=now)]
    assert len({finding.key for finding in findings}) >= 6
    for finding in findings:
        assert_chinese(finding.title)
        assert_chinese(finding.text)
        for fix in finding.fixes:
            assert_chinese(fix.title)
    for candles in series[:2]:
        for finding in run_checks(candles, now=now):
            for fix in finding.fixes:
                assert_chinese(fix.apply(candles).note.text)


def test_names_and_reasons_of_calendars_are_chinese() -> None:
    for name in calendar_options().values():
        assert isinstance(name, Message)
        assert HAN.search(chinese(name)) or "(" in name or name.istitle(), name
    for sample in SAMPLES:
        assert_chinese(future_times(load_sample(sample.key).candles.tail(400), 20)[1])
        assert_chinese(sample.title)
        assert_chinese(sample.description)


def test_numbers_are_still_in_the_translation() -> None:
    with pytest.raises(DashboardError) as caught:
        read(BROKEN["short.csv"], "short.csv")
    assert [int(number) for number in re.findall(r"\d+", chinese(caught.value.message))] == [1, 2]
