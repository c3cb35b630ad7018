"""Autoregressive generation: from prepared series to sampled token paths and back to candles."""
