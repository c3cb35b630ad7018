"""The meaning of column names: split a name into words and look them up in the table of aliases.

A name has the meaning of an alias when it equals the alias, or when the rest of the name is decoration ("price", a
currency) or the name of an instrument ("AAPL.Open", "mid.o", "Close_MSFT").
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from kronos_dashboard.markets.importers.aliases import ADJUSTED, ALIASES, BLOCKED, DECORATION

__all__ = ["ColumnMeaning", "column_meaning", "normalize_name"]


_COMPOUND_NAMES = frozenset({"dayname", "dayofweek", "monthname", "nameofday", "weekday"})
"""Compounds of listed words that mean something else ("day name" is not a date)."""


@dataclass(frozen=True)
class ColumnMeaning:
    """The meaning of a column name."""

    field: str
    """A key of ``ALIASES``."""
    rank: int
    """Smaller ranks are more likely: exact aliases in their order, then aliases with decoration."""
    group: str = ""
    """The rest of the name where it names an instrument or a side ("bid", "ask")."""


def normalize_name(name: str) -> str:
    """The letters and digits of a name in lower case, without accents."""
    folded = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in folded if c.isalnum() and not unicodedata.combining(c))


@lru_cache(maxsize=8_192)
def column_meaning(name: str) -> ColumnMeaning | None:
    """The meaning of a column name; None when no alias matches."""
    bare = re.sub(r"^\s*(?:\d{1,2}[a-z]?\.\s+|[<\[(]+)", "", name[:200]).strip()
    if normalize_name(bare) in _COMPOUND_NAMES:
        return None
    bare = re.sub(r"(?i)^(adj(?:usted)?)(open|high|low|close|volume)$", r"\1 \2", bare)
    if re.fullmatch(r"\w+\.[A-Za-z]", bare) and (nested := _match_tokens(_tokenize(bare))) is not None:
        return nested
    if _lookup(bare) is not None:
        return _lookup(bare)
    short = re.sub(r"[(\[（【].*?[)\]）】]", " ", bare)
    inside = " ".join(re.findall(r"[(\[（【](.*?)[)\]）】]", bare))
    if (
        normalize_name(short)
        and short != bare
        and not _normalized_words(inside) & BLOCKED
        and _lookup(short) is not None
    ):
        meaning = _lookup(short)
        assert meaning is not None
        return ColumnMeaning(meaning.field, meaning.rank + 100)
    return _match_tokens(_tokenize(bare))


def _lookup(name: str) -> ColumnMeaning | None:
    """The meaning of a name that equals an alias."""
    hit = _INDEX.get(normalize_name(name))
    return None if hit is None else ColumnMeaning(*hit)


def _match_tokens(tokens: list[str]) -> ColumnMeaning | None:
    """The longest run of words that equals an alias, if the other words are decoration or name an instrument."""
    if len(tokens) < 2 or len(tokens) > 8:
        return None
    lowered = [normalize_name(token) for token in tokens]
    adjusted = bool(set(lowered) & ADJUSTED)
    if set(lowered) & (BLOCKED - ADJUSTED):
        return None
    for length in range(len(tokens) - 1, 0, -1):
        for at in (*range(len(tokens) - length, -1, -1),):
            hit = _INDEX.get("".join(lowered[at : at + length]))
            if hit is None or (length == 1 and hit[0] in ("date", "datetime", "time") and adjusted):
                continue
            if lowered[at : at + length] == ["id"]:
                continue  # "RowId" numbers rows
            if hit[0] in ("bid", "ask") and _price_words(lowered) - DECORATION:
                continue  # "CloseAsk" is a close, "PriceAsk" an ask
            rest = [i for i in range(len(tokens)) if not at <= i < at + length]
            remainder = [tokens[i] for i in rest if lowered[i] and lowered[i] not in DECORATION | ADJUSTED]
            if len(lowered[at]) == 1 and not (len(tokens) == 2 and at == 1):
                continue  # a single letter counts behind one other word alone: "mid.o"
            rank = 200 + hit[1] + (2_000 if adjusted else 0)
            return ColumnMeaning(hit[0], rank, ".".join(remainder))
    return None


def _price_words(words: list[str]) -> set[str]:
    """The words that are aliases of a price."""
    return {word for word in words if len(word) > 1 and _INDEX.get(word, ("",))[0] in ("open", "high", "low", "close")}


def _normalized_words(text: str) -> set[str]:
    return {normalize_name(word) for word in _tokenize(text)}


def _tokenize(name: str) -> list[str]:
    """The words of a name: ``adjClose`` gives adj, Close; ``('Close', 'AAPL')`` gives Close, AAPL."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [token for token in re.split(r"[\s_.,:;/|()\[\]{}'\"<>*#=-]+", spaced) if token]


def _build_index() -> dict[str, tuple[str, int]]:
    index: dict[str, tuple[str, int]] = {}
    for field, names in ALIASES.items():
        for rank, name in enumerate(names):
            index.setdefault(normalize_name(name), (field, rank))
    return index


_INDEX = _build_index()
