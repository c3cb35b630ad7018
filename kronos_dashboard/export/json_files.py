"""A run as one JSON document: record, limits, summary, and the candles, so that it can be made again from it alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from engine.forecast import COLUMNS, Forecast
from kronos_dashboard.errors import CandleError, RecordError
from kronos_dashboard.evaluation.coverage_note import Measured
from kronos_dashboard.export.metadata import limits
from kronos_dashboard.export.tables import DIGITS, forecast_table
from kronos_dashboard.forecasting.record import RunRecord
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.markets.candles import CandleFrame

__all__ = ["FORMAT", "RunFile", "paths_json", "read_run", "record_json", "run_json"]

FORMAT = "kronos-dashboard run"
_VERSION = 1
_HINT = "Choose a file that was saved as run record, or with --json-out."


@dataclass(frozen=True, kw_only=True, eq=False)
class RunFile:
    """What a JSON file tells of a run."""

    record: RunRecord
    context: CandleFrame | None
    """The candles the model saw; None where the file holds the record alone."""
    truth: CandleFrame | None
    """What came, where it was known."""
    paths: np.ndarray | None
    """float32 [N, H, C] of ``record.forecast_columns``, where the file holds them."""


def record_json(record: RunRecord) -> bytes:
    """The run record alone, as JSON in UTF-8. It holds no candles."""
    return (record.to_json() + "\n").encode()


def run_json(window: Window, forecast: Forecast, record: RunRecord, measured: Measured | None = None) -> bytes:
    """Record, limits, summary and candles, as JSON in UTF-8: all that is needed to make the paths again."""
    return _encoded(_document(window, forecast, record, measured))


def paths_json(window: Window, forecast: Forecast, record: RunRecord, measured: Measured | None = None) -> bytes:
    """``run_json`` with all paths in it."""
    chosen = forecast.paths[:, :, [COLUMNS.index(name) for name in record.forecast_columns]]
    # by way of text: the shortest number that brings the float32 back, not the 17 digits of the same float64
    values = np.asarray(chosen, dtype=np.float32).astype("U").astype(np.float64).tolist()
    paths = {"columns": list(record.forecast_columns), "values": values}
    return _encoded({**_document(window, forecast, record, measured), "paths": paths})


def read_run(data: bytes) -> RunFile:
    """Read what ``record_json``, ``run_json`` or ``paths_json`` wrote.

    Raises:
        RecordError: it is not such a file, it was changed, or its parts contradict each other.
    """
    try:
        values = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise RecordError(f"the run record is not JSON: {error}.", _HINT) from error
    if not isinstance(values, dict) or "format" not in values:
        return RunFile(record=RunRecord.from_document(values), context=None, truth=None, paths=None)
    if (values["format"], values.get("format_version")) != (FORMAT, _VERSION):
        came = f"{values['format']!s:.40} {values.get('format_version')!s:.20}"
        raise RecordError(f"the file must be of the format {FORMAT} {_VERSION}; got {came}.", _HINT)
    record = RunRecord.from_document(values.get("record"))
    candles = values.get("candles")
    if not isinstance(candles, dict) or not {"context", "truth"} <= candles.keys():
        raise RecordError("the file must hold candles with a context and a truth (or null).", _HINT)
    context = _candles(candles["context"], candles, record)
    if context.fingerprint != record.candles_fingerprint:
        raise RecordError(
            f"the record was made from candles with the fingerprint {record.candles_fingerprint[:16]}; those in the "
            f"file have {context.fingerprint[:16]}. They were changed after they were written.",
            "Take the file as it was saved.",
        )
    truth = None if candles["truth"] is None else _candles(candles["truth"], candles, record)
    if truth is not None and not truth.index.equals(record.future_index):
        raise RecordError("the truth in the file does not stand at the bar times of the record.", _HINT)
    return RunFile(record=record, context=context, truth=truth, paths=_paths(values.get("paths"), record))


def _document(window: Window, forecast: Forecast, record: RunRecord, measured: Measured | None) -> dict[str, Any]:
    candles = window.context
    return {
        "format": FORMAT,
        "format_version": _VERSION,
        "limits": limits(record, measured),
        "measured": None if measured is None else measured.document(),
        "record": record.document(),
        "summary": _summary(window, forecast),
        "candles": {
            "interval_s": candles.interval.total_seconds(),
            "has_volume": candles.has_volume,
            "has_amount": candles.has_amount,
            "context": _columns(candles),
            "truth": None if window.truth is None else _columns(window.truth),
        },
    }


def _summary(window: Window, forecast: Forecast) -> dict[str, Any]:
    """The table of steps by column, with what may be asked first."""
    table = forecast_table(window, forecast)
    last = float(window.context.frame["close"].iloc[-1])
    return {
        "last_close": last,
        "share_of_paths_ending_higher": float((forecast.paths[:, -1, 3] > last).mean()),
        "steps": {str(name): [_rounded(value) for value in table[name].tolist()] for name in table.columns},
    }


def _rounded(value: str | float) -> str | float | None:
    if isinstance(value, float):
        return None if np.isnan(value) else float(DIGITS % value)
    return value


def _columns(candles: CandleFrame) -> dict[str, list]:
    times = [bar.isoformat() for bar in candles.index]
    return {"time": times, **{name: candles.frame[name].tolist() for name in COLUMNS}}


def _candles(values: object, about: dict[str, Any], record: RunRecord) -> CandleFrame:
    try:
        frame = pd.DataFrame(values)
        index = pd.DatetimeIndex(pd.to_datetime(frame.pop("time"), utc=True, format="ISO8601"))
        frame = frame.set_axis(index, axis=0)
        return CandleFrame(
            frame=frame,
            symbol=record.symbol,
            interval=pd.Timedelta(seconds=about["interval_s"]),
            session_tz=record.session_tz,
            stamped=record.stamped,
            source=record.source,
            has_volume=bool(about["has_volume"]),
            has_amount=bool(about["has_amount"]),
        )
    except (KeyError, TypeError, ValueError, CandleError) as error:
        raise RecordError(f"the candles in the file cannot be read: {error}", _HINT) from error


def _paths(values: object, record: RunRecord) -> np.ndarray | None:
    if values is None:
        return None
    try:
        if not isinstance(values, dict) or tuple(values["columns"]) != record.forecast_columns:
            raise ValueError("the columns are not those of the record")
        return np.asarray(values["values"], dtype=np.float32)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"the paths in the file cannot be read: {error}.", _HINT) from error


def _encoded(document: dict[str, Any]) -> bytes:
    """Objects over lines, long lists on one."""
    return (_pretty(document, "") + "\n").encode()


def _pretty(value: object, indent: str) -> str:
    if not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    inner = indent + "  "
    rows = (f"{inner}{json.dumps(name, ensure_ascii=False)}: {_pretty(part, inner)}" for name, part in value.items())
    return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
