"""Runs as JSON: the record alone, or a bundle of record, disclaimers, summary and candles that reproduces the run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from engine.forecast import COLUMNS, Forecast
from kronos_dashboard.errors import InvalidCandlesError, RecordError
from kronos_dashboard.evaluation.coverage_note import CoverageNote
from kronos_dashboard.export.metadata import disclaimers
from kronos_dashboard.export.tables import DIGITS, forecast_table
from kronos_dashboard.forecasting.record import RunRecord
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.messages import msg

__all__ = ["FORMAT", "RunBundle", "read_bundle", "write_bundle", "write_paths_json", "write_record"]

FORMAT = "kronos-dashboard run"
_VERSION = 1
_HINT = msg("Choose a file that was saved as a run record, or with --bundle-output.")


@dataclass(frozen=True, kw_only=True, eq=False)
class RunBundle:
    """The content of an exported file about a run."""

    record: RunRecord
    context: CandleFrame | None
    """The candles that the model saw; None if the file does not contain them."""
    actual: CandleFrame | None
    """The actuals, if they were known."""
    paths: np.ndarray | None
    """float32 [N, H, C] in the columns ``record.forecast_columns``; None if the file does not contain them."""


def write_record(record: RunRecord) -> bytes:
    """The run record as JSON in UTF-8, without candles."""
    return (record.to_json() + "\n").encode()


def write_bundle(
    window: Window, forecast: Forecast, record: RunRecord, coverage_note: CoverageNote | None = None
) -> bytes:
    """Record, disclaimers, summary and candles as JSON in UTF-8: everything needed to reproduce the paths."""
    return _encode(_to_dict(window, forecast, record, coverage_note))


def write_paths_json(
    window: Window, forecast: Forecast, record: RunRecord, coverage_note: CoverageNote | None = None
) -> bytes:
    """``write_bundle`` with all paths in it."""
    selected = forecast.paths[:, :, [COLUMNS.index(name) for name in record.forecast_columns]]  # [N, H, C]
    # Through text: the shortest number that restores the float32, instead of the 17 digits of the same float64.
    values = np.asarray(selected, dtype=np.float32).astype("U").astype(np.float64).tolist()
    paths = {"columns": list(record.forecast_columns), "values": values}
    return _encode({**_to_dict(window, forecast, record, coverage_note), "paths": paths})


def read_bundle(data: bytes) -> RunBundle:
    """Read what ``write_record``, ``write_bundle`` or ``write_paths_json`` wrote.

    Raises:
        RecordError: it is not such a file, it was changed, or its parts are inconsistent.
    """
    try:
        values = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise RecordError(msg("the run record is not valid JSON: {error}.", error=error), _HINT) from error
    if not isinstance(values, dict) or "format" not in values:
        return RunBundle(record=RunRecord.from_dict(values), context=None, actual=None, paths=None)
    if (values["format"], values.get("format_version")) != (FORMAT, _VERSION):
        value = f"{values['format']!s:.40} {values.get('format_version')!s:.20}"
        raise RecordError(
            msg(
                "the file format must be {format} {version}; got {value}.",
                format=FORMAT,
                version=_VERSION,
                value=value,
            ),
            _HINT,
        )
    record = RunRecord.from_dict(values.get("record"))
    candles = values.get("candles")
    if not isinstance(candles, dict) or not {"context", "truth"} <= candles.keys():
        raise RecordError(msg("the file must contain candles with a context and actuals (or null)."), _HINT)
    context = _candles(candles["context"], candles, record)
    if context.fingerprint != record.candles_fingerprint:
        raise RecordError(
            msg(
                "the record was made from candles with the fingerprint {candles_fingerprint}; those in the "
                "file have {fingerprint}. They were changed after the export.",
                candles_fingerprint=record.candles_fingerprint[:16],
                fingerprint=context.fingerprint[:16],
            ),
            msg("Use the file as it was saved."),
        )
    actual = None if candles["truth"] is None else _candles(candles["truth"], candles, record)
    if actual is not None and not actual.index.equals(record.future_index):
        raise RecordError(msg("the actuals in the file do not match the bar times of the record."), _HINT)
    return RunBundle(record=record, context=context, actual=actual, paths=_paths(values.get("paths"), record))


def _to_dict(
    window: Window, forecast: Forecast, record: RunRecord, coverage_note: CoverageNote | None
) -> dict[str, Any]:
    candles = window.context
    return {
        "format": FORMAT,
        "format_version": _VERSION,
        "limits": disclaimers(record, coverage_note),
        "measured": None if coverage_note is None else coverage_note.to_dict(),
        "record": record.to_dict(),
        "summary": _summary(window, forecast),
        "candles": {
            "interval_s": candles.interval.total_seconds(),
            "has_volume": candles.has_volume,
            "has_amount": candles.has_amount,
            "context": _columns(candles),
            "truth": None if window.actual is None else _columns(window.actual),
        },
    }


def _summary(window: Window, forecast: Forecast) -> dict[str, Any]:
    """The table of steps by column, with the most important numbers first."""
    table = forecast_table(window, forecast)
    last = float(window.context.frame["close"].iloc[-1])
    return {
        "last_close": last,
        "share_of_paths_ending_higher": forecast.prob_higher(last),
        "steps": {str(name): [_round(value) for value in table[name].tolist()] for name in table.columns},
    }


def _round(value: str | float) -> str | float | None:
    if isinstance(value, float):
        return None if np.isnan(value) else float(DIGITS % value)
    return value


def _columns(candles: CandleFrame) -> dict[str, list]:
    times = [bar.isoformat() for bar in candles.index]
    return {"time": times, **{name: candles.frame[name].tolist() for name in COLUMNS}}


def _candles(values: object, properties: dict[str, Any], record: RunRecord) -> CandleFrame:
    try:
        frame = pd.DataFrame(values)
        index = pd.DatetimeIndex(pd.to_datetime(frame.pop("time"), utc=True, format="ISO8601"))
        frame = frame.set_axis(index, axis=0)
        return CandleFrame(
            frame=frame,
            symbol=record.symbol,
            interval=pd.Timedelta(seconds=properties["interval_s"]),
            session_tz=record.session_tz,
            timestamp_at=record.timestamp_at,
            source=record.source,
            has_volume=bool(properties["has_volume"]),
            has_amount=bool(properties["has_amount"]),
        )
    except (KeyError, TypeError, ValueError, InvalidCandlesError) as error:
        raise RecordError(msg("the candles in the file cannot be read: {error}", error=error), _HINT) from error


def _paths(values: object, record: RunRecord) -> np.ndarray | None:
    if values is None:
        return None
    try:
        if not isinstance(values, dict) or tuple(values["columns"]) != record.forecast_columns:
            raise ValueError("the columns are not those of the record")
        return np.asarray(values["values"], dtype=np.float32)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(msg("the paths in the file cannot be read: {error}.", error=error), _HINT) from error


def _encode(document: dict[str, Any]) -> bytes:
    """JSON in UTF-8 with a line per entry of an object; lists stay on one line."""
    return (_dump(document, "") + "\n").encode()


def _dump(value: object, indent: str) -> str:
    if not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    inner = indent + "  "
    rows = (f"{inner}{json.dumps(name, ensure_ascii=False)}: {_dump(entry, inner)}" for name, entry in value.items())
    return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
