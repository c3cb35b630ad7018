"""Extract the texts of the app, bring the catalogs up to date, and compile them.

    python scripts/translations.py update            after a text was added or changed
    python scripts/translations.py add de            begin the catalog of a language
    python scripts/translations.py check             fails where something is missing; changes nothing

Texts are the literals given to ``t``, ``msg``, ``nmsg`` and ``begin_page`` (see ``docs/translating.md``).
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment
from jinja2.ext import extract_from_ast

ROOT = Path(__file__).resolve().parents[1]
LOCALE = ROOT / "kronos_dashboard" / "locale"
DOMAIN = "kronos_dashboard"
TEMPLATE = LOCALE / f"{DOMAIN}.pot"
KEYWORDS = {"t": 1, "msg": 1, "nmsg": 2, "begin_page": 1}
"""Functions whose first arguments are texts, and how many of them."""
COMMENTS = {"English": "The name of your language, as its speakers write it."}
_VOLATILE = ("POT-Creation-Date", "PO-Revision-Date", "Generated-By", "Report-Msgid-Bugs-To", "Language-Team")
_HEADER = "# Texts of Kronos Dashboard; see docs/translating.md."
_PLACEHOLDER = re.compile(r"\{(\w+)(?::([^{}]*))?\}")


def main() -> int:
    """Run the command; returns 1 if a check fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("command", choices=["update", "add", "check"])
    parser.add_argument("language", nargs="?", help="for add: a tag such as de or pt_BR")
    options = parser.parse_args()
    if options.command == "check":
        problems = check()
        print("\n".join(problems) or "All texts are translated.")
        return 1 if problems else 0
    if options.command == "add":
        if not options.language:
            parser.error("add needs a language, such as de")
        add(options.language)
    update()
    return 0


def extract() -> Catalog:
    """A catalog of all texts in the source, without translations."""
    catalog = new_catalog(None)
    texts = [(path, texts_of(path)) for path in source_files()]
    texts += [(path, template_texts(path)) for path in template_files()]
    for path, all_ids in texts:
        for ids in all_ids:
            first = ids if isinstance(ids, str) else ids[0]
            catalog.add(
                ids,
                locations=[(path.relative_to(ROOT).as_posix(), 0)],
                auto_comments=[COMMENTS[first]] if first in COMMENTS else [],
            )
    for message in catalog:
        message.locations = sorted(set(message.locations))
        _drop_format_flags(message)
    return catalog


def source_files() -> list[Path]:
    """The modules that texts are extracted from."""
    folders = [path for name in ("pages", "engine", "kronos_dashboard") for path in (ROOT / name).rglob("*.py")]
    return [ROOT / "Home.py", *sorted(folders)]


def template_files() -> list[Path]:
    """The Jinja templates that texts are extracted from."""
    return sorted((ROOT / "kronos_dashboard").rglob("*.j2"))


def texts_of(path: Path) -> Iterator[str | tuple[str, str]]:
    """The texts of a file in its order; pairs where there is a plural.

    Babel's own extractor misses texts inside of f-strings.
    """
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        name = ast.unparse(call.func).rpartition(".")[2]
        literals = [node.value for node in call.args[: KEYWORDS.get(name, 0)] if isinstance(node, ast.Constant)]
        texts = [text for text in literals if isinstance(text, str) and text]
        if len(texts) == KEYWORDS.get(name):
            yield texts[0] if len(texts) == 1 else (texts[0], texts[1])


def template_texts(path: Path) -> Iterator[str]:
    """The texts of a Jinja template."""
    for _, _, text in extract_from_ast(Environment().parse(path.read_text(encoding="utf-8")), ("t",)):
        yield str(text[0] if isinstance(text, tuple) else text)  # values follow the text


def new_catalog(language: str | None) -> Catalog:
    """An empty catalog."""
    return Catalog(locale=language, domain=DOMAIN, project="Kronos Dashboard", header_comment=_HEADER, fuzzy=False)


def catalog_files() -> list[Path]:
    """The .po file of every language."""
    return sorted(LOCALE.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def read_catalog(path: Path) -> Catalog:
    """A catalog from its .po or .pot file."""
    language = None if path == TEMPLATE else path.parents[1].name
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def compiled(catalog: Catalog) -> bytes:
    """A catalog as the bytes of a .mo file."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def add(language: str) -> None:
    """Begin the catalog of a language."""
    path = LOCALE / language.replace("-", "_") / "LC_MESSAGES" / f"{DOMAIN}.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _write(path, new_catalog(language.replace("-", "_")))


def update() -> None:
    """Extract all texts into the template, merge it into every catalog, and compile these."""
    template = extract()
    _write(TEMPLATE, template)
    for path in catalog_files():
        catalog = read_catalog(path)
        catalog.update(template)
        catalog.obsolete.clear()
        for message in catalog:
            _drop_format_flags(message)
        _write(path, catalog)
        path.with_suffix(".mo").write_bytes(compiled(catalog))


def check() -> list[str]:
    """What is missing: texts that are not in a catalog, are empty, fuzzy, or have other placeholders."""
    template = extract()
    problems = _compare("the template", template, read_catalog(TEMPLATE))
    for path in catalog_files():
        language, catalog = path.parents[1].name, read_catalog(path)
        problems += _compare(language, template, catalog)
        problems += [f"{language}: {problem}" for message in catalog if message.id for problem in _check(message)]
    return problems


def placeholders(text: str) -> set[tuple[str, str]]:
    """Placeholders of a text and their formats; the width of a number may differ."""
    bare = text.replace("{{", "").replace("}}", "")
    return {(name, re.sub(r"^0\d+d?$", "", form or "")) for name, form in _PLACEHOLDER.findall(bare)}


def _compare(name: str, template: Catalog, catalog: Catalog) -> list[str]:
    expected, actual = ({message.id for message in one if message.id} for one in (template, catalog))
    return [f"{name} lacks {text!r}" for text in sorted(expected - actual, key=str)] + [
        f"{name} has {text!r}, which no text is" for text in sorted(actual - expected, key=str)
    ]


def _check(message: Message) -> list[str]:
    ids = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
    strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    texts = [text for text in strings if text]
    if len(texts) < len(strings):
        return [f"{ids[0]!r} is not translated"]
    if message.fuzzy:
        return [f"{ids[0]!r} is fuzzy: look at it and remove the mark"]
    allowed = [placeholders(text) for text in ids]
    wrong = [text for text in texts if placeholders(text) not in allowed]
    return [f"{ids[0]!r} has other placeholders than {text!r}" for text in wrong]


def _drop_format_flags(message: Message) -> None:
    """Placeholders are those of ``str.format``; Babel takes some percent signs for others."""
    message.flags -= {"python-format", "python-brace-format"}


def _write(path: Path, catalog: Catalog) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=120, sort_by_file=True, include_lineno=False)
    lines = buffer.getvalue().decode().splitlines(keepends=True)
    stable = [line for line in lines if not line.startswith(tuple(f'"{name}' for name in _VOLATILE))]
    path.write_text("".join(stable), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
