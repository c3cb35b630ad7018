"""Market data: candles, calendars, importers, feeds, data quality, bundled samples."""
