"""Hover boxes of the forecast steps: time, and each available value once.

An invisible line has them all, as numbers [H, m] in ``customdata`` with a template that refers to their columns.
Shapes: H steps, m values per step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from engine.forecast import Forecast
from kronos_dashboard.charts.axis import date_labels, pack_prices
from kronos_dashboard.charts.layers import window_decimals
from kronos_dashboard.charts.style import ChartStyle, Cone
from kronos_dashboard.charts.traces import Trace, ZOrder, line
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.markets.candles import PRICES

__all__ = ["hover_traces"]


@dataclass(frozen=True)
class _HoverTemplate:
    """Lines of a hover template, and the columns of ``customdata`` that they refer to by number."""

    decimals: int
    lines: list[str] = field(default_factory=list)
    columns: list[np.ndarray] = field(default_factory=list)

    def add(self, line: str, *values: np.ndarray) -> None:
        """Add a line with a ``{}`` for each of ``values`` [n]."""
        first = len(self.columns)
        cells = [f"%{{customdata[{first + column}]:,.{self.decimals}f}}" for column in range(len(values))]
        self.lines.append(line.format(*cells))
        self.columns.extend(np.asarray(value, dtype=np.float64) for value in values)


def hover_traces(
    window: Window, style: ChartStyle, forecast: Forecast | None, baseline: Cone | None, num_revealed: int
) -> list[Trace]:
    """Invisible lines over all H steps, one for each range of steps with the same kinds of values."""
    num_decoded = 0 if forecast is None else forecast.horizon
    edges = sorted({0, num_revealed, num_decoded, window.horizon})
    traces = []
    for start, stop in pairwise(edges):
        decoded = forecast if start < num_decoded else None
        is_revealed = start < num_revealed
        traces.append(_hover_line(window, style, decoded, baseline, slice(start, stop), is_revealed=is_revealed))
    return traces


def _hover_line(
    window: Window,
    style: ChartStyle,
    forecast: Forecast | None,
    baseline: Cone | None,
    steps: slice,
    *,
    is_revealed: bool,
) -> Trace:
    labels, decimals = style.labels, window_decimals(window)
    template = _HoverTemplate(decimals)
    last = float(window.context.frame["close"].iloc[-1])
    y = np.full(steps.stop - steps.start, last)  # where the box appears: median, else actual, else last close
    if window.actual is not None and is_revealed:
        y = window.actual.frame["close"].to_numpy()[steps]
    if forecast is not None:
        y = forecast.median()[steps]
        _add_forecast(template, forecast, style, steps)
    if baseline is not None:
        for coverage in sorted(baseline.bands):
            low, high = np.asarray(baseline.bands[coverage])[:, steps]
            template.add(f"{baseline.name} {coverage:.0%}  {{}} – {{}}", low, high)
    if window.actual is not None and is_revealed:
        frame = window.actual.frame.iloc[steps]
        template.add(f"<b>{labels.actuals}</b>  {_ohlc_line(style)}", *(frame[name].to_numpy() for name in PRICES))
    position = np.arange(window.context_length, window.context_length + window.horizon, dtype=np.int32)[steps]
    dates = date_labels(window.local_future, labels)[steps]
    numbers = [labels.step.format(step=step + 1, horizon=window.horizon) for step in range(steps.start, steps.stop)]
    hover_line = line(
        f"step-{steps.start}",
        position,
        y,
        style.palette.forecast,
        decimals=decimals,
        width=0,
        showlegend=False,
        zorder=ZOrder.MEDIAN,
        text=[f"<b>{date}</b>  {number}" for date, number in zip(dates, numbers, strict=True)],
        hovertemplate="<br>".join(["%{text}", *template.lines]) + "<extra></extra>",
    )
    if template.columns:
        hover_line["customdata"] = pack_prices(np.stack(template.columns, axis=1), decimals)
    hover_line["hoverinfo"] = "all"
    return hover_line


def _add_forecast(template: _HoverTemplate, forecast: Forecast, style: ChartStyle, steps: slice) -> None:
    """Add the median, the bands from the narrowest, and the candle of the medoid path."""
    labels = style.labels
    template.add(f"<b>{labels.median}</b>  {{}}", forecast.median()[steps])
    for coverage in reversed(style.descending_coverages):
        low, high = forecast.band(coverage)[:, steps]
        template.add(f"{labels.band.format(coverage=coverage)}  {{}} – {{}}", low, high)
    if style.show_medoid_path:
        frame = forecast.candles().iloc[steps]
        template.add(f"{labels.path}  {_ohlc_line(style)}", *(frame[name].to_numpy() for name in PRICES))


def _ohlc_line(style: ChartStyle) -> str:
    labels = style.labels
    return f"{labels.open} {{}}  {labels.high} {{}}  {labels.low} {{}}  {labels.close} {{}}"
