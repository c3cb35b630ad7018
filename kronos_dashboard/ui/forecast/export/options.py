"""The files that a forecast can be taken along as, each made only when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from kronos_dashboard.export import file_stem, forecast_csv, paths_csv, paths_parquet, report_html, run_json
from kronos_dashboard.forecasting.record import RunRecord
from kronos_dashboard.ui.forecast.coverage_line import measured_result
from kronos_dashboard.ui.forecast.sampling import drawn_as
from kronos_dashboard.ui.i18n import t

if TYPE_CHECKING:
    from kronos_dashboard.ui.forecast.runs import Result

__all__ = ["Offer", "command_of", "facts_table", "offers"]

_BYTES_PER_ROW = 130
"""Most that one row of all paths takes as text."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One file."""

    key: str
    label: str
    name: str
    mime: str
    icon: str
    help: str
    make: Callable[[], bytes]
    too_large: bool = False
    """Whether it would be larger than any file that is read here again."""


def offers(result: Result, revealed: int, most_bytes: int) -> tuple[Offer, ...]:
    """All files of a forecast.

    Args:
        result: what they are of.
        revealed: how many steps of what came the reader has uncovered. Before all of them are, no file holds any.
        most_bytes: bound of a file of text.
    """
    window, forecast, record, known = result.window, result.forecast, result.record, measured_result(result)
    if window.truth is not None and revealed < len(window.truth):
        window = replace(window, truth=None)
    stem, rows = file_stem(record), forecast.num_paths * forecast.horizon
    return (
        Offer(
            key="take_steps",
            label=t("Forecast (CSV)"),
            name=f"{stem}.csv",
            mime="text/csv",
            icon=":material/table:",
            help=t("A row per step: one real path near the middle, the median and quantiles of close, high and low."),
            make=lambda: forecast_csv(window, forecast, record, known),
        ),
        Offer(
            key="take_paths_csv",
            label=t("All paths (CSV)"),
            name=f"{stem}_paths.csv",
            mime="text/csv",
            icon=":material/table_rows:",
            help=t("A row per path and step, {rows} rows.", rows=f"{rows:,}"),
            make=lambda: paths_csv(forecast, record, known),
            too_large=rows * _BYTES_PER_ROW > most_bytes,
        ),
        Offer(
            key="take_paths_parquet",
            label=t("All paths (Parquet)"),
            name=f"{stem}_paths.parquet",
            mime="application/vnd.apache.parquet",
            icon=":material/database:",
            help=t("The same, exact and small, for pandas and others."),
            make=lambda: paths_parquet(forecast, record, known),
        ),
        Offer(
            key="take_run",
            label=t("Run file (JSON)"),
            name=f"{stem}.json",
            mime="application/json",
            icon=":material/receipt_long:",
            help=t("Settings, seed, model and candles: all that is needed to make the same numbers again."),
            make=lambda: run_json(window, forecast, record, known),
        ),
        Offer(
            key="take_report",
            label=t("Report (HTML)"),
            name=f"{stem}.html",
            mime="text/html",
            icon=":material/article:",
            help=t("One page with the chart, the figures and the limits, to read or send; it needs no network."),
            make=lambda: report_html(window, forecast, record, known),
        ),
    )


def command_of(record: RunRecord) -> str:
    """The command that makes a run again from its run file."""
    return f"python -m kronos_dashboard forecast --from-record {file_stem(record)}.json --out forecast.csv"


def facts_table(record: RunRecord) -> pd.DataFrame:
    """How a forecast was made, a row per fact."""
    config = record.sampling_config
    cutoff, last = (
        pd.Timestamp(text).tz_convert(record.session_tz).strftime("%Y-%m-%d %H:%M")
        for text in (record.cutoff, record.future[-1])
    )
    rows = {
        t("Series"): f"{record.symbol} {record.interval}",
        t("Source"): record.source or t("not named"),
        t("Context"): t("{count} candles up to {time}", count=f"{record.context_length:,}", time=cutoff),
        t("Horizon"): t("{count} bars up to {time}", count=f"{record.horizon:,}", time=last),
        t("Model"): record.model_label,
        t("Checkpoint"): f"sha256 {record.checkpoint_digest[:16]}" if record.checkpoint_digest else t("not known"),
        t("Paths"): f"{config.num_paths:,}",
        t("Sampling"): t(
            "temperature {heat}, top-p {top_p}, top-k {top_k}, min-p {min_p}, {begin}",
            heat=f"{config.temperature:g}",
            top_p=f"{config.nucleus:g}",
            top_k=t("off") if config.top_k is None else str(config.top_k),
            min_p=f"{config.min_p:g}" if config.min_p else t("off"),
            begin=drawn_as(config),
        ),
        t("Seed"): str(config.seed),
        t("Made"): f"{pd.Timestamp(record.created_at):%Y-%m-%d %H:%M} UTC",
    }
    return pd.DataFrame({"": rows})
