"""How the name of a column is taken apart, to look it up in the table of names.

A name means a field when it is listed as a whole, or when what is left of it after taking the listed part away is only
decoration ("price", a currency) or the name of an instrument ("AAPL.Open", "mid.o", "Close_MSFT").
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from kronos_dashboard.markets.importers.aliases import ADJUSTED, ALIASES, BLOCKED, DECORATION

__all__ = ["Meaning", "meaning_of", "plain"]


_OTHERS = frozenset({"dayname", "dayofweek", "monthname", "nameofday", "weekday"})
"""Names whose parts mean something else together."""


@dataclass(frozen=True)
class Meaning:
    """What the name of a column says."""

    field: str
    """A key of ``ALIASES``."""
    rank: int
    """Smaller is likelier; names listed as a whole come before decorated ones."""
    group: str = ""
    """The rest of the name, where it names an instrument or a side."""


def plain(name: str) -> str:
    """Letters and digits alone, in small letters, without accents."""
    folded = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in folded if c.isalnum() and not unicodedata.combining(c))


@lru_cache(maxsize=8_192)
def meaning_of(name: str) -> Meaning | None:
    """What a column called ``name`` holds, as far as its name tells."""
    bare = re.sub(r"^\s*(?:\d{1,2}[a-z]?\.\s+|[<\[(]+)", "", name[:200]).strip()
    if plain(bare) in _OTHERS:
        return None
    bare = re.sub(r"(?i)^(adj(?:usted)?)(open|high|low|close|volume)$", r"\1 \2", bare)
    if re.fullmatch(r"\w+\.[A-Za-z]", bare) and (nested := _part(_tokens(bare))) is not None:
        return nested
    if _listed(bare) is not None:
        return _listed(bare)
    short = re.sub(r"[(\[（【].*?[)\]）】]", " ", bare)
    inside = " ".join(re.findall(r"[(\[（【](.*?)[)\]）】]", bare))
    if plain(short) and short != bare and not _words(inside) & BLOCKED and _listed(short) is not None:
        found = _listed(short)
        assert found is not None
        return Meaning(found.field, found.rank + 100)
    return _part(_tokens(bare))


def _listed(name: str) -> Meaning | None:
    hit = _INDEX.get(plain(name))
    return None if hit is None else Meaning(*hit)


def _part(tokens: list[str]) -> Meaning | None:
    """The longest listed run of words; the others must be decoration or name an instrument."""
    if len(tokens) < 2 or len(tokens) > 8:
        return None
    lowered = [plain(token) for token in tokens]
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
            if hit[0] in ("bid", "ask") and _prices_in(lowered) - DECORATION:
                continue  # "CloseAsk" is a close, "PriceAsk" an ask
            rest = [i for i in range(len(tokens)) if not at <= i < at + length]
            kept = [tokens[i] for i in rest if lowered[i] and lowered[i] not in DECORATION | ADJUSTED]
            if len(lowered[at]) == 1 and not (len(tokens) == 2 and at == 1):
                continue  # a single letter counts behind one other word alone: "mid.o"
            rank = 200 + hit[1] + (2_000 if adjusted else 0)
            return Meaning(hit[0], rank, ".".join(kept))
    return None


def _prices_in(words: list[str]) -> set[str]:
    """Those of the words that are names of prices."""
    return {word for word in words if len(word) > 1 and _INDEX.get(word, ("",))[0] in ("open", "high", "low", "close")}


def _words(text: str) -> set[str]:
    return {plain(word) for word in _tokens(text)}


def _tokens(name: str) -> list[str]:
    """``adjClose`` -> adj, Close; ``AAPL.Open`` -> AAPL, Open; ``('Close', 'AAPL')`` -> Close, AAPL."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [token for token in re.split(r"[\s_.,:;/|()\[\]{}'\"<>*#=-]+", spaced) if token]


def _index() -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    for field, names in ALIASES.items():
        for rank, name in enumerate(names):
            found.setdefault(plain(name), (field, rank))
    return found


_INDEX = _index()
