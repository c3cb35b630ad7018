"""Reading the file of candles that the options of a command name."""

from __future__ import annotations

from pathlib import Path

from kronos_dashboard.cli.options import FileOptions
from kronos_dashboard.markets.importers import ImportedCandles, ImportOptions, read_file
from kronos_dashboard.markets.samples import load_sample
from kronos_dashboard.settings import Settings

__all__ = ["load_candles"]

_SAMPLE_PREFIX = "sample:"


def load_candles(file: str, options: FileOptions, settings: Settings) -> ImportedCandles:
    """Read ``file``, a path or ``sample:NAME``. Samples are read as they ship, whatever the options.

    Raises:
        ImportFileError: there is no such file, or it has no candles.
        SampleNotFoundError: there is no such sample.
    """
    if file.startswith(_SAMPLE_PREFIX):
        return load_sample(file.removeprefix(_SAMPLE_PREFIX))
    columns = {field: column for field, _, column in (pair.partition("=") for pair in options.columns)}
    import_options = ImportOptions(
        name=options.name,
        symbol=options.symbol,
        session_tz=options.timezone,
        sheet=options.sheet,
        interval=options.interval,
        day_first=options.day_first,
        columns=columns,
        price_divisor=options.price_divisor,
    )
    return read_file(Path(file), import_options, settings)
