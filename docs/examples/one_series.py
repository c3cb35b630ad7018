"""Forecast one series: 30 sampled paths of the EUR/USD sample, compared with the actuals and a random walk.

Runs offline:  python docs/examples/one_series.py
"""

from engine import KronosPredictor, SamplingConfig
from kronos_dashboard.evaluation.metrics import score
from kronos_dashboard.forecasting.baselines import random_walk
from kronos_dashboard.forecasting.run import model_frame
from kronos_dashboard.forecasting.windows import replay_window
from kronos_dashboard.markets.samples import load_sample

candles = load_sample("eurusd_1h").candles
window = replay_window(candles, end_row=len(candles) - 48, context=400, horizon=48)

predictor = KronosPredictor.from_pretrained("bundled")
[forecast] = predictor.forecast_many(
    [model_frame(window.context)], [window.local_future], SamplingConfig(num_paths=30, seed=1)
)
print(f"{candles.symbol} by {predictor.name}: paths {forecast.paths.shape} (paths, steps, columns)")

lower, upper = forecast.band(0.9)
actual = window.actual.frame["close"].to_numpy()
for step in range(0, window.horizon, 8):
    time = window.local_future[step]
    print(f"{time:%Y-%m-%d %H:%M}  {lower[step]:.5f} .. {upper[step]:.5f}  actual {actual[step]:.5f}")

for name, result in (("model", forecast), ("random walk", random_walk(window))):
    print(f"{name:<11} CRPS {score(result.paths[..., 3], actual, coverage=0.9).crps:.5f}")
