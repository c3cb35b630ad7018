"""Evaluation of checkpoints: losses, forecasts of held-out windows, significance, scorecards and calibration."""
