"""The comparison tabs of the Forecast page: accuracy, sensitivity, side by side."""
