"""``kronos fetch``: candles from an exchange or a data provider."""

from __future__ import annotations

from kronos_dashboard.cli.options import FETCH_DEFAULTS, FetchOptions, InjectedSettings

__all__ = ["fetch"]


def fetch(*, options: FetchOptions = FETCH_DEFAULTS, settings: InjectedSettings) -> None:
    """Fetch candles from an exchange or a data provider.

    Fetched candles are cached on disk, so that only new ones are downloaded the next time.

    Args:
        options: What to fetch.
        settings: Settings of the environment.
    """
    from kronos_dashboard.cli.fetch import run_fetch

    run_fetch(options, settings)
