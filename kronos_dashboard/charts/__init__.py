"""Figures: pure functions of candles, windows and forecasts. Nothing here knows a screen."""

from __future__ import annotations

from kronos_dashboard.charts.axis import date_ticks
from kronos_dashboard.charts.decimation import Buckets, decimate
from kronos_dashboard.charts.diagnostics import coverage_figure, error_figure, pit_figure, sensitivity_figure
from kronos_dashboard.charts.forecast import fan_patch, forecast_figure, window_figure
from kronos_dashboard.charts.html_page import html_page
from kronos_dashboard.charts.labels import CHINESE, ENGLISH, Words
from kronos_dashboard.charts.palettes import DARK, LIGHT, SCHEMES, Palette, palette_of, themes_of
from kronos_dashboard.charts.series import series_figure
from kronos_dashboard.charts.small_multiples import Panel, multiples_figure
from kronos_dashboard.charts.style import MOST_PATHS, Cone, Level, Look

__all__ = [
    "CHINESE",
    "DARK",
    "ENGLISH",
    "LIGHT",
    "MOST_PATHS",
    "SCHEMES",
    "Buckets",
    "Cone",
    "Level",
    "Look",
    "Palette",
    "Panel",
    "Words",
    "coverage_figure",
    "date_ticks",
    "decimate",
    "error_figure",
    "fan_patch",
    "forecast_figure",
    "html_page",
    "multiples_figure",
    "palette_of",
    "pit_figure",
    "sensitivity_figure",
    "series_figure",
    "themes_of",
    "window_figure",
]
