"""A small picture of candles as SVG: nothing to load, and the same bytes for the same candles."""

from __future__ import annotations

from html import escape

import numpy as np

from kronos_dashboard.charts import Palette
from kronos_dashboard.markets.candles import CandleFrame

__all__ = ["thumbnail_svg"]

_HEIGHT, _STEP, _BODY = 48.0, 6.0, 4.0
"""Units of the drawing: its height, the room of one candle, the width of a body."""


def thumbnail_svg(candles: CandleFrame, palette: Palette, label: str) -> str:
    """An ``svg`` element as wide as its place, 48 pixels high.

    Args:
        candles: all of them are drawn; 30 to 80 look best.
        palette: colours of rising and falling candles.
        label: what is shown, for readers who cannot see it.
    """
    prices = candles.frame.loc[:, ["open", "high", "low", "close"]].to_numpy(float)  # [T, 4]
    low, high = float(prices[:, 2].min()), float(prices[:, 1].max())
    points = 1 + (high - prices) / ((high - low) or 1.0) * (_HEIGHT - 2)  # [T, 4], from the top
    rising = prices[:, 3] >= prices[:, 0]
    parts = [
        f'<path d="{_candles(points, chosen)}" fill="{colour}" stroke="{colour}" stroke-width="1"/>'
        for chosen, colour in ((rising, palette.up), (~rising, palette.down))
        if chosen.any()
    ]
    return (
        f'<svg viewBox="0 0 {len(prices) * _STEP:g} {_HEIGHT:g}" width="100%" height="{_HEIGHT:g}" '
        f'preserveAspectRatio="none" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _candles(points: np.ndarray, chosen: np.ndarray) -> str:
    """One path of wicks and bodies; a body without height is drawn one unit high."""
    drawn = []
    for place in np.flatnonzero(chosen):
        opened, top, bottom, closed = points[place]
        left = place * _STEP + (_STEP - _BODY) / 2
        head, tall = min(opened, closed), max(abs(opened - closed), 0.8)
        drawn.append(
            f"M{left + _BODY / 2:g} {top:.1f}V{bottom:.1f}M{left:g} {head:.1f}h{_BODY:g}v{tall:.1f}h-{_BODY:g}z"
        )
    return "".join(drawn)
