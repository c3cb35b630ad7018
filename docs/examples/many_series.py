"""Forecast many series in one call: different markets and context lengths; each gives the same paths as alone.

Runs offline:  python docs/examples/many_series.py
"""

from engine import KronosPredictor, SamplingConfig
from kronos_dashboard.forecasting.run import model_frame
from kronos_dashboard.forecasting.windows import latest_window
from kronos_dashboard.markets.samples import SAMPLES, load_sample

contexts = (400, 250)  # alternating
windows = [
    latest_window(load_sample(sample.key).candles, context=contexts[i % 2], horizon=20)
    for i, sample in enumerate(SAMPLES)
]

predictor = KronosPredictor.from_pretrained("bundled")
forecasts = predictor.forecast_many(
    [model_frame(window.context) for window in windows],
    [window.local_future for window in windows],
    SamplingConfig(num_paths=20, seed=1),
)

print(f"{'symbol':<8}{'context':>8}{'last close':>12}{'median':>12}{'paths higher':>14}   last step")
for window, forecast in zip(windows, forecasts, strict=True):
    last_close = window.context.frame["close"].iloc[-1]
    higher = (forecast.paths[:, -1, 3] > last_close).mean()
    print(
        f"{window.context.symbol:<8}{window.context_length:>8}{last_close:>12.5g}{forecast.median()[-1]:>12.5g}"
        f"{higher:>14.0%}   {window.local_future[-1]:%Y-%m-%d %H:%M}"
    )
