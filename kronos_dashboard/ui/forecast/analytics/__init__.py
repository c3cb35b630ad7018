"""The probabilities and risk tab of the Forecast page."""
