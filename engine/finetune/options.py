"""Settings from TOML and from flags to a ``RunConfig``. Every field has a flag: ``--model.rate``, or plain ``--rate``.

A plain name means the field in whichever table has it; one that both stages have is set for both. ``--data X`` is
``--data.path X``. Flags win over the file. An unknown key is refused, with the nearest names.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import itertools
import json
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

from engine.errors import SettingsError
from engine.finetune.config import DataConfig, ModelStage, ProbeConfig, RunConfig, StageConfig, TokenizerStage

__all__ = ["as_dict", "config_from", "describe", "differences", "field_names", "from_dict", "read_toml"]

TABLES: dict[str, type] = {"data": DataConfig, "tokenizer": TokenizerStage, "model": ModelStage, "probe": ProbeConfig}
_SHORT = {"data": "data.path"}


def _hints(cls: type) -> dict[str, Any]:
    known = {one.name for one in fields(cls)}
    return {name: hint for name, hint in typing.get_type_hints(cls).items() if name in known}


def field_names() -> dict[str, Any]:
    """Dotted name of every setting, and its type."""
    plain = {name: hint for name, hint in _hints(RunConfig).items() if name not in TABLES}
    for table, cls in TABLES.items():
        plain |= {f"{table}.{name}": hint for name, hint in _hints(cls).items()}
    return plain


def _resolve(name: str) -> list[str]:
    """The dotted names that ``name`` stands for.

    Raises:
        SettingsError: there is none.
    """
    known, name = field_names(), _SHORT.get(name, name)
    found = [name] if name in known else [dotted for dotted in known if dotted.partition(".")[2] == name]
    if found:
        return found
    raise _unknown(name, [*known, *(dotted.partition(".")[2] for dotted in known)])


def _unknown(name: str, known: Iterable[str]) -> SettingsError:
    near = difflib.get_close_matches(name, sorted({k for k in known if k}), n=3, cutoff=0.55)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return SettingsError(f'there is no setting "{name}".{meant} docs/finetuning.md lists them all, and so does --help.')


def read_toml(path: str | Path) -> dict[str, Any]:
    """The settings of a TOML file by dotted name, as they stand there.

    Raises:
        SettingsError: the file cannot be read or is not TOML, or a key is unknown.
    """
    try:
        tables = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as cause:
        raise SettingsError(f"{path} could not be read: {cause}. Give a TOML file with the settings.") from cause
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise SettingsError(f"{path} is not TOML: {cause}.") from cause
    return _flattened(tables)


def _flattened(tables: Mapping[str, Any]) -> dict[str, Any]:
    known, found = field_names(), dict[str, Any]()
    for key, value in tables.items():
        inner = value.items() if key in TABLES and isinstance(value, Mapping) else None
        for dotted, one in [(f"{key}.{k}", v) for k, v in inner] if inner is not None else [(key, value)]:
            if dotted not in known:
                raise _unknown(dotted, known)
            found[dotted] = one
    return found


def config_from(file: str | Path | None, flags: Iterable[tuple[str, str]]) -> RunConfig:
    """A run's settings from a TOML file (or none) and flags in order, as (name, text).

    Raises:
        SettingsError: an unknown key, or a value that does not fit.
    """
    values = read_toml(file) if file is not None else {}
    hints = field_names()
    for name, text in flags:
        for dotted in _resolve(name.replace("-", "_")):
            values[dotted] = _from_text(dotted, hints[dotted], text)
    return from_dict(values)


def from_dict(values: Mapping[str, Any]) -> RunConfig:
    """A run's settings from dotted names and plain values, or from the nested form of ``as_dict``.

    Raises:
        SettingsError: an unknown key, a missing one, or a value that does not fit.
    """
    hints = field_names()
    parts: dict[str, dict[str, Any]] = {table: {} for table in TABLES}
    plain: dict[str, Any] = {}
    for dotted, value in _spread(values).items():
        if dotted not in hints:
            raise _unknown(dotted, hints)
        table, _, name = dotted.rpartition(".")
        (parts[table] if table else plain)[name or dotted] = _fitted(dotted, hints[dotted], value)
    if "out" not in plain:
        raise SettingsError('a run needs a folder: give out = "runs/NAME" in the file, or --out runs/NAME.')
    made = {table: cls(**parts[table]) for table, cls in TABLES.items()}
    return RunConfig(**plain, **made)


def _spread(values: Mapping[str, Any]) -> dict[str, Any]:
    nested = any(table in values for table in TABLES)
    return _flattened(values) if nested else dict(values)


def as_dict(config: RunConfig) -> dict[str, Any]:
    """Nested plain values, as JSON holds them."""
    return json.loads(json.dumps(asdict(config)))


def differences(one: RunConfig, other: RunConfig, ignored: Iterable[str] = ()) -> list[str]:
    """Dotted names of the settings in which two runs differ."""
    left, right = _flattened(as_dict(one)), _flattened(as_dict(other))
    return sorted(name for name in left if left[name] != right.get(name) and name not in set(ignored))


def _fitted(name: str, hint: Any, value: Any) -> Any:
    """``value`` as the field wants it; whole numbers pass as fractions, lists as tuples.

    Raises:
        SettingsError: it is of another type.
    """
    choices, wanted = _choices(hint), _plain_type(hint)
    if value is None or (value == "none" and wanted is not str):  # TOML has no null
        if type(None) in typing.get_args(hint):
            return None
    elif choices:
        if value in choices:
            return value
        raise SettingsError(f"{name} must be one of {', '.join(map(str, choices))}; got {value!r}.")
    elif wanted is tuple:
        items = [value] if isinstance(value, str) else value
        if isinstance(items, list | tuple) and all(isinstance(item, str) for item in items):
            allowed = _choices(typing.get_args(hint)[0])
            wrong = [item for item in items if allowed and item not in allowed]
            if wrong:
                raise SettingsError(f"{name} takes {', '.join(map(str, allowed))}; got {wrong[0]!r}.")
            return tuple(items)
    elif wanted is dict:
        if isinstance(value, Mapping):
            return dict(value)
    elif wanted is float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    elif isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool)):
        return value
    raise SettingsError(f"{name} must be {_called(hint)}; got {value!r}.")


def _plain_type(hint: Any) -> type:
    """Which of int, float, bool, str, tuple or dict a field holds."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    origin = typing.get_origin(hint) or hint
    return dict if origin is not str and isinstance(origin, type) and issubclass(origin, Mapping) else origin


