"""How good forecasts are: metrics, scorecards of checkpoints, measured coverage, sensitivity to settings."""
