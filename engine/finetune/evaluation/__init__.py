"""Evaluation of trained checkpoints: losses, forecasts on held-out windows, significance, scorecards, calibration."""
