"""Everything about markets: candles in, windows, forecasts, figures, files; Streamlit only in ``ui``."""
