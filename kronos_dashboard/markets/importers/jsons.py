"""JSON as tables: records, arrays, columns, rows by key; alone, or somewhere inside an answer of an exchange.

Every part of the document that has the shape of a table is a candidate; those with the most rows come first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.importers.column_names import meaning_of
from kronos_dashboard.markets.importers.headers import is_time
from kronos_dashboard.markets.importers.javascript import from_script, looks_like_script
from kronos_dashboard.markets.importers.table import Table

__all__ = ["looks_like_json", "read_json"]

_DEEPEST = 8
_MOST_TABLES = 500
_MOST_COLUMNS = 512
_SCALARS = (str, int, float, bool, type(None))
_HEADERS = ("columns", "column", "column_names", "fields", "header", "headers", "names", "cols")
_SYMBOLS = ("symbol", "ticker", "s", "dataset_code", "name", "instrument", "pair", "market", "code", "secid")


def looks_like_json(data: bytes) -> bool:
    """Whether the text begins like a JSON document, or like a script with one in it."""
    return (
        data.lstrip()[:1] in (b"{", b"[")
        or bool(re.match(rb'\s*"\s*[\[{]\s*[\\"\[{]', data))
        or looks_like_script(data)
    )


def read_json(data: bytes, filename: str, max_rows: int) -> list[Table]:
    """The tables of a document (UTF-8), also of one object a line.

    Raises:
        ImportFailed: it is no JSON, or there is no table in it.
    """
    document = _parse(data, filename)
    found: list[Table] = []
    for table in _tables(document, "", 0, ""):
        if len(table) > max_rows:
            raise ImportFailed(f"the file {filename} has more than {max_rows:,} rows.", "Cut the file.")
        found.append(table)
        if len(found) == _MOST_TABLES:
            break
    if not found:
        raise ImportFailed(
            f"the file {filename} is JSON, but holds no list of candles{_told(document)}.",
            "It must hold a list of objects, a list of lists, or one list per column.",
        )
    return found


def _parse(data: bytes, filename: str) -> Any:
    text = data.decode("utf-8", errors="replace").strip()
    try:
        document = json.loads(text)
        return json.loads(document) if isinstance(document, str) else document
    except RecursionError as error:
        raise ImportFailed(f"the file {filename} is nested too deep.", "Export plain candles.") from error
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            return _by_line(lines) or from_script(text)
        except (ValueError, RecursionError):
            raise ImportFailed(f"the file {filename} is no valid JSON: {error}.", "Download it again.") from error


def _by_line(lines: list[str]) -> list[Any]:
    """One document a line; empty when the lines are none."""
    if len(lines) < 2:
        return []
    try:
        return [json.loads(line.rstrip().rstrip(",")) for line in lines]
    except ValueError:
        return []


def _told(document: Any) -> str:
    """What an error reply says, for the message."""
    if not isinstance(document, dict):
        return ""
    for key in ("Error Message", "error", "message", "Note", "Information", "msg", "errmsg", "retMsg"):
        if isinstance(document.get(key), str) and document[key]:
            return f"; it says {document[key][:120]!r}"
    return ""


def _tables(node: Any, name: str, depth: int, symbol: str) -> Iterator[Table]:
    """Tables at this place, or below it."""
    if depth > _DEEPEST:
        return
    if isinstance(node, list):
        table = _of_list(node, name, symbol)
        if table is not None:
            yield table
            return
        for at, item in enumerate(node[:200]):
            if isinstance(item, dict | list):
                yield from _tables(item, f"{name}[{at}]", depth + 1, symbol)
    elif isinstance(node, dict):
        symbol = _symbol(node) or symbol
        table = _headed(node, name, symbol) or _keyed(node, name, symbol) or _of_columns(node, name, symbol)
        if table is not None:
            yield table
            return
        for key, item in node.items():
            if isinstance(item, dict | list):
                yield from _tables(item, str(key), depth + 1, symbol)
            elif isinstance(item, str) and item.count(",") >= 8:
                yield from _tables(re.split(r"[;\n]", item.strip("; \n")), str(key), depth + 1, symbol)


def _symbol(node: Any, depth: int = 0) -> str:
    """What this part of the document calls the instrument, here or close below."""
    if isinstance(node, list):
        return _symbol(node[0], depth) if len(node) == 1 else ""
    if not isinstance(node, dict):
        return ""
    for key in _SYMBOLS:
        value = node.get(key)
        if isinstance(value, str) and 1 < len(value) <= 40 and value != "ok":
            return value
    below = (_symbol(item, depth + 1) for item in node.values()) if depth < 3 and len(node) <= 20 else ()
    return next((found for found in below if found), "")


def _of_list(node: list, name: str, symbol: str) -> Table | None:
    """Records, or rows of values."""
    if len(node) < 1:
        return None
    if all(isinstance(item, dict) for item in node):
        flat = [_flat(item) for item in node]
        if any(sum(not isinstance(v, list) for v in row.values()) >= 4 for row in flat[:5]):
            return _of_records(flat, name, symbol)
    if all(isinstance(item, str) and item.count(",") >= 4 for item in node):
        node = [item.split(",") for item in node]  # each row is one line of text
    rows = [item for item in node if isinstance(item, list)]
    if len(rows) == len(node) and all(isinstance(cell, _SCALARS) for row in rows[:50] for cell in row[:5]):
        width = max(len(row) for row in rows)
        if 3 <= width <= _MOST_COLUMNS:
            head = rows[0] if all(isinstance(cell, str) for cell in rows[0]) else []
            named = sum(meaning_of(cell) is not None for cell in head) >= 3
            body = rows[1:] if named else rows
            return _table(body, tuple(rows[0]) if named else None, width, name, symbol)
    return None


def _of_records(flat: list[dict[str, Any]], name: str, symbol: str) -> Table:
    names = list(dict.fromkeys(key for row in flat for key in row))[:_MOST_COLUMNS]
    return _table([[row.get(key) for key in names] for row in flat], tuple(names), len(names), name, symbol)


def _headed(node: dict, name: str, symbol: str) -> Table | None:
    """Names in one list, rows in another, and perhaps times in a third: ``{"columns": [...], "data": [[...]]}``."""
    for key in _HEADERS:
        names = node.get(key)
        if not isinstance(names, list) or len(names) < 3 or isinstance(names[0], list):
            continue
        told = [_name(item) for item in names]
        rows = next((v for v in node.values() if v is not names and isinstance(v, list) and v and
                     isinstance(v[0], list) and abs(len(v[0]) - len(told)) <= 1), None)  # fmt: skip
        if rows is None:
            continue
        index = node.get("index")
        if isinstance(index, list) and len(index) == len(rows) and all(isinstance(i, _SCALARS) for i in index):
            told, rows = (
                ["index", *told],
                [[i, *row] for i, row in zip(index, rows, strict=True) if isinstance(row, list)],
            )
        rows = [row for row in rows if isinstance(row, list)]
        return _table(rows, tuple(told), len(told), name, symbol)
    return None


def _name(item: Any) -> str:
    if isinstance(item, dict):
        item = item.get("name", item.get("key", ""))
    return " ".join(map(str, item)) if isinstance(item, list) else str(item)


def _keyed(node: dict, name: str, symbol: str) -> Table | None:
    """Rows by time, ``{"2024-01-02": {"open": ...}}``, or columns by row, ``{"open": {"0": ...}}``."""
    if len(node) < 2 or not all(isinstance(item, dict) for item in node.values()):
        return None
    keys = [str(key) for key in node]
    inner = list(node.values())
    if all(_stamp(key) or key.isdigit() for key in keys[:50]):
        flat = [_flat(item) for item in inner]
        if sum(meaning_of(key) is not None for key in flat[0]) < 3:
            return None
        names = list(dict.fromkeys(key for row in flat for key in row))[:_MOST_COLUMNS]
        rows = [[key, *(row.get(n) for n in names)] for key, row in zip(keys, flat, strict=True)]
        return _table(rows, ("index", *names), len(names) + 1, name, symbol)
    if sum(meaning_of(key) is not None for key in keys) >= 3 and len(inner[0]) >= 2:
        index = list(inner[0])
        if all(isinstance(v, _SCALARS) for column in inner for v in column.values()):
            rows = [[key, *(column.get(key) for column in inner)] for key in index]
            return _table(rows, ("index", *keys), len(keys) + 1, name, symbol)
    return None


def _stamp(key: str) -> bool:
    return is_time(key) or bool(re.fullmatch(r"\d{8,19}", key))


def _of_columns(node: dict, name: str, symbol: str) -> Table | None:
    """Lists of equal length, here or a few levels below: ``{"t": [...], "o": [...]}``."""
    lists = dict(_scalar_lists(node, "", 0))
    if len(lists) < 4:
        return None
    lengths = [len(values) for values in lists.values()]
    length = max(set(lengths), key=lambda n: (lengths.count(n), n))
    columns = {key: values for key, values in lists.items() if len(values) == length}
    if length < 1 or len(columns) < 4 or sum(meaning_of(key) is not None for key in columns) < 4:
        return None
    rows = list(zip(*columns.values(), strict=True))
    return _table(rows, tuple(columns), len(columns), name, symbol)


def _scalar_lists(node: dict, path: str, depth: int) -> Iterator[tuple[str, list]]:
    for key, item in list(node.items())[:_MOST_COLUMNS]:
        if isinstance(item, list) and item and all(isinstance(v, _SCALARS) for v in item):
            # the last key says what it is; a repeated one is told apart by the way to it
            yield (str(key) if path.endswith(("quote", "")) or not path else f"{path}.{key}"), item
        elif isinstance(item, dict) and depth < 3:
            yield from _scalar_lists(item, str(key), depth + 1)
        elif isinstance(item, list) and len(item) == 1 and isinstance(item[0], dict) and depth < 3:
            yield from _scalar_lists(item[0], str(key), depth + 1)


def _flat(record: dict, prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Nested objects with dotted names."""
    out: dict[str, Any] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        value = _bare(value)
        if isinstance(value, dict):
            if depth < 4:
                out.update(_flat(value, f"{name}.", depth + 1))
        else:
            out[name] = value
    return out


