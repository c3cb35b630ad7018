"""Read JSON: records, arrays, columns or rows by key, at the top level or anywhere inside the response of an API.

Every part of the document with the structure of a table is a candidate; the search goes from the top down.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.importers.column_names import column_meaning
from kronos_dashboard.markets.importers.headers import looks_like_time
from kronos_dashboard.markets.importers.javascript import looks_like_script, parse_script
from kronos_dashboard.markets.importers.read_errors import too_many_rows_error
from kronos_dashboard.markets.importers.table import MAX_COLUMNS, Table
from kronos_dashboard.messages import Message, msg

__all__ = ["looks_like_json", "read_json"]

_MAX_DEPTH = 8
"""Levels that are searched; responses of known APIs nest up to five deep."""
_MAX_TABLES = 500
"""Tables that are returned; only the first few of a document are tried as candles."""
_SCALARS = (str, int, float, bool, type(None))
_HEADER_KEYS = ("columns", "column", "column_names", "fields", "header", "headers", "names", "cols")
"""Keys of a list of column names."""
_SYMBOL_KEYS = ("symbol", "ticker", "s", "dataset_code", "name", "instrument", "pair", "market", "code", "secid")
"""Keys of the name of the instrument."""


def looks_like_json(data: bytes) -> bool:
    """Whether the text begins like a JSON document, or like a script that contains one."""
    return (
        data.lstrip()[:1] in (b"{", b"[")
        or bool(re.match(rb'\s*"\s*[\[{]\s*[\\"\[{]', data))
        or looks_like_script(data)
    )


def read_json(data: bytes, filename: str, max_rows: int) -> list[Table]:
    """Read the tables of a document (UTF-8), or of JSON lines.

    Raises:
        ImportFileError: the text is not JSON, or contains no table.
    """
    document = _parse_document(data, filename)
    tables: list[Table] = []
    for table in _find_tables(document, "", 0, ""):
        if len(table) > max_rows:
            raise too_many_rows_error(filename, max_rows)
        tables.append(table)
        if len(tables) == _MAX_TABLES:
            break
    if not tables:
        raise ImportFileError(
            _error_reply(document, filename),
            msg("It must contain a list of objects, a list of lists, or one list per column."),
        )
    return tables


def _parse_document(data: bytes, filename: str) -> Any:
    text = data.decode("utf-8", errors="replace").strip()
    try:
        document = json.loads(text)
        return json.loads(document) if isinstance(document, str) else document
    except RecursionError as error:
        raise ImportFileError(
            msg("the file {filename} is nested too deeply.", filename=filename),
            msg("Export the candles without nesting."),
        ) from error
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            return _parse_lines(lines) or parse_script(text)
        except (ValueError, RecursionError):
            raise ImportFileError(
                msg("the file {filename} is not valid JSON: {error}.", filename=filename, error=error),
                msg("Download it again."),
            ) from error


def _parse_lines(lines: list[str]) -> list[Any]:
    """One document per line (JSON lines); empty when the lines are something else."""
    if len(lines) < 2:
        return []
    try:
        return [json.loads(line.rstrip().rstrip(",")) for line in lines]
    except ValueError:
        return []


def _error_reply(document: Any, filename: str) -> Message:
    """The error for a document without candles, with the error message of an API where there is one."""
    for key in ("Error Message", "error", "message", "Note", "Information", "msg", "errmsg", "retMsg"):
        if isinstance(document, dict) and isinstance(document.get(key), str) and document[key]:
            return msg(
                "the file {filename} is JSON, but contains no list of candles; it says {reply}.",
                filename=filename,
                reply=repr(document[key][:120]),
            )
    return msg("the file {filename} is JSON, but contains no list of candles.", filename=filename)


def _find_tables(node: Any, name: str, depth: int, symbol: str) -> Iterator[Table]:
    """The tables at this node or below it."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(node, list):
        table = _table_from_list(node, name, symbol)
        if table is not None:
            yield table
            return
        for at, item in enumerate(node[:200]):
            if isinstance(item, dict | list):
                yield from _find_tables(item, f"{name}[{at}]", depth + 1, symbol)
    elif isinstance(node, dict):
        symbol = _find_symbol(node) or symbol
        table = (
            _table_with_header(node, name, symbol)
            or _table_from_keys(node, name, symbol)
            or _table_from_columns(node, name, symbol)
        )
        if table is not None:
            yield table
            return
        for key, item in node.items():
            if isinstance(item, dict | list):
                yield from _find_tables(item, str(key), depth + 1, symbol)
            elif isinstance(item, str) and item.count(",") >= 8:
                yield from _find_tables(re.split(r"[;\n]", item.strip("; \n")), str(key), depth + 1, symbol)


