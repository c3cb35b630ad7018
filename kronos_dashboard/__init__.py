"""Everything about markets: candles in, windows, forecasts, figures, files; Streamlit only in ``ui``."""

import os

# Torch reads this once, when it is loaded: its threads sleep while they wait for each other. By default they spin, and
# when anything else uses the cores a forecast that takes 1 s takes 30 (measured on 2 busy cores).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
