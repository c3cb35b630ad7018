"""Settings from TOML files and flags to a ``RunConfig``.

Every field has a flag with its dotted name, for example ``--model.learning_rate``; ``--data X`` is short for
``--data.train X``. Flags override the file. Unknown keys are rejected with suggestions.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from engine.finetune.config import RunConfig, describe_field
from engine.finetune.errors import FinetuneConfigError
from engine.finetune.legacy_keys import OLDER_TABLES, upgrade_settings
from engine.messages import join_messages, msg, sentences

__all__ = ["changed_settings", "describe_settings", "field_types", "from_dict", "load_config", "read_toml", "to_dict"]

TABLES = tuple(name for name, hint in get_type_hints(RunConfig).items() if is_dataclass(hint))
_SHORT_FLAGS = {"data": "data.train"}
_BOOLEANS = {"true": True, "yes": True, "1": True, "": True, "false": False, "no": False, "0": False}


def field_types() -> dict[str, Any]:
    """Dotted name of every setting to its type."""
    result: dict[str, Any] = {}
    for name, hint in get_type_hints(RunConfig).items():
        inner = get_type_hints(hint) if name in TABLES else {}
        result |= {f"{name}.{key}": value for key, value in inner.items()} or {name: hint}
    return result


def _unknown_key_error(name: str) -> FinetuneConfigError:
    known = list(field_types())
    # a name without its table is the most common slip, so the last parts are compared too
    endings = difflib.get_close_matches(name, {key.rpartition(".")[2] for key in known}, n=2, cutoff=0.55)
    similar = difflib.get_close_matches(name, known, n=3, cutoff=0.55)
    similar += [key for key in known if key.rpartition(".")[2] in endings and key not in similar]
    hint = ""
    if similar:
        hint = msg("Did you mean {near}?", near=join_messages(similar[:3], "{left} or {right}"))
    return FinetuneConfigError(
        sentences(
            msg('there is no setting "{name}".', name=name),
            hint,
            msg("All settings are listed in docs/finetuning.md and by --help."),
        )
    )


def read_toml(path: str | Path) -> dict[str, Any]:
    """The settings of a TOML file by dotted name, values unchecked.

    Raises:
        FinetuneConfigError: the file cannot be read or is not TOML, or a key is unknown.
    """
    try:
        tables = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as cause:
        raise FinetuneConfigError(
            msg("{path} could not be read: {cause}. Specify a TOML file with the settings.", path=path, cause=cause)
        ) from cause
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise FinetuneConfigError(msg("{path} is not valid TOML: {cause}.", path=path, cause=cause)) from cause
    return _flatten(tables)


def _flatten(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings by dotted name, with current key names.

    Raises:
        FinetuneConfigError: a key is unknown.
    """
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        if key in (*TABLES, *OLDER_TABLES) and isinstance(value, Mapping):
            flat |= {f"{key}.{name}": inner for name, inner in value.items()}
        else:
            flat[key] = value
    flat, known = upgrade_settings(flat), field_types()
    for name in flat:
        if name not in known:
            raise _unknown_key_error(name)
    return flat


def load_config(file: str | Path | None, flags: Iterable[tuple[str, str]]) -> RunConfig:
    """A run's settings from a TOML file, if any, and flags in order as (name, text).

    Raises:
        FinetuneConfigError: a key is unknown, or a value is invalid.
    """
    values = read_toml(file) if file is not None else {}
    types_by_name = field_types()
    for flag, text in flags:
        name = flag.replace("-", "_")
        name = _SHORT_FLAGS.get(name, name)
        if name not in types_by_name:
            raise _unknown_key_error(name)
        values[name] = _parse_flag(types_by_name[name], text)
    return _build(values)


def from_dict(values: Mapping[str, Any]) -> RunConfig:
    """A run's settings from the nested values of ``to_dict``.

    Raises:
        FinetuneConfigError: a key is unknown or missing, or a value is invalid.
    """
    return _build(_flatten(values))


def _build(values: Mapping[str, Any]) -> RunConfig:
    """A run's settings from plain values by dotted name."""
    nested: dict[str, Any] = {}
    for dotted, value in values.items():
        table, _, name = dotted.rpartition(".")
        (nested.setdefault(table, {}) if table else nested)[name] = value
    return RunConfig(**nested)


def to_dict(config: RunConfig) -> dict[str, Any]:
    """Nested plain values, as JSON holds them."""
    return json.loads(json.dumps(asdict(config)))


def changed_settings(one: RunConfig, other: RunConfig, ignored: Iterable[str] = ()) -> list[str]:
    """Dotted names of the settings in which two runs differ."""
    left, right = _flatten(to_dict(one)), _flatten(to_dict(other))
    return sorted(name for name in left if left[name] != right.get(name) and name not in set(ignored))


def _plain_type(hint: Any) -> Any:
    """The first type in an annotation, without its parameters: int, float, bool, str, tuple, Mapping or Literal."""
    first = get_args(hint)[0] if get_origin(hint) in (Union, UnionType) else hint
    return get_origin(first) or first


def _parse_flag(hint: Any, text: str) -> Any:
    """The value of a flag: "none" is None, commas separate the items of a list, ``k=v`` those of a table.

    Text that cannot be parsed is returned as it is, for the validation to reject.
    """
    if text.lower() == "none" and type(None) in get_args(hint):
        return None
    target = _plain_type(hint)
    if target is bool:
        return _BOOLEANS.get(text.lower(), text)
    items = [item.strip() for item in text.split(",") if item.strip()]
    if target is tuple:
        return items
    with suppress(ValueError):
        if target is Mapping:
            return tomllib.loads("\n".join(map(_to_toml_line, items)))
        if target in (int, float):
            return target(text)
    return text


def _to_toml_line(pair: str) -> str:
    """``key=value`` as a line of TOML; text is quoted."""
    key, _, value = (side.strip() for side in pair.partition("="))
    is_literal = value in ("true", "false") or value.replace(".", "", 1).replace("-", "", 1).isdigit()
    return f"{json.dumps(key)} = {value if is_literal else json.dumps(value)}"


def describe_settings() -> list[tuple[str, str, str]]:
    """(dotted name, default, help text) of every setting."""
    defaults, rows = RunConfig(output_dir="required"), []
    for dotted in field_types():
        table, _, name = dotted.rpartition(".")
        part = getattr(defaults, table) if table else defaults
        text = " ".join(describe_field(type(part), name).split())
        rows.append((dotted, str(getattr(part, name)), text))
    return rows
