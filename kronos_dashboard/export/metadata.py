"""What every exported file states: how the forecast was made, and disclaimers."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from urllib.parse import quote, unquote

import pandas as pd

from engine.config import SamplingConfig
from kronos_dashboard.errors import RecordError
from kronos_dashboard.evaluation.coverage_note import CoverageNote
from kronos_dashboard.export.sanitize import comment_lines
from kronos_dashboard.forecasting.record import RunRecord
from kronos_dashboard.messages import Message, msg, sentences, term

__all__ = [
    "FACT_NAMES",
    "NEUTRAL_NOTE",
    "comment_header",
    "describe_path_options",
    "disclaimers",
    "read_header_record",
    "run_details",
    "run_facts",
]

NEUTRAL_NOTE = msg(
    "Direction-neutral: each path is paired with its mirror image. The forecast shows how far the price may "
    "move, not which way."
)
"""Of a forecast whose paths are mirrored (``Forecast.is_mirrored``)."""
_NARROWING_MIN_P = 0.02
"""From this min-p on, bands get noticeably narrower; smaller values only remove rare jumps."""
_MIN_PATHS_FOR_TAILS = 40
"""With fewer paths, less than one lies outside the 95% band on either side."""
_RECORD_PREFIX = "# record: "
_UNQUOTED = " !$&'()*+-./:<=>?@[]^_`{}~\""
"""Characters of the machine-readable line that are not percent-encoded; those that may end a cell (``,;|``) are."""


def describe_path_options(sampling: SamplingConfig) -> Message:
    """Where paths start, and whether they are mirrored, to follow a number of paths.

    Args:
        sampling: as resolved by the model, so that no setting is None.
    """
    if sampling.has_mirror_images:
        return (
            msg("starting at the last close, in antithetic pairs")
            if sampling.anchor_to_last_close
            else msg("starting at the decoded level, in antithetic pairs")
        )
    if sampling.anchor_to_last_close:
        return msg("starting at the last close")
    return msg("starting at the decoded level")


FACT_NAMES: Mapping[str, Message] = {
    "model": msg("Model"),
    "checkpoint": msg("Checkpoint"),
    "tokenizer": msg("Tokenizer"),
    "candles": msg("Candles"),
    "context": msg("Context"),
    "window": msg("Window"),
    "time zone": msg("Time zone"),
    "sampling": msg("Sampling"),
    "seed": msg("Seed"),
    "device": msg("Device"),
    "versions": msg("Versions"),
    "created": msg("Created"),
    "note": msg("Note"),
}
"""Name of a fact in files (``run_facts``) -> its label for people."""


def run_facts(record: RunRecord) -> list[tuple[str, Message]]:
    """How a forecast was made: name (``FACT_NAMES``) and text of each fact, for people."""
    config = record.sampling
    cutoff, last = (_local_time(text, record.session_tz) for text in (record.cutoff, record.future[-1]))
    sampling = msg(
        "{count} paths {start}; temperature {temperature}; top-p {top_p}; top-k {top_k}; min-p {min_p}; limit of "
        "{limit} candles: {overflow}",
        count=config.num_paths,
        start=describe_path_options(config),
        temperature=f"{config.temperature:g}",
        top_p=f"{config.nucleus:g}",
        top_k=config.top_k or msg("off"),
        min_p=f"{config.min_p:g}" if config.min_p else msg("off"),
        limit=record.max_context,
        overflow=record.context_overflow,
    )
    candles = msg(
        "{symbol} {interval} from {source}",
        symbol=record.symbol,
        interval=record.interval,
        source=record.source or msg("an unknown source"),
    )
    window = msg(
        "{context} candles up to {cutoff}; {horizon} steps up to {last}",
        context=record.context_length,
        cutoff=cutoff,
        horizon=record.horizon,
        last=last,
    )
    timezone = msg(
        "{timezone}; timestamps mark the {bar_edge} of a bar",
        timezone=record.session_tz,
        bar_edge=msg("open") if record.timestamp_at == "open" else msg("close"),
    )
    return [
        ("model", term(record.model_label)),
        ("checkpoint", msg("sha256 {digest}", digest=record.weights_sha256 or msg("unknown"))),
        ("tokenizer", msg("sha256 {digest}", digest=record.tokenizer_sha256)),
        ("candles", candles),
        ("context", msg("sha256 {digest}", digest=record.candles_fingerprint)),
        ("window", window),
        ("time zone", timezone),
        ("sampling", sampling),
        ("seed", term(str(config.seed))),
        ("device", msg("{device} in {dtype}", device=record.device, dtype=record.dtype)),
        ("versions", term("; ".join(f"{name} {number}" for name, number in record.versions.items()))),
        ("created", msg("{time}; run {run_id}", time=record.created_at, run_id=record.run_id)),
        *(("note", note if isinstance(note, Message) else term(note)) for note in record.notes),
    ]


def run_details(record: RunRecord) -> list[tuple[Message, str]]:
    """The main facts for the app: translatable names, and texts that are translatable if they consist of words."""
    sampling = record.sampling
    cutoff, last = (
        pd.Timestamp(text).tz_convert(record.session_tz).strftime("%Y-%m-%d %H:%M")
        for text in (record.cutoff, record.future[-1])
    )
    return [
        (msg("Series"), f"{record.symbol} {record.interval}"),
        (msg("Source"), record.source or msg("not stated")),
        (msg("Context"), msg("{count} candles up to {time}", count=f"{record.context_length:,}", time=cutoff)),
        (msg("Horizon"), msg("{count} bars up to {time}", count=f"{record.horizon:,}", time=last)),
        (msg("Model"), record.model_label),
        (msg("Checkpoint"), f"sha256 {record.weights_sha256[:16]}" if record.weights_sha256 else msg("unknown")),
        (msg("Paths"), f"{sampling.num_paths:,}"),
        (
            msg("Sampling"),
            msg(
                "temperature {temperature}, top-p {top_p}, top-k {top_k}, min-p {min_p}, {start}",
                temperature=f"{sampling.temperature:g}",
                top_p=f"{sampling.nucleus:g}",
                top_k=msg("off") if sampling.top_k is None else str(sampling.top_k),
                min_p=f"{sampling.min_p:g}" if sampling.min_p else msg("off"),
                start=describe_path_options(sampling),
            ),
        ),
        (msg("Seed"), str(sampling.seed)),
        (msg("Created"), f"{pd.Timestamp(record.created_at):%Y-%m-%d %H:%M} UTC"),
    ]


def disclaimers(record: RunRecord, coverage_note: CoverageNote | None = None) -> list[Message]:
    """Limits of the numbers, in whole sentences.

    Args:
        record: how the forecast was made.
        coverage_note: what is known about the coverage of its bands; None if it was not looked up.
    """
    config = record.sampling
    texts = [
        msg("These are possible futures sampled by a model. Not a prediction guarantee and not investment advice.")
    ]
    if record.model_name.lower() == "bundled":
        texts.append(
            msg(
                "The bundled model is a small demonstration, not the published Kronos. Its model card compares it with "
                "a random walk."
            )
        )
    if config.has_mirror_images:
        texts.append(NEUTRAL_NOTE)
    texts.append(msg("This window may overlap the model's training data; in that case a good fit proves nothing."))
    texts.append(
        msg(
            "Quantiles are those of the sampled paths. The label of a band is a fraction of paths, not a measured "
            "coverage."
        )
        if coverage_note is None
        else sentences(msg("Quantiles are those of the sampled paths, not of actual prices."), coverage_note.describe())
    )
    is_truncated = config.nucleus < 1 or config.top_k is not None or (config.min_p or 0.0) >= _NARROWING_MIN_P
    if config.temperature < 1 or is_truncated:
        texts.append(msg("A temperature below 1, or dropping unlikely tokens, makes the bands too narrow by design."))
    if config.num_paths < _MIN_PATHS_FOR_TAILS:
        texts.append(
            msg(
                "With {count} paths, each outer quantile depends on one or two paths and changes with the seed.",
                count=config.num_paths,
            )
        )
    texts.append(msg("The model sees only these candles: no news; no other markets; no upcoming events."))
    return texts


def comment_header(record: RunRecord, title: str, coverage_note: CoverageNote | None = None) -> bytes:
    """The comment lines at the top of a CSV: facts, disclaimers, and the record for ``read_header_record``."""
    lines = [
        ("about", f"{title} Lines with # in front are comments: pandas.read_csv(file, comment='#')."),
        *run_facts(record),
        *(("limit", text) for text in disclaimers(record, coverage_note)),
    ]
    encoded = quote(json.dumps(record.to_dict(), separators=(",", ":")), safe=_UNQUOTED)
    return f"{comment_lines(lines)}{_RECORD_PREFIX}{encoded}\n".encode()


def read_header_record(header: bytes) -> RunRecord:
    """The record in comment lines that ``comment_header`` wrote; there may be other lines before and after it.

    Raises:
        RecordError: there is no record, or it cannot be read.
    """
    for line in header.decode("utf-8-sig", errors="replace").splitlines():
        # A spreadsheet that has saved the file may have quoted the line and appended empty cells.
        bare = next(csv.reader([line]), [""])[0] if line.startswith('"') else line.rstrip(",;\t ")
        if bare.startswith(_RECORD_PREFIX):
            return RunRecord.from_json(unquote(bare.removeprefix(_RECORD_PREFIX)))
    raise RecordError(msg("the file has no '# record:' line at the top."), msg("Choose an unmodified exported file."))


def _local_time(text: str, timezone: str) -> str:
    return pd.Timestamp(text).tz_convert(timezone).isoformat()
