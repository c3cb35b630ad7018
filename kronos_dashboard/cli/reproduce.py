"""A recorded run made again: from the same candles and the same weights, or not at all."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from kronos_dashboard.cli.outputs import Made
from kronos_dashboard.cli.progress import ProgressLine
from kronos_dashboard.cli.shared import check_paths, load_file
from kronos_dashboard.errors import RecordError
from kronos_dashboard.export import RunFile, read_exported
from kronos_dashboard.forecasting.run import Predictor, RunRecord, made_by, run
from kronos_dashboard.forecasting.windows import Window, check_lengths
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.models.loading import load_model
from kronos_dashboard.settings import Settings

if TYPE_CHECKING:
    from engine.generation.generate import WindowPolicy

__all__ = ["make_again"]

_SAME = {
    "checkpoint_digest": ("the weights", "Name the right model with --model."),
    "tokenizer_digest": ("the tokenizer", "Name the right model with --model."),
    "clip": ("a clip of", "Make the forecast in Python, as it was made."),
}
"""Field of a record -> what it is, and what to do when it is not the same."""
_SHOWN = 16


def make_again(options: argparse.Namespace, settings: Settings) -> Made:
    """The run that ``--from-record`` names, to the last digit; its record stays as it was.

    Raises:
        RecordError: the record, the candles or the model are not those of the run, or other numbers came out.
        DashboardError, EngineError: a file cannot be read, or the model cannot be had.
    """
    told = read_exported(_bytes(Path(options.from_record), settings))
    record = told.record
    check_lengths(record.context_length, record.horizon, settings)
    check_paths(record.sampling_config, settings)
    window = _window(told, options, settings)
    name = options.model or record.model_name
    with ProgressLine(shown=sys.stderr.isatty()) as progress:
        predictor = load_model(
            name,
            device=options.device or record.device,
            dtype=record.dtype,
            max_context=record.max_context,
            progress=progress.download,
        )
        _check_model(record, predictor, name)
        [(forecast, found)] = run(
            [window],
            record.sampling_config,
            predictor,
            progress.step,
            model_name=name,
            policy=cast("WindowPolicy", record.policy),
        )
    _check_numbers(record, found)
    return Made(window=window, forecast=forecast, record=record, again=True)


def _bytes(path: Path, settings: Settings) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(settings.max_upload_bytes + 1)
    except OSError as error:
        raise RecordError(f"the run record {path} cannot be read: {error.strerror}.", "Check the path.") from error
    if len(data) > settings.max_upload_bytes:
        raise RecordError(
            f"the run record {path} is larger than {settings.max_upload_mb} MB.", "Save it without paths."
        )
    return data


def _window(told: RunFile, options: argparse.Namespace, settings: Settings) -> Window:
    """The window of the run, from ``--candles`` or from what the file itself holds."""
    record = told.record
    if options.candles is not None:
        context, truth = _from_file(record, options, settings)
    elif told.context is not None:
        context, truth = told.context, told.truth
    else:
        raise RecordError("the run record holds no candles.", "Name the file that they came from with --candles FILE.")
    if len(context) != record.context_length or context.index[-1].isoformat() != record.cutoff:
        raise RecordError(
            f"the run record is of {record.context_length} candles up to {record.cutoff}; its candles are "
            f"{len(context)} up to {context.index[-1].isoformat()}.",
            "Take the file as it was saved.",
        )
    return Window(context=context, future=record.future_index, truth=truth)


def _from_file(
    record: RunRecord, options: argparse.Namespace, settings: Settings
) -> tuple[CandleFrame, CandleFrame | None]:
    """Context and truth from a file, read on the record's clock and named as there.

    Raises:
        RecordError: the context is not that of the record.
    """
    named = {"file": options.candles, "session_tz": options.session_tz or record.session_tz}
    read = load_file(argparse.Namespace(**{**vars(options), **named}), settings).candles
    candles = replace(read, symbol=record.symbol, session_tz=record.session_tz, stamped=record.stamped)
    future = record.future_index
    row = int(candles.index.searchsorted(record.cutoff_time, side="right"))
    context = candles.rows(max(0, row - record.context_length), row)
    found = context.fingerprint if len(context) else "none"
    if found != record.candles_fingerprint:
        raise RecordError(
            f"the record was made from candles with the fingerprint {record.candles_fingerprint[:_SHOWN]}; the "
            f"{len(context)} candles up to {record.cutoff} in {options.candles} have {found[:_SHOWN]}.",
            "Take the file of that time, with the options of that time (such as --tz and --interval).",
        )
    after = candles.rows(row, row + len(future))
    return context, after if after.index.equals(future) else None


def _check_model(record: RunRecord, predictor: Predictor, name: str) -> None:
    here = made_by(predictor)
    for field, (what, hint) in _SAME.items():
        wanted, came = getattr(record, field), here[field]
        if wanted != came:
            raise RecordError(
                f"the run was made with {what} {str(wanted)[:_SHOWN] or 'unknown'}; {name} has {str(came)[:_SHOWN]}.",
                hint,
            )


def _check_numbers(record: RunRecord, found: RunRecord) -> None:
    if found.paths_digest == record.paths_digest:
        return
    there, here = (
        f"{made.device} with {', '.join(f'{name} {number}' for name, number in made.versions.items())}"
        for made in (record, found)
    )
    raise RecordError(
        f"other numbers came out: the paths of the record have the digest {record.paths_digest[:_SHOWN]}, these "
        f"{found.paths_digest[:_SHOWN]}. It was made on {there}; this is {here}. Nothing was written.",
        "Use the same kind of device and the same versions, or make a new forecast of this window without a record.",
    )
