"""Forecast: choose candles and a window, run the model, look at the fan, take it away."""

from kronos_dashboard import ui

ui.page("Forecast")
with ui.guard():
    candles = ui.choose_candles().candles
    ui.workspace(candles, ui.choose_setup())
