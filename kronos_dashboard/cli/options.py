"""Groups of options that commands share, as dataclasses: a field is an option, its docstring the help.

Nothing here imports pandas or torch, so that ``--help`` answers at once. Choices that other modules define are spelled
out for the same reason; ``tests/kronos_dashboard/cli/test_app.py`` compares them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from kronos_dashboard.forecasting.defaults import DEFAULT_CONTEXT, DEFAULT_HORIZON, DEFAULT_SAMPLING
from kronos_dashboard.settings import Settings

__all__ = [
    "CHECK_GROUP",
    "FETCH_DEFAULTS",
    "FILE_DEFAULTS",
    "FILE_GROUP",
    "FILE_HELP",
    "MODEL_DEFAULTS",
    "MODEL_GROUP",
    "OUTPUT_DEFAULTS",
    "OUTPUT_GROUP",
    "SAMPLING_DEFAULTS",
    "SAMPLING_GROUP",
    "WINDOW_DEFAULTS",
    "WINDOW_GROUP",
    "ContextOverflow",
    "Dtype",
    "FetchOptions",
    "FileOptions",
    "FixName",
    "Flag",
    "InjectedSettings",
    "ListName",
    "ModelOptions",
    "OutputOptions",
    "Provider",
    "SamplingOptions",
    "WindowOptions",
]

FILE_GROUP = Group("Candles", sort_key=1)
CHECK_GROUP = Group("Checks", sort_key=2)
REQUEST_GROUP = Group("Request", sort_key=1)
WINDOW_GROUP = Group("Window", sort_key=2)
SAMPLING_GROUP = Group("Sampling", sort_key=3)
MODEL_GROUP = Group("Model", sort_key=4)
OUTPUT_GROUP = Group("Output", sort_key=9)

FILE_HELP = (
    "File of candles, or sample:NAME for one of the samples: sample:eurusd_1h, sample:aapl_1d, sample:googl_1d, "
    "sample:aapl_1h, sample:aapl_1m."
)

Flag = Annotated[bool, Parameter(negative="", show_default=False)]
"""An option without a value and without a ``--no-`` form."""

InjectedSettings = Annotated[Settings, Parameter(parse=False)]
"""The settings of the environment: ``app.run`` passes them, the user does not."""

ContextOverflow = Literal["recompute", "evict"]
"""As ``engine.generation.request.ContextOverflow``, which loads numpy."""
Dtype = Literal["float32", "bfloat16"]
"""``models.loading.DTYPES``."""
Provider = Literal["ccxt", "yfinance", "akshare"]
"""``markets.feeds.FEEDS``."""
ListName = Literal["exchanges", "intervals"]
FixName = Literal[
    "back-adjust",
    "clip-outliers",
    "drop-duplicates",
    "drop-flat",
    "drop-incomplete",
    "drop-volume",
    "fill-gaps",
    "keep-longest-segment",
    "set-timezone",
    "use-close-timestamps",
]
"""``markets.doctor.FIX_TITLES``."""


@Parameter(name="*", group=FILE_GROUP)
@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """Facts about a file of candles that it does not contain itself."""

    timezone: Annotated[str | None, Parameter(alias="--tz")] = None
    """Timezone of timestamps that have none, such as America/New_York. Default: UTC."""
    name: str | None = None
    """Name of the series. Default: the symbol in the file, or else the name of the file."""
    symbol: str | None = None
    """Symbol to read from a file with several. Default: the first."""
    sheet: str | None = None
    """Sheet of a workbook, or member of an archive. Default: the first with candles."""
    interval: str | None = None
    """Length of a candle, such as 5m. Ticks are aggregated to it."""
    day_first: Annotated[bool | None, Parameter(negative="--month-first", allow_repeating=False)] = None
    """Read 01/02/2024 as 1 February (--day-first) or as 2 January (--month-first). Default: inferred from the file."""
    columns: Annotated[
        tuple[str, ...], Parameter(name="--column", negative="", show_default=False, metavar="FIELD=NAME")
    ] = ()
    """Column of a field (time, open, high, low, close, volume or amount), by name or by number counted from 1. May be
    repeated."""
    price_divisor: float | None = None
    """Number that prices in the file are divided by."""


@Parameter(name="*", group=WINDOW_GROUP)
@dataclass(frozen=True, kw_only=True)
class WindowOptions:
    """The window of candles that is forecast."""

    context: int = DEFAULT_CONTEXT
    """Number of candles the model sees."""
    horizon: int = DEFAULT_HORIZON
    """Number of candles to forecast."""
    cutoff: str = "latest"
    """Last candle of the context: a row counted from 1, a time in the timezone of the series, or latest."""


@Parameter(name="*", group=SAMPLING_GROUP)
@dataclass(frozen=True, kw_only=True)
class SamplingOptions:
    """How paths are sampled."""

    paths: int = DEFAULT_SAMPLING.num_paths
    """Number of sampled paths."""
    temperature: float = DEFAULT_SAMPLING.temperature
    """Sampling temperature. 0 is greedy decoding, which makes all paths the same."""
    top_p: float | None = DEFAULT_SAMPLING.top_p
    """Keep the most probable tokens whose probabilities add up to this. 1 keeps all of them."""
    top_k: int | None = DEFAULT_SAMPLING.top_k
    """Keep this many of the most probable tokens. Default: all of them."""
    min_p: float | None = None
    """Drop tokens that are less probable than this fraction of the most probable one. 0 drops none. Default: the
    setting of the model."""
    seed: int = DEFAULT_SAMPLING.seed
    """Random seed. The same seed gives the same paths."""
    anchor_to_last_close: bool | None = None
    """Start paths at the last close of the context, or at the price the model decodes for it. Default: the setting of
    the model."""
    mirror_paths: bool | None = None
    """Antithetic pairs: follow each path by its own mirror image about the last close, which makes the forecast
    direction-neutral. Default: the setting of the model."""
    context_overflow: ContextOverflow | None = None
    """What to do when context and horizon exceed what the model sees: recompute reads the latest window again at every
    step, evict drops the oldest candles from the cache, which is faster. Default: evict."""


@Parameter(name="*", group=MODEL_GROUP)
@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """The model, and where it runs."""

    model: str | None = None
    """Checkpoint: bundled, the name of a published model, a Hugging Face repository or a folder. Default: bundled, or
    the environment variable KRONOS_DASHBOARD_MODEL."""
    device: str | None = None
    """Device, such as cpu, cuda, cuda:1 or mps. Default: the fastest available."""


@Parameter(name="*", group=OUTPUT_GROUP)
@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """Files to write."""

    out: Path | None = None
    """Write the forecast as CSV, one row per step."""
    paths_output: Path | None = None
    """Write all paths; the file name ends in .parquet, .csv or .json."""
    bundle_output: Path | None = None
    """Write candles, settings and summary as JSON: all that --reproduce needs."""
    report_output: Path | None = None
    """Write a report as one HTML file that needs no network."""
    record_output: Path | None = None
    """Write the run record as JSON: the settings without the candles."""


@Parameter(name="*", group=REQUEST_GROUP)
@dataclass(frozen=True, kw_only=True)
class FetchOptions:
    """What to fetch."""

    provider: Provider = "ccxt"
    """Provider of candles: ccxt for crypto exchanges, yfinance for stocks, funds, indices and currencies, akshare for
    Chinese A-shares."""
    exchange: str | None = None
    """Exchange, with ccxt. Default: binance."""
    symbol: str | None = None
    """Symbol, such as BTC/USDT, AAPL, EURUSD=X or 600519."""
    interval: str = "1h"
    """Length of a candle, such as 1m, 1h, 1d, 1w or 1M."""
    limit: int | None = None
    """Number of candles, the latest ones. Default: 1000, or all of them if --start is given."""
    start: str | None = None
    """Time of the first candle, in UTC or with an offset."""
    end: str | None = None
    """Time of the last candle. Default: now."""
    unadjusted: Flag = False
    """Fetch prices of stocks that are not adjusted for dividends."""
    search: Annotated[str | None, Parameter(metavar="TEXT")] = None
    """List the symbols that match a text, and fetch nothing."""
    list: ListName | None = None
    """List the exchanges or the intervals of the provider, and fetch nothing."""
    out: Annotated[Path | None, Parameter(group=OUTPUT_GROUP)] = None
    """Write the candles as CSV."""


# A command takes these as the default of a parameter: a call there would be a new instance for each command.
FILE_DEFAULTS = FileOptions()
WINDOW_DEFAULTS = WindowOptions()
SAMPLING_DEFAULTS = SamplingOptions()
MODEL_DEFAULTS = ModelOptions()
OUTPUT_DEFAULTS = OutputOptions()
FETCH_DEFAULTS = FetchOptions()
