"""Reproduce a recorded run from the same candles and the same weights, or fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from kronos_dashboard.cli.candle_files import load_candles
from kronos_dashboard.cli.forecast import check_num_paths
from kronos_dashboard.cli.options import FileOptions, ModelOptions
from kronos_dashboard.cli.outputs import ForecastResult
from kronos_dashboard.cli.progress import ProgressBars
from kronos_dashboard.errors import RecordError
from kronos_dashboard.export import RunBundle, read_export
from kronos_dashboard.forecasting.record import OLD_MIRRORING_NOTE
from kronos_dashboard.forecasting.run import Predictor, RunRecord, model_fields, run_forecasts
from kronos_dashboard.forecasting.windows import Window, check_lengths
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.messages import msg
from kronos_dashboard.models.loading import load_model
from kronos_dashboard.settings import Settings

if TYPE_CHECKING:
    from engine.generation.request import ContextOverflow

__all__ = ["reproduce_run"]

_REQUIRED_FIELDS = {
    "weights_sha256": ("the weights", "Choose the matching model with --model."),
    "tokenizer_sha256": ("the tokenizer", "Choose the matching model with --model."),
    "clip": ("a clip of", "Run the forecast in Python, as it was run originally."),
}
"""Field of a record that must be the same -> its name in the message, and the hint."""
_DIGEST_LENGTH = 16
"""Characters of a digest in a message."""


def reproduce_run(
    run: str, data: str | None, file_options: FileOptions, model_options: ModelOptions, settings: Settings
) -> ForecastResult:
    """Compute a recorded run again, with the same numbers to the last digit; its record is kept as it is.

    Args:
        run: file that was exported of the run.
        data: file of its candles; None = ``run`` contains them.
        file_options: how to read ``data``.
        model_options: where the model is, if not where the record says.
        settings: limits of files and forecasts.

    Raises:
        RecordError: the record, the candles or the model are not those of the run, or the numbers differ.
        DashboardError, EngineError: a file cannot be read, or the model cannot be loaded.
    """
    bundle = read_export(_read_bytes(Path(run), settings))
    record = bundle.record
    if OLD_MIRRORING_NOTE in record.notes:
        raise RecordError(OLD_MIRRORING_NOTE, msg("Use the release that saved it, or run the forecast again."))
    check_lengths(record.context_length, record.horizon, settings)
    check_num_paths(record.sampling, settings)
    window = _recorded_window(bundle, data, file_options, settings)
    name = model_options.model or record.model_name
    with ProgressBars() as progress:
        predictor = load_model(
            name,
            device=model_options.device or record.device,
            dtype=record.dtype,
            max_context=record.max_context,
            progress=progress.on_download,
        )
        _check_model(record, predictor, name)
        [(forecast, new_record)] = run_forecasts(
            [window],
            record.sampling,
            predictor,
            progress.on_step,
            model_name=name,
            context_overflow=cast("ContextOverflow", record.context_overflow),
        )
    _check_paths(record, new_record)
    return ForecastResult(window=window, forecast=forecast, record=record, is_reproduced=True)


def _read_bytes(path: Path, settings: Settings) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(settings.max_upload_bytes + 1)
    except OSError as error:
        raise RecordError(
            msg("the run record {path} cannot be read: {error}.", path=path, error=error.strerror),
            msg("Check the path."),
        ) from error
    if len(data) > settings.max_upload_bytes:
        raise RecordError(
            msg(
                "the run record {path} is larger than {limit} MB.",
                path=path,
                limit=settings.max_upload_mb,
            ),
            msg("Save it without the paths."),
        )
    return data


def _recorded_window(bundle: RunBundle, data: str | None, options: FileOptions, settings: Settings) -> Window:
    """The window of the run, from ``--data`` or from the exported file itself."""
    record = bundle.record
    if data is not None:
        context, actual = _read_window(record, data, options, settings)
    elif bundle.context is not None:
        context, actual = bundle.context, bundle.actual
    else:
        raise RecordError(
            msg("the run record contains no candles."), msg("Specify the file they came from with --data FILE.")
        )
    if len(context) != record.context_length or context.index[-1].isoformat() != record.cutoff:
        raise RecordError(
            msg(
                "the run record describes {context_length} candles up to {cutoff}; its candles are {count} up "
                "to {index}.",
                context_length=record.context_length,
                cutoff=record.cutoff,
                count=len(context),
                index=context.index[-1].isoformat(),
            ),
            msg("Use the file as it was saved."),
        )
    return Window(context=context, future=record.future_index, actual=actual)


def _read_window(
    record: RunRecord, file: str, options: FileOptions, settings: Settings
) -> tuple[CandleFrame, CandleFrame | None]:
    """Context and actual candles of the run from a file, with the name and timezone of the record.

    Raises:
        RecordError: the context is not that of the record.
    """
    options = replace(options, timezone=options.timezone or record.session_tz)
    imported = load_candles(file, options, settings).candles
    candles = replace(imported, symbol=record.symbol, session_tz=record.session_tz, timestamp_at=record.timestamp_at)
    future = record.future_index
    row = int(candles.index.searchsorted(record.cutoff_time, side="right"))
    context = candles.rows(max(0, row - record.context_length), row)
    fingerprint = context.fingerprint if len(context) else "none"
    if fingerprint != record.candles_fingerprint:
        raise RecordError(
            msg(
                "the record was made from candles with the fingerprint {candles_fingerprint}; the {count} "
                "candles up to {cutoff} in {candles} have {actual}.",
                candles_fingerprint=record.candles_fingerprint[:_DIGEST_LENGTH],
                count=len(context),
                cutoff=record.cutoff,
                candles=file,
                actual=fingerprint[:_DIGEST_LENGTH],
            ),
            msg("Use the original file with the original options (such as --tz and --interval)."),
        )
    after = candles.rows(row, row + len(future))
    return context, after if after.index.equals(future) else None


def _check_model(record: RunRecord, predictor: Predictor, name: str) -> None:
    model = model_fields(predictor)
    for field, (what, hint) in _REQUIRED_FIELDS.items():
        expected, actual = getattr(record, field), model[field]
        if expected != actual:
            raise RecordError(
                msg(
                    "the run was made with {what} {expected}; {name} has {value}.",
                    what=what,
                    expected=str(expected)[:_DIGEST_LENGTH] or msg("unknown"),
                    name=name,
                    value=str(actual)[:_DIGEST_LENGTH],
                ),
                hint,
            )


def _check_paths(record: RunRecord, new_record: RunRecord) -> None:
    if new_record.paths_sha256 == record.paths_sha256:
        return
    there, here = (
        f"{run.device} with {', '.join(f'{name} {number}' for name, number in run.versions.items())}"
        for run in (record, new_record)
    )
    raise RecordError(
        msg(
            "the result differs: the paths of the record have the digest {paths_sha256}, these have {actual}. "
            "The record was made on {recorded_setup}; this is {current_setup}. Nothing was written.",
            paths_sha256=record.paths_sha256[:_DIGEST_LENGTH],
            actual=new_record.paths_sha256[:_DIGEST_LENGTH],
            recorded_setup=there,
            current_setup=here,
        ),
        msg(
            "Use the same kind of device and the same versions, or run a new forecast of this window without a record."
        ),
    )
