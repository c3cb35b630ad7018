"""Forecast: choose candles and a window, run the model, look at the fan, take it away."""

from kronos_dashboard import ui

ui.page("Forecast")
with ui.guard():
    candles = ui.choose_candles().candles
    window = ui.choose_window(candles)
    sampling = ui.choose_sampling()
    ui.run_controls(window, sampling)
    ui.show_window(window, on_step=lambda by: ui.step_window(candles, by))
