"""Sentences with their numbers already in them, found again by their templates and said in another language. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

__all__ = ["Phrases", "placeholders"]

_PLACE = re.compile(r"\{(\w+)\}")
_JOINTS = ((re.compile(r"(?<=[.!?:]) +"), ""), (re.compile(r"; "), "；"))
_NUMBER, _TIME, _ANYTHING = r"[-+\d.,%e]+", "[^;]*?", ".*?"
_KINDS = {**dict.fromkeys(("n", "n1", "n2", "n3", "n4"), _NUMBER), "time": _TIME}
_MORE = "..."
_MOST_LETTERS = 800
_DEEPEST = 3


class Phrases:
    """A catalogue of templates with placeholders (``row {row} is missing.``) and what another language makes of them.

    What stands in a placeholder is looked up as well, and stays as it is when the catalogue does not have it. A
    placeholder called ``n`` (``n1``, ``n2``) stands for a number and nothing else, ``time`` for one part of a list.
    """

    def __init__(self, catalogue: Mapping[str, str]) -> None:
        self._plain = {text: told for text, told in catalogue.items() if not _PLACE.search(text)}
        filled = [text for text in catalogue if _PLACE.search(text)]
        filled.sort(key=lambda text: -len(_PLACE.sub("", text)))
        self._filled = [(_beginning(text), _pattern(text), catalogue[text]) for text in filled]
        self.translate = lru_cache(maxsize=4_096)(self._translate)

    def _translate(self, text: str) -> str:
        """``text`` in the other language; what cannot be said whole stays as it is."""
        told = self._say(text, 0) if len(text) <= _MOST_LETTERS else None
        return text if told is None else told

    def _say(self, text: str, depth: int) -> str | None:
        """As a whole, else sentence by sentence, else clause by clause."""
        whole = self._find(text, depth)
        if whole is not None:
            return whole
        for between, mark in _JOINTS:
            parts = between.split(text)
            told = [part if part == _MORE else self._find(part, depth) for part in parts] if len(parts) > 1 else [None]
            if None not in told:
                return mark.join(part for part in told if part)
        return None

    def _find(self, text: str, depth: int) -> str | None:
        """What the catalogue makes of the whole of ``text``; the template with most of its own words wins."""
        for form in _forms(text):
            if form in self._plain:
                return self._plain[form]
            for beginning, pattern, told in self._filled:
                found = pattern.fullmatch(form) if form.startswith(beginning) else None
                if found is not None:
                    return told.format(**{name: self._inside(part, depth) for name, part in found.groupdict().items()})
        return None

    def _inside(self, text: str, depth: int) -> str:
        told = self._say(text, depth + 1) if depth < _DEEPEST and " " in text else self._plain.get(text)
        return text if told is None else told


def placeholders(text: str) -> set[str]:
    """Names of the placeholders of a template."""
    return set(_PLACE.findall(text))


def _forms(text: str) -> tuple[str, ...]:
    """As it is, and with its first letter small: pages begin a message with a capital."""
    return (text,) if text[:1].islower() or not text else (text, text[0].lower() + text[1:])


def _beginning(template: str) -> str:
    return template[: template.index("{")]


def _pattern(template: str) -> re.Pattern[str]:
    """Matches what the template can become; each placeholder takes as little as it can."""
    seen: set[str] = set()
    parts = []
    for place, part in enumerate(_PLACE.split(template)):
        if place % 2 == 0:
            parts.append(re.escape(part))
        elif part in seen:
            parts.append(f"(?P={part})")
        else:
            seen.add(part)
            parts.append(f"(?P<{part}>{_KINDS.get(part, _ANYTHING)})")
    return re.compile("".join(parts), re.DOTALL)
