"""Parse columns of numbers in any spelling: currency signs, thousands separators, decimal commas, suffixes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kronos_dashboard.markets.importers.table import sample_rows, to_text

__all__ = ["DecimalMark", "ParsedNumbers", "detect_decimal_mark", "is_number", "is_numeric_type", "parse_numbers"]

DecimalMark = Literal["point", "comma", "unknown"]
"""The character before the decimals."""

_BLANK_CELL = (
    r"^(?:|-+|—|–|\.|\*|n/?a|nan|null|none|nil|#n/?a|#n/a n/a"
    r"|<na>|\(null\)|\\n|nat|missing|#value!|#div/0!|停牌|undefined)$"
)
"""Spellings of a missing value."""
_IGNORED_MARKS = (
    r"""[\s\x{00a0}\x{202f}\x{2009}'’`"=$€£¥￥₩₽₹₺฿₿_+]"""
    r"""|(?i:\b(?:usdt?|eur|gbp|chf|jpy|cny|krw|inr|brl|r\$|rs\.?|kr\.?|zł|btc|eth|元|円|원))"""
)
"""Blanks, quotes and currencies, which do not change the number."""
_MULTIPLIERS = {
    "k": 1e3, "tsd": 1e3, "тыс": 1e3, "千": 1e3, "mil": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "mln": 1e6, "млн": 1e6,
    "b": 1e9, "bn": 1e9, "mrd": 1e9, "mlrd": 1e9, "млрд": 1e9, "t": 1e12, "tn": 1e12, "万": 1e4, "萬": 1e4, "亿": 1e8,
    "億": 1e8, "만": 1e4, "억": 1e8, "bil": 1e9, "md": 1e9, "手": 1.0, "股": 1.0, "万手": 1e4, "万股": 1e4, "亿股": 1e8,
    "cr": 1e7, "lac": 1e5, "%": 1.0,
}  # fmt: skip
"""Suffix -> factor."""
_NUMBER = re.compile(
    r"""^[-+(]?\s*(?:[$€£¥￥₩₽₹₺₿]|R\$|Rs\.?)?\s*[-+]?(?:\d[\d.,'’ \u00a0\u202f_]*|[.,]\d+)(?:[eE][-+]?\d+)?"""
    r"""\s*(?:[$€£¥₩₽₹₺]|[KMBTkmbt]n?|Mio\.?|Mrd\.?|mln|млн|млрд|тыс|万|亿|億|만|억|%|USDT?|EUR|円|元|원|手|股)?\)?$"""
)
"""A number in any of these spellings; a loose test for header detection."""


@dataclass(frozen=True)
class ParsedNumbers:
    """A column of numbers."""

    values: np.ndarray
    """float64 [n]; NaN where the cell is blank or not a number."""
    is_text: np.ndarray
    """bool [n]: the cell is neither blank nor a number."""


def is_number(text: str) -> bool:
    """Whether a cell is a number in some spelling."""
    return bool(_NUMBER.match(text.strip().strip('"='))) if len(text) < 60 else False


def is_numeric_type(column: Any) -> bool:
    """Whether the type of the column is numeric."""
    kind = column.type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def detect_decimal_mark(columns: Iterable[Any]) -> DecimalMark:
    """The decimal mark of most cells that leave no doubt; "unknown" when no cell decides."""
    votes = {"point": 0, "comma": 0}
    for column in columns:
        if not pa.types.is_string(column.type):
            continue
        for cell in sample_rows(column).to_pylist():
            mark = _decimal_mark_of(cell or "")
            if mark is not None:
                votes[mark] += 1
    if votes["point"] == votes["comma"]:
        return "unknown"
    return "point" if votes["point"] > votes["comma"] else "comma"


def _decimal_mark_of(cell: str) -> Literal["point", "comma"] | None:
    """The decimal mark of one cell; None when it could be either."""
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


def parse_numbers(column: Any, file_mark: DecimalMark) -> ParsedNumbers:
    """Parse the column; its own cells decide on the decimal mark, or else ``file_mark``."""
    if is_numeric_type(column):
        values = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return ParsedNumbers(np.array(values, dtype="float64"), np.zeros(len(column), dtype=bool))
    if pa.types.is_boolean(column.type) or pa.types.is_temporal(column.type):
        return ParsedNumbers(np.full(len(column), np.nan), np.ones(len(column), dtype=bool))
    if file_mark != "comma":
        try:
            return _from_float_column(column.cast(pa.float64()))
        except pa.ArrowInvalid:
            pass
    return _parse_spelled(to_text(column), file_mark)


def _from_float_column(column: Any) -> ParsedNumbers:
    values = column.to_numpy(zero_copy_only=False)
    return ParsedNumbers(np.asarray(values, dtype="float64"), np.zeros(len(column), dtype=bool))


def _parse_spelled(column: Any, file_style: DecimalMark) -> ParsedNumbers:
    column_mark = detect_decimal_mark([column])
    decimal_mark = file_style if column_mark == "unknown" else column_mark
    blank = pc.match_substring_regex(column, _BLANK_CELL, ignore_case=True)
    filled = pc.if_else(blank, pa.scalar(None, pa.string()), column)
    bare = pc.replace_substring_regex(filled, _IGNORED_MARKS, "")
    bare = pc.replace_substring_regex(bare, r"^\((.*)\)$", r"-\1")
    bare = pc.replace_substring(bare, "−", "-")
    if decimal_mark == "comma":
        bare = pc.replace_substring(pc.replace_substring(bare, ".", ""), ",", ".")
    else:
        bare = pc.replace_substring(bare, ",", "")
    is_clean = pc.match_substring_regex(bare, r"^-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$")
    values = pc.if_else(is_clean, bare, pa.scalar(None, pa.string())).cast(pa.float64()).to_numpy(zero_copy_only=False)
    values = np.array(values, dtype="float64")
    remaining = np.flatnonzero(pc.fill_null(pc.invert(is_clean), False).to_numpy(zero_copy_only=False))
    is_text = np.zeros(len(values), dtype=bool)
    parsed_cells: dict[str, float] = {}
    for row in remaining:
        cell = bare[int(row)].as_py()
        if cell not in parsed_cells:
            parsed_cells[cell] = _parse_suffixed(cell)
        values[row] = parsed_cells[cell]
        is_text[row] = np.isnan(parsed_cells[cell])
    return ParsedNumbers(values, is_text)


def _parse_suffixed(cell: str) -> float:
    """``1.31M`` as 1310000; NaN when the cell is not a number (also for "inf")."""
    match = re.match(r"^(-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(\D{1,5}?)\.?$", cell)
    if match is None or match[2].lower() not in _MULTIPLIERS:
        return float("nan")
    return float(match[1]) * _MULTIPLIERS[match[2].lower()]
