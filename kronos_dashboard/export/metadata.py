"""What every file says of itself: how it was made, and what it is not."""

from __future__ import annotations

import csv
import json
from urllib.parse import quote, unquote

import pandas as pd

from kronos_dashboard.errors import RecordError
from kronos_dashboard.evaluation.coverage_note import Measured
from kronos_dashboard.export.sanitize import comment_lines
from kronos_dashboard.forecasting.record import RunRecord, is_mirrored

__all__ = ["LEFT_OPEN", "drawing", "facts", "header_record", "limits", "text_header"]

LEFT_OPEN = (
    "Every second path is mirrored at the last close: this forecast says how far the price may move, not which way."
)
"""Said of a forecast whose paths lean neither up nor down."""
_CUTS = 0.02
"""From this min-p on, bands come out narrower; a smaller one leaves out sudden leaps and little else."""
_RECORD_MARK = "# record: "
_READABLE = " !$&'()*+-./:<=>?@[]^_`{}~\""
"""Letters of the machine-readable line that are not coded; what could end a cell (comma, semicolon, bar) is."""


def drawing(record: RunRecord) -> str:
    """Where the paths of a run begin, and whether every second is mirrored, in a few words."""
    config = record.sampling_config
    begin = "from the last close" if config.from_last_close else "from the model's own level"
    return f"{begin}, every second mirrored" if is_mirrored(config) else begin


def facts(record: RunRecord) -> list[tuple[str, str]]:
    """Name and text of each fact, for people."""
    config = record.sampling_config
    cutoff, last = (_clock(text, record.session_tz) for text in (record.cutoff, record.future[-1]))
    heat = f"temperature {config.temperature:g}; top-p {config.nucleus:g}; top-k {config.top_k or 'off'}"
    least = f"min-p {config.min_p:g}" if config.min_p else "min-p off"
    limit = f"limit of {record.max_context} candles: {record.policy}"
    return [
        ("model", record.model_label),
        ("checkpoint", f"sha256 {record.checkpoint_digest or 'unknown'}"),
        ("tokenizer", f"sha256 {record.tokenizer_digest}"),
        ("candles", f"{record.symbol} {record.interval} from {record.source or 'an unnamed source'}"),
        ("context", f"sha256 {record.candles_fingerprint}"),
        ("window", f"{record.context_length} candles up to {cutoff}; {record.horizon} steps up to {last}"),
        ("clock", f"{record.session_tz}; a bar time is the bar's {record.stamped}"),
        ("sampling", f"{config.num_paths} paths {drawing(record)}; {heat}; {least}; {limit}"),
        ("seed", str(config.seed)),
        ("device", f"{record.device} in {record.dtype}"),
        ("versions", "; ".join(f"{name} {number}" for name, number in record.versions.items())),
        ("created", f"{record.created_at}; run {record.run_id}"),
        *(("note", note) for note in record.notes),
    ]


def limits(record: RunRecord, measured: Measured | None = None) -> list[str]:
    """What a reader must not take the numbers for, in whole sentences.

    Args:
        record: how the forecast was made.
        measured: what is known of its bands; None where nobody has looked.
    """
    config = record.sampling_config
    told = ["These are possible futures that a model has sampled. They are no promise and no advice."]
    if record.model_name.lower() == "bundled":
        told.append(
            "The bundled model is a small demonstration and not the published Kronos. Its model card says how it "
            "scores against a random walk."
        )
    if is_mirrored(config):
        told.append(LEFT_OPEN)
    told.append(
        "A window from before the end of a model's training may be one that it has read: a good fit proves nothing."
    )
    told.append(
        "Quantiles are of the sampled paths. How often the truth falls between two of them is a matter of measurement; "
        "a band deserves the name of its share only with a measured coverage beside it."
        if measured is None
        else f"Quantiles are of the sampled paths, not of what comes. {measured.describe()}"
    )
    cut = config.nucleus < 1 or config.top_k is not None or (config.min_p or 0.0) >= _CUTS
    if config.temperature < 1 or cut:
        told.append("With a temperature below 1 or unlikely tokens cut away the quantiles lie too close by design.")
    if config.num_paths < 40:
        told.append(
            f"With {config.num_paths} paths the outer quantiles rest on one or two of them each and move with the seed."
        )
    told.append("The model saw these candles alone: no news; no other market; no event to come.")
    return told


def text_header(record: RunRecord, title: str, measured: Measured | None = None) -> bytes:
    """The comment lines on top of a CSV: facts, limits, and the record for ``header_record``."""
    lines = [
        ("about", f"{title} Lines with # in front are comments: pandas.read_csv(file, comment='#')."),
        *facts(record),
        *(("limit", text) for text in limits(record, measured)),
    ]
    coded = quote(json.dumps(record.document(), separators=(",", ":")), safe=_READABLE)
    return f"{comment_lines(lines)}{_RECORD_MARK}{coded}\n".encode()


def header_record(header: bytes) -> RunRecord:
    """The record of the comment lines that ``text_header`` wrote (more lines may stand around it).

    Raises:
        RecordError: there is none, or it cannot be read.
    """
    for line in header.decode("utf-8-sig", errors="replace").splitlines():
        # a spreadsheet that saves the file puts the line in quotes and empty cells behind it
        bare = next(csv.reader([line]), [""])[0] if line.startswith('"') else line.rstrip(",;\t ")
        if bare.startswith(_RECORD_MARK):
            return RunRecord.from_json(unquote(bare.removeprefix(_RECORD_MARK)))
    raise RecordError("there is no line '# record:' on top of the file.", "Choose a file as it was exported.")


def _clock(text: str, zone: str) -> str:
    return pd.Timestamp(text).tz_convert(zone).isoformat()
