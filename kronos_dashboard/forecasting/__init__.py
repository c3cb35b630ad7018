"""One forecast from a window of candles: windows, runs, records, baselines."""