def _find_symbol(node: Any, depth: int = 0) -> str:
    """The name of the instrument at this node, or up to three levels below."""
    if isinstance(node, list):
        return _find_symbol(node[0], depth) if len(node) == 1 else ""
    if not isinstance(node, dict):
        return ""
    for key in _SYMBOL_KEYS:
        value = node.get(key)
        if isinstance(value, str) and 1 < len(value) <= 40 and value != "ok":
            return value
    below = (_find_symbol(item, depth + 1) for item in node.values()) if depth < 3 and len(node) <= 20 else ()
    return next((symbol for symbol in below if symbol), "")


def _table_from_list(node: list, name: str, symbol: str) -> Table | None:
    """A table from records, or from rows of values."""
    if len(node) < 1:
        return None
    if all(isinstance(item, dict) for item in node):
        flat = [_flatten(item) for item in node]
        if any(sum(not isinstance(v, list) for v in row.values()) >= 4 for row in flat[:5]):
            return _table_from_records(flat, name, symbol)
    if all(isinstance(item, str) and item.count(",") >= 4 for item in node):
        node = [item.split(",") for item in node]  # each row is one line of text
    rows = [item for item in node if isinstance(item, list)]
    if len(rows) == len(node) and all(isinstance(cell, _SCALARS) for row in rows[:50] for cell in row[:5]):
        width = max(len(row) for row in rows)
        if 3 <= width <= MAX_COLUMNS:
            head = rows[0] if all(isinstance(cell, str) for cell in rows[0]) else []
            named = sum(column_meaning(cell) is not None for cell in head) >= 3
            body = rows[1:] if named else rows
            return _build_table(body, tuple(rows[0]) if named else None, width, name, symbol)
    return None


def _table_from_records(flat: list[dict[str, Any]], name: str, symbol: str) -> Table:
    names = list(dict.fromkeys(key for row in flat for key in row))[:MAX_COLUMNS]
    return _build_table([[row.get(key) for key in names] for row in flat], tuple(names), len(names), name, symbol)


def _table_with_header(node: dict, name: str, symbol: str) -> Table | None:
    """A table from names in one list, rows in another: ``{"columns": [...], "data": [[...]]}``; times may be apart."""
    for key in _HEADER_KEYS:
        names = node.get(key)
        if not isinstance(names, list) or len(names) < 3 or isinstance(names[0], list):
            continue
        header = [_header_name(item) for item in names]
        rows = next((v for v in node.values() if v is not names and isinstance(v, list) and v and
                     isinstance(v[0], list) and abs(len(v[0]) - len(header)) <= 1), None)  # fmt: skip
        if rows is None:
            continue
        index = node.get("index")
        if isinstance(index, list) and len(index) == len(rows) and all(isinstance(i, _SCALARS) for i in index):
            header, rows = (
                ["index", *header],
                [[i, *row] for i, row in zip(index, rows, strict=True) if isinstance(row, list)],
            )
        rows = [row for row in rows if isinstance(row, list)]
        return _build_table(rows, tuple(header), len(header), name, symbol)
    return None


def _header_name(item: Any) -> str:
    if isinstance(item, dict):
        item = item.get("name", item.get("key", ""))
    return " ".join(map(str, item)) if isinstance(item, list) else str(item)