def _choices(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()


def _called(hint: Any) -> str:
    kinds = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "text",
        tuple: "a list",
        dict: "a table",
    }
    return kinds[_plain_type(hint)]


def _from_text(name: str, hint: Any, text: str) -> Any:
    """A flag's text as the field's value; "none" stands for None, commas part a list, ``k=v`` a table.

    Raises:
        SettingsError: it cannot be read as that.
    """
    wanted = _plain_type(hint)
    if text.lower() == "none" and type(None) in typing.get_args(hint):
        return None
    try:
        if wanted is bool:
            return {"true": True, "yes": True, "1": True, "": True, "false": False, "no": False, "0": False}[
                text.lower()
            ]
        if wanted is tuple:
            return tuple(part.strip() for part in text.split(",") if part.strip())
        if wanted is dict:
            return tomllib.loads("\n".join(_quoted(part) for part in text.split(",") if part.strip()))
        if wanted in (int, float):
            return wanted(text)
    except (KeyError, ValueError, IndexError) as cause:
        raise SettingsError(f"{name} must be {_called(hint)}; got {text!r}.") from cause
    return text


def _quoted(pair: str) -> str:
    """``key=value`` as a line of TOML, text quoted."""
    key, _, value = (part.strip() for part in pair.partition("="))
    plain = value in ("true", "false") or value.replace(".", "", 1).replace("-", "", 1).isdigit()
    return f"{json.dumps(key)} = {value if plain else json.dumps(value)}"


def describe(cls: type = RunConfig, prefix: str = "") -> list[tuple[str, str, str]]:
    """(dotted name, default, text) of every setting, the text being the field's own docstring."""
    rows: list[tuple[str, str, str]] = []
    texts = {name: text for base in reversed(cls.__mro__) if is_dataclass(base) for name, text in _texts(base).items()}
    shared = _texts(StageConfig)
    for one in fields(cls):
        if one.name in TABLES and cls is RunConfig:
            rows += describe(TABLES[one.name], f"{one.name}.")
            continue
        text = texts.get(one.name, "")
        text = shared[one.name] if text == "As above." else text
        default = one.default if not callable(one.default_factory) else one.default_factory()
        rows.append((prefix + one.name, "needed" if one.name == "out" else str(default), " ".join(text.split())))
    return rows


def _texts(cls: type) -> dict[str, str]:
    """Field name to the string that stands under it in the source."""
    (body,) = (node.body for node in ast.parse(inspect.getsource(cls)).body if isinstance(node, ast.ClassDef))
    return {
        before.target.id: after.value.value
        for before, after in itertools.pairwise(body)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }
