"""Thumbnails of candles as SVG elements, which need no script; equal candles give equal bytes."""

from __future__ import annotations

from html import escape

import numpy as np

from kronos_dashboard.charts import Palette
from kronos_dashboard.markets.candles import CandleFrame

__all__ = ["thumbnail_svg"]

_HEIGHT, _CANDLE_WIDTH, _BODY_WIDTH = 48.0, 6.0, 4.0
"""In units of the drawing; the width of a candle includes the space to the next one."""
_MIN_BODY_HEIGHT = 0.8


def thumbnail_svg(candles: CandleFrame, palette: Palette, label: str) -> str:
    """An ``svg`` element as wide as its container, 48 pixels high.

    Args:
        candles: all of them are drawn; 30 to 80 are legible.
        palette: colors of rising and falling candles.
        label: description for screen readers.
    """
    prices = candles.frame.loc[:, ["open", "high", "low", "close"]].to_numpy(float)  # [T, 4]
    low, high = float(prices[:, 2].min()), float(prices[:, 1].max())
    points = 1 + (high - prices) / ((high - low) or 1.0) * (_HEIGHT - 2)  # [T, 4], y downwards
    rising = prices[:, 3] >= prices[:, 0]
    parts = [
        f'<path d="{_candles(points, selected)}" fill="{color}" stroke="{color}" stroke-width="1"/>'
        for selected, color in ((rising, palette.up), (~rising, palette.down))
        if selected.any()
    ]
    return (
        f'<svg viewBox="0 0 {len(prices) * _CANDLE_WIDTH:g} {_HEIGHT:g}" width="100%" height="{_HEIGHT:g}" '
        f'preserveAspectRatio="none" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _candles(points: np.ndarray, selected: np.ndarray) -> str:
    """Path data of wicks and bodies of the selected rows; flat bodies get a minimum height."""
    shapes = []
    for row in np.flatnonzero(selected):
        open_, top, bottom, close = points[row]
        left = row * _CANDLE_WIDTH + (_CANDLE_WIDTH - _BODY_WIDTH) / 2
        body_top, height = min(open_, close), max(abs(open_ - close), _MIN_BODY_HEIGHT)
        wick = f"M{left + _BODY_WIDTH / 2:g} {top:.1f}V{bottom:.1f}"
        shapes.append(f"{wick}M{left:g} {body_top:.1f}h{_BODY_WIDTH:g}v{height:.1f}h-{_BODY_WIDTH:g}z")
    return "".join(shapes)