def _table_from_keys(node: dict, name: str, symbol: str) -> Table | None:
    """A table from rows by time, ``{"2024-01-02": {"open": ...}}``, or columns by row, ``{"open": {"0": ...}}``."""
    if len(node) < 2 or not all(isinstance(item, dict) for item in node.values()):
        return None
    keys = [str(key) for key in node]
    inner = list(node.values())
    if all(_is_timestamp_key(key) or key.isdigit() for key in keys[:50]):
        flat = [_flatten(item) for item in inner]
        if sum(column_meaning(key) is not None for key in flat[0]) < 3:
            return None
        names = list(dict.fromkeys(key for row in flat for key in row))[:MAX_COLUMNS]
        rows = [[key, *(row.get(n) for n in names)] for key, row in zip(keys, flat, strict=True)]
        return _build_table(rows, ("index", *names), len(names) + 1, name, symbol)
    if sum(column_meaning(key) is not None for key in keys) >= 3 and len(inner[0]) >= 2:
        index = list(inner[0])
        if all(isinstance(v, _SCALARS) for column in inner for v in column.values()):
            rows = [[key, *(column.get(key) for column in inner)] for key in index]
            return _build_table(rows, ("index", *keys), len(keys) + 1, name, symbol)
    return None


def _is_timestamp_key(key: str) -> bool:
    return looks_like_time(key) or bool(re.fullmatch(r"\d{8,19}", key))


def _table_from_columns(node: dict, name: str, symbol: str) -> Table | None:
    """A table from lists of equal length, here or a few levels below: ``{"t": [...], "o": [...]}``."""
    lists = dict(_scalar_lists(node, "", 0))
    if len(lists) < 4:
        return None
    lengths = [len(values) for values in lists.values()]
    length = max(set(lengths), key=lambda n: (lengths.count(n), n))
    columns = {key: values for key, values in lists.items() if len(values) == length}
    if length < 1 or len(columns) < 4 or sum(column_meaning(key) is not None for key in columns) < 4:
        return None
    rows = list(zip(*columns.values(), strict=True))
    return _build_table(rows, tuple(columns), len(columns), name, symbol)


def _scalar_lists(node: dict, path: str, depth: int) -> Iterator[tuple[str, list]]:
    for key, item in list(node.items())[:MAX_COLUMNS]:
        if isinstance(item, list) and item and all(isinstance(v, _SCALARS) for v in item):
            # the last key names the column; repeated keys get their path in front
            yield (str(key) if path.endswith(("quote", "")) or not path else f"{path}.{key}"), item
        elif isinstance(item, dict) and depth < 3:
            yield from _scalar_lists(item, str(key), depth + 1)
        elif isinstance(item, list) and len(item) == 1 and isinstance(item[0], dict) and depth < 3:
            yield from _scalar_lists(item[0], str(key), depth + 1)


def _flatten(record: dict, prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Nested objects as one, with dotted names."""
    out: dict[str, Any] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        value = _unwrap_value(value)
        if isinstance(value, dict):
            if depth < 4:
                out.update(_flatten(value, f"{name}.", depth + 1))
        else:
            out[name] = value
    return out


def _unwrap_value(value: Any) -> Any:
    """A value that is written as an object: ``{"$numberDecimal": "1.5"}``, ``{"units": "1", "nano": 500000000}``."""
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


def _build_table(
    rows: Sequence[Sequence[Any]], names: tuple[str, ...] | None, width: int, name: str, symbol: str
) -> Table:
    columns = []
    for at in range(width):
        columns.append(_build_column([row[at] if at < len(row) else None for row in rows]))
    return Table(columns=tuple(columns), names=names, name=name, symbol=symbol)


def _build_column(values: list[Any]) -> pa.Array:
    """A numeric column where all values are numbers, else text."""
    if all(value is None or type(value) in (int, float) for value in values):
        try:
            return pa.array(values, from_pandas=True)
        except (pa.ArrowInvalid, OverflowError, pa.ArrowTypeError):
            pass
    return pa.array([_cell_text(value) for value in values], type=pa.string())


def _cell_text(value: Any) -> str:
    """A value as text; long texts, objects and lists are blank, since they are neither times nor numbers."""
    if value is None or isinstance(value, bool | dict | list):
        return ""
    text = repr(value) if isinstance(value, float) else str(value)
    return text.encode("utf-8", errors="replace").decode() if len(text) < 400 else ""