def _bare(value: Any) -> Any:
    """One value written as an object: ``{"$numberDecimal": "1.5"}``, ``{"units": "1", "nano": 500000000}``."""
    while isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith("$"):
        value = next(iter(value.values()))
    if isinstance(value, dict) and value.keys() == {"units", "nano"}:
        try:
            return int(value["units"]) + int(value["nano"]) / 1e9
        except (TypeError, ValueError, OverflowError):
            return None
    if isinstance(value, dict) and isinstance(value.get("raw"), int | float) and "fmt" in value:
        return value["raw"]
    return value


def _table(rows: Sequence[Sequence[Any]], names: tuple[str, ...] | None, width: int, name: str, symbol: str) -> Table:
    columns = []
    for at in range(width):
        columns.append(_column([row[at] if at < len(row) else None for row in rows]))
    return Table(columns=tuple(columns), names=names, name=name, symbol=symbol)


def _column(values: list[Any]) -> pa.Array:
    """Numbers where all are numbers, else text."""
    if all(value is None or type(value) in (int, float) for value in values):
        try:
            return pa.array(values, from_pandas=True)
        except (pa.ArrowInvalid, OverflowError, pa.ArrowTypeError):
            pass
    return pa.array([_text(value) for value in values], type=pa.string())


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool | dict | list):
        return ""
    text = repr(value) if isinstance(value, float) else str(value)
    return text.encode("utf-8", errors="replace").decode() if len(text) < 400 else ""
