"""Columns of numbers in whatever spelling: currency signs, thousands marks, decimal commas, suffixes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kronos_dashboard.markets.importers.table import sample_of, texts

__all__ = ["Numbers", "Style", "is_number", "is_plain_type", "read_numbers", "style_of"]

Style = Literal["point", "comma", "unknown"]
"""Which mark stands before the decimals."""

_BLANK = (
    r"^(?:|-+|—|–|\.|\*|n/?a|nan|null|none|nil|#n/?a|#n/a n/a"
    r"|<na>|\(null\)|\\n|nat|missing|#value!|#div/0!|停牌|undefined)$"
)
_SIGNS = (
    r"""[\s\x{00a0}\x{202f}\x{2009}'’`"=$€£¥￥₩₽₹₺฿₿_+]"""
    r"""|(?i:\b(?:usdt?|eur|gbp|chf|jpy|cny|krw|inr|brl|r\$|rs\.?|kr\.?|zł|btc|eth|元|円|원))"""
)
_SUFFIX = {
    "k": 1e3, "tsd": 1e3, "тыс": 1e3, "千": 1e3, "mil": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "mln": 1e6, "млн": 1e6,
    "b": 1e9, "bn": 1e9, "mrd": 1e9, "mlrd": 1e9, "млрд": 1e9, "t": 1e12, "tn": 1e12, "万": 1e4, "萬": 1e4, "亿": 1e8,
    "億": 1e8, "만": 1e4, "억": 1e8, "bil": 1e9, "md": 1e9, "手": 1.0, "股": 1.0, "万手": 1e4, "万股": 1e4, "亿股": 1e8,
    "cr": 1e7, "lac": 1e5, "%": 1.0,
}  # fmt: skip
_NUMBER = re.compile(
    r"""^[-+(]?\s*(?:[$€£¥￥₩₽₹₺₿]|R\$|Rs\.?)?\s*[-+]?(?:\d[\d.,'’ \u00a0\u202f_]*|[.,]\d+)(?:[eE][-+]?\d+)?"""
    r"""\s*(?:[$€£¥₩₽₹₺]|[KMBTkmbt]n?|Mio\.?|Mrd\.?|mln|млн|млрд|тыс|万|亿|億|만|억|%|USDT?|EUR|円|元|원|手|股)?\)?$"""
)


@dataclass(frozen=True)
class Numbers:
    """A column as float64."""

    values: np.ndarray
    """[n]; NaN where the cell is blank or no number."""
    text: np.ndarray
    """bool [n]: the cell holds something that is no number."""


def is_number(text: str) -> bool:
    """Whether a cell reads as a number in some spelling."""
    return bool(_NUMBER.match(text.strip().strip('"='))) if len(text) < 60 else False


def is_plain_type(column: Any) -> bool:
    """Whether the column holds numbers by its type."""
    kind = column.type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def style_of(columns: Iterable[Any]) -> Style:
    """The decimal mark that most of the cells of these columns can only mean; "unknown" when none says."""
    votes = {"point": 0, "comma": 0}
    for column in columns:
        if not pa.types.is_string(column.type):
            continue
        for cell in sample_of(column).to_pylist():
            mark = _mark(cell or "")
            if mark is not None:
                votes[mark] += 1
    if votes["point"] == votes["comma"]:
        return "unknown"
    return "point" if votes["point"] > votes["comma"] else "comma"


def _mark(cell: str) -> Literal["point", "comma"] | None:
    """What this cell says on the decimal mark."""
    digits = re.sub(r"[^\d.,]", "", cell) if is_number(cell) else ""
    points, commas = digits.count("."), digits.count(",")
    if points and commas:
        return "point" if digits.rfind(".") > digits.rfind(",") else "comma"
    if points > 1:
        return "comma"
    if commas > 1:
        return "point"
    if points + commas == 0:
        return None
    whole, _, rest = digits.replace(",", ".").partition(".")
    if len(rest) == 3 and 1 <= len(whole) <= 3 and whole.lstrip("0"):
        return None  # 1,234 may be either
    return "point" if points else "comma"


def read_numbers(column: Any, file_style: Style) -> Numbers:
    """The column as float64; the column's own cells say what its decimal mark is, else the rest of the file does."""
    if is_plain_type(column):
        values = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return Numbers(np.array(values, dtype="float64"), np.zeros(len(column), dtype=bool))
    if pa.types.is_boolean(column.type) or pa.types.is_temporal(column.type):
        return Numbers(np.full(len(column), np.nan), np.ones(len(column), dtype=bool))
    if file_style != "comma":
        try:
            return _as_they_stand(column.cast(pa.float64()))
        except pa.ArrowInvalid:
            pass
    return _spelled(texts(column), file_style)


def _as_they_stand(column: Any) -> Numbers:
    values = column.to_numpy(zero_copy_only=False)
    return Numbers(np.asarray(values, dtype="float64"), np.zeros(len(column), dtype=bool))


def _spelled(column: Any, file_style: Style) -> Numbers:
    own = style_of([column])
    style = file_style if own == "unknown" else own
    blank = pc.match_substring_regex(column, _BLANK, ignore_case=True)
    filled = pc.if_else(blank, pa.scalar(None, pa.string()), column)
    bare = pc.replace_substring_regex(filled, _SIGNS, "")
    bare = pc.replace_substring_regex(bare, r"^\((.*)\)$", r"-\1")
    bare = pc.replace_substring(bare, "−", "-")
    if style == "comma":
        bare = pc.replace_substring(pc.replace_substring(bare, ".", ""), ",", ".")
    else:
        bare = pc.replace_substring(bare, ",", "")
    good = pc.match_substring_regex(bare, r"^-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$")
    values = pc.if_else(good, bare, pa.scalar(None, pa.string())).cast(pa.float64()).to_numpy(zero_copy_only=False)
    values = np.array(values, dtype="float64")
    rest = np.flatnonzero(pc.fill_null(pc.invert(good), False).to_numpy(zero_copy_only=False))
    text = np.zeros(len(values), dtype=bool)
    spelled: dict[str, float] = {}
    for row in rest:
        cell = bare[int(row)].as_py()
        if cell not in spelled:
            spelled[cell] = _suffixed(cell)
        values[row] = spelled[cell]
        text[row] = np.isnan(spelled[cell])
    return Numbers(values, text)


def _suffixed(cell: str) -> float:
    """``1.31M`` -> 1310000; NaN for what is no number (also for "inf")."""
    match = re.match(r"^(-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(\D{1,5}?)\.?$", cell)
    if match is None or match[2].lower() not in _SUFFIX:
        return float("nan")
    return float(match[1]) * _SUFFIX[match[2].lower()]
