"""The Export tab of the Forecast page: downloads and reopening of saved files."""
