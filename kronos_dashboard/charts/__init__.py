"""Plotly figures as pure functions of candles, windows and forecasts, and the browser code that draws them in place."""

from __future__ import annotations

from kronos_dashboard.charts.axis import date_ticks
from kronos_dashboard.charts.decimation import Buckets, decimate
from kronos_dashboard.charts.diagnostics import coverage_figure, error_figure, pit_figure, sensitivity_figure
from kronos_dashboard.charts.forecast import forecast_figure, forecast_patch, window_figure
from kronos_dashboard.charts.html_page import html_page
from kronos_dashboard.charts.labels import ENGLISH, ChartLabels
from kronos_dashboard.charts.palettes import DARK, LIGHT, SCHEMES, Palette, get_palette, theme_colors
from kronos_dashboard.charts.series import series_figure
from kronos_dashboard.charts.small_multiples import Panel, multiples_figure
from kronos_dashboard.charts.style import MAX_VISIBLE_PATHS, ChartStyle, Cone, PriceLevel

__all__ = [
    "DARK",
    "ENGLISH",
    "LIGHT",
    "MAX_VISIBLE_PATHS",
    "SCHEMES",
    "Buckets",
    "ChartLabels",
    "ChartStyle",
    "Cone",
    "Palette",
    "Panel",
    "PriceLevel",
    "coverage_figure",
    "date_ticks",
    "decimate",
    "error_figure",
    "forecast_figure",
    "forecast_patch",
    "get_palette",
    "html_page",
    "multiples_figure",
    "pit_figure",
    "sensitivity_figure",
    "series_figure",
    "theme_colors",
    "window_figure",
]
