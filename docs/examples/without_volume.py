"""Forecast candles without volume: leave the columns out. Plain pandas; of the dashboard only the sample is used.

Runs offline:  python docs/examples/without_volume.py
"""

from pathlib import Path

import pandas as pd

from engine import KronosPredictor, SamplingConfig
from kronos_dashboard.markets import samples

candles = pd.read_csv(Path(samples.__file__).with_name("eurusd_1h.csv"), index_col="timestamp", parse_dates=True)
context, future = candles.iloc[-430:-30], candles.index[-30:]
sampling = SamplingConfig(num_paths=20, seed=1)

predictor = KronosPredictor.from_pretrained("bundled")
prices = context[["open", "high", "low", "close"]]
[without], [with_volume] = (predictor.forecast_many([frame], [future], sampling) for frame in (prices, context))

print(f"{'step':<18}{'median without volume':>24}{'median with volume':>22}{'actual':>10}")
for step in range(0, 30, 5):
    print(
        f"{future[step]:%Y-%m-%d %H:%M}  {without.median()[step]:>24.5f}{with_volume.median()[step]:>22.5f}"
        f"{candles['close'].iloc[step - 30]:>10.5f}"
    )
print("\nThe medoid path:")
print(without.candles()[["open", "high", "low", "close"]].head(3).round(5).to_string())
