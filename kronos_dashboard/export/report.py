"""The report: one HTML file that needs no other file, script or network (``templates/report.html.j2``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from gettext import NullTranslations
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from engine.forecast import Forecast
from kronos_dashboard.evaluation.coverage_note import CoverageNote
from kronos_dashboard.export.metadata import FACT_NAMES, disclaimers, run_facts
from kronos_dashboard.export.svg import COVERAGES, forecast_svg
from kronos_dashboard.export.tables import forecast_table
from kronos_dashboard.forecasting.record import RunRecord
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.messages import DEFAULT_LANGUAGE, Message, load_catalog, translate

__all__ = ["write_report"]

_CLOSE = 3
"""Column of the close in ``Forecast.paths``."""


@dataclass(frozen=True, kw_only=True)
class _LastStep:
    """Texts about the last step."""

    last_close: str
    median: str
    fraction_higher: str
    actual: str | None


@dataclass(frozen=True, kw_only=True)
class _Band:
    """Texts about the central interval of one coverage."""

    coverage: str
    low: str
    """Edges at the last step."""
    high: str
    num_inside: int | None
    """Actual closes inside, over all steps; None without actuals."""
    fraction_inside: str | None
    measured_coverage: str | None
    """Of the checkpoint, over many windows; None if it has not been measured."""
    num_windows: str | None


@dataclass(frozen=True, kw_only=True)
class _Table:
    """A table of texts."""

    columns: list[str]
    rows: list[list[str]]


def write_report(
    window: Window,
    forecast: Forecast,
    record: RunRecord,
    coverage_note: CoverageNote | None = None,
    *,
    language: str = DEFAULT_LANGUAGE,
) -> bytes:
    """The report as HTML in UTF-8: chart, last step, bands and their coverage, disclaimers, facts, steps, record.

    Args:
        window: what was forecast.
        forecast: its paths.
        record: how they were made.
        coverage_note: what is known about the coverage of the bands; None if it was not looked up.
        language: of the texts, one of ``messages.available_languages``. Names of columns stay as they are.
    """
    catalog = load_catalog(language)
    html = (
        _environment(catalog)
        .get_template("report.html.j2")
        .render(
            language=language,
            record=record,
            num_paths=forecast.num_paths,
            is_mirrored=record.sampling.has_mirror_images,
            has_actuals=window.actual is not None,
            cutoff=window.context.local_index[-1].isoformat(),
            chart=Markup(forecast_svg(window, forecast, catalog)),
            coverages=", ".join(f"{coverage:.0%}" for coverage in reversed(COVERAGES)),
            coverage_note=None if coverage_note is None else translate(coverage_note.describe(), catalog),
            last_step=_last_step(window, forecast),
            bands=list(_bands(window, forecast, coverage_note)),
            disclaimers=[translate(text, catalog) for text in disclaimers(record, coverage_note)],
            facts=[
                (translate(FACT_NAMES[name], catalog), translate(text, catalog)) for name, text in run_facts(record)
            ],
            steps=_steps(window, forecast),
        )
    )
    return html.encode("utf-8", errors="replace")


def _environment(catalog: NullTranslations) -> Environment:
    """Templates, whose function ``t`` gives a text and its values in the language of ``catalog``."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=False,
        finalize=_escape,
    )
    environment.globals["t"] = lambda template, **values: translate(Message(template, values), catalog)
    return environment


def _escape(value: Any) -> Markup:
    """Escape with the entities of ``html.escape``, so that equal runs give equal bytes in every version."""
    return value if isinstance(value, Markup) else Markup(escape(str(value)))


def _last_step(window: Window, forecast: Forecast) -> _LastStep:
    last_close, median = float(window.context.frame["close"].iloc[-1]), float(forecast.median()[-1])

    def with_return(price: float) -> str:
        return f"{price:,.6g} ({price / last_close - 1:+z.2%})"

    return _LastStep(
        last_close=f"{last_close:,.6g}",
        median=with_return(median),
        fraction_higher=f"{forecast.prob_higher(last_close):.0%}",
        actual=None if window.actual is None else with_return(float(window.actual.frame["close"].iloc[-1])),
    )


def _bands(window: Window, forecast: Forecast, coverage_note: CoverageNote | None) -> Iterator[_Band]:
    """The bands from narrow to wide: where they end, their coverage in this window, and the measured one."""
    score = None if coverage_note is None else coverage_note.score
    closes = None if window.actual is None else window.actual.frame["close"].to_numpy()  # [H]
    for coverage in reversed(COVERAGES):
        lower, upper = forecast.band(coverage)  # [H] each
        num_inside = None if closes is None else int(((closes >= lower) & (closes <= upper)).sum())
        yield _Band(
            coverage=f"{coverage:.0%}",
            low=f"{lower[-1]:,.6g}",
            high=f"{upper[-1]:,.6g}",
            num_inside=num_inside,
            fraction_inside=None if num_inside is None else f"{num_inside / window.horizon:.0%}",
            measured_coverage=None if score is None else f"{score.coverages[coverage]:.0%}",
            num_windows=None if score is None else f"{score.windows:,}",
        )


def _steps(window: Window, forecast: Forecast) -> _Table:
    """The table of steps, without the quantiles of high and low, which would make it too wide to read."""
    table = forecast_table(window, forecast)
    columns = [str(name) for name in table.columns if not str(name).startswith(("high_", "low_"))]
    rows = [[_cell(value) for value in row] for row in table[columns].itertuples(index=False)]
    return _Table(columns=columns, rows=rows)


def _cell(value: object) -> str:
    if isinstance(value, float | np.floating):
        return "" if pd.isna(value) else f"{value:.7g}"
    return str(value)
