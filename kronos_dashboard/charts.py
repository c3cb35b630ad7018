"""Figures, built from plain dicts (several times cheaper than ``add_trace``). Pure functions of windows and forecasts.

Shapes: T context candles at x = 0..T-1, H steps at x = T..T+H-1. The axis counts bars, so closed hours leave no holes;
dates are put on it as labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.forecast import Forecast
from kronos_dashboard.candles import CandleFrame
from kronos_dashboard.windows import Window

__all__ = ["DARK", "LIGHT", "Palette", "date_ticks", "forecast_figure", "thumbnail_figure", "window_figure"]

Trace = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colours of one theme, as #rrggbb."""

    up: str = "#26a69a"
    down: str = "#ef5350"
    fan: str
    """Bands, median and representative candles of the forecast."""
    truth: str
    baseline: str
    faint: str
    """Cutoff line, spikes and small print."""
    grid: str


LIGHT = Palette(fan="#2f5fd0", truth="#1f2328", baseline="#8a6d00", faint="#6e7781", grid="#e7e9ec")
DARK = Palette(fan="#6ea8fe", truth="#f0f3f6", baseline="#d9b54a", faint="#8b949e", grid="#2b3037")

BANDS = (0.9, 0.5)
"""Coverages of the fan's bands, wide to narrow, as fractions."""
HEIGHT = 530
_TICKS = 8


def window_figure(window: Window, palette: Palette, *, show_truth: bool = True) -> go.Figure:
    """The window before a forecast: context candles, volume, the cutoff, and the truth where it is known."""
    return _figure(window, palette, _truth(window, palette) if show_truth else [])


def forecast_figure(
    window: Window, forecast: Forecast, baseline: Forecast, palette: Palette, *, show_truth: bool = True
) -> go.Figure:
    """The window with the fan: bands, median and representative candles over the baseline's band, and the truth."""
    traces = [
        *_baseline(window, baseline, palette),
        *_fan(window, forecast, palette),
        _representative(window, forecast, palette),
    ]
    if show_truth:
        traces += [{**trace, "hoverinfo": "skip", "hovertemplate": None} for trace in _truth(window, palette)]
    traces.append(_median(window, forecast, palette, show_truth=show_truth))
    return _figure(window, palette, traces)


def thumbnail_figure(candles: CandleFrame, palette: Palette, *, height: int = 110) -> go.Figure:
    """Candles alone: no axes, nothing to hover over."""
    hidden = {"visible": False, "fixedrange": True, "rangeslider": {"visible": False}}
    layout = {
        "height": height,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "xaxis": hidden,
        "yaxis": {"visible": False, "fixedrange": True},
        "hovermode": False,
        "showlegend": False,
    }
    return go.Figure(data=[_candlestick(candles.frame, 0, palette.up, palette.down)], layout=layout)


def date_ticks(times: pd.DatetimeIndex, target: int = _TICKS) -> tuple[list[int], list[str]]:
    """Positions and labels of about ``target`` ticks on an axis that counts bars; ``times`` on the session clock."""
    days = times.normalize()
    starts = np.flatnonzero(np.r_[True, days[1:] != days[:-1]])
    months = np.flatnonzero(np.r_[False, np.asarray(times.month[1:] != times.month[:-1])])
    if len(starts) < 3:
        chosen, form = np.arange(0, len(times), max(1, len(times) // target)), "%d %b<br>%H:%M"
    elif len(months) >= target // 2:
        chosen, form = months[:: -(-len(months) // (2 * target))], "%b %Y"
        chosen = chosen[:: -(-len(chosen) // target)]
    else:
        chosen, form = starts[:: -(-len(starts) // target)], "%d %b"
    return [int(at) for at in chosen], [times[at].strftime(form) for at in chosen]


def _figure(window: Window, palette: Palette, future: list[Trace]) -> go.Figure:
    """Context, volume and layout around the traces of the future."""
    times = window.context.local_index.append(window.local_future)
    data = [_history(window, palette), *future]
    has_volume = window.context.has_volume
    if has_volume:
        data += _volume(window, palette)
    return go.Figure(data=data, layout=_layout(window, times, palette, has_volume=has_volume))


def _history(window: Window, palette: Palette) -> Trace:
    candles = window.context
    volume = np.char.mod("%.4g", candles.frame["volume"].to_numpy())
    return {
        **_candlestick(candles.frame, 0, palette.up, palette.down),
        "name": "Candles",
        "showlegend": False,
        "customdata": np.stack([_labels(candles.local_index), volume], axis=1),
        "hovertemplate": "<b>%{customdata[0]}</b><br>"
        "O %{open:,.6~g}  H %{high:,.6~g}<br>L %{low:,.6~g}  C %{close:,.6~g}"
        f"{'<br>Volume %{customdata[1]:.4~s}' if candles.has_volume else ''}<extra></extra>",
    }


def _candlestick(frame: pd.DataFrame, first: int, up: str, down: str, fill: float = 1.0) -> Trace:
    """Candles from position ``first``; ``fill`` is the opacity of the bodies."""
    return {
        "type": "candlestick",
        "x": np.arange(first, first + len(frame), dtype=np.int32),
        **{name: _single(frame[name]) for name in ("open", "high", "low", "close")},
        "increasing": {"line": {"color": up, "width": 1}, "fillcolor": _rgba(up, fill)},
        "decreasing": {"line": {"color": down, "width": 1}, "fillcolor": _rgba(down, fill)},
    }


def _fan(window: Window, forecast: Forecast, palette: Palette) -> list[Trace]:
    """Two traces per band: the invisible lower edge, and the upper edge filled down to it."""
    traces = []
    for coverage, opacity in zip(BANDS, (0.15, 0.24), strict=True):
        name, fill = f"{coverage:.0%} of paths", _rgba(palette.fan, opacity)
        traces += _band(window, forecast.band(coverage), name, fill, "rgba(0,0,0,0)")
    return traces


def _baseline(window: Window, baseline: Forecast, palette: Palette) -> list[Trace]:
    edge = _rgba(palette.baseline, 0.75)
    name = f"Random walk {BANDS[0]:.0%}"
    return _band(window, baseline.band(BANDS[0]), name, _rgba(palette.baseline, 0.06), edge)


def _band(window: Window, edges: np.ndarray, name: str, fill: str, edge: str) -> list[Trace]:
    """A filled band [2, H] that starts at the last close of the context."""
    common = {
        "type": "scatter",
        "mode": "lines",
        "x": _future_x(window),
        "hoverinfo": "skip",
        "legendgroup": name,
        "line": {"width": 1, "color": edge, "dash": "dot"},
    }
    lower, upper = (_joined(window, values) for values in edges)
    return [
        {**common, "y": lower, "showlegend": False},
        {**common, "y": upper, "fill": "tonexty", "fillcolor": fill, "name": name},
    ]


def _median(window: Window, forecast: Forecast, palette: Palette, *, show_truth: bool) -> Trace:
    """The median line; hovering over it tells everything about the step."""
    lower, upper = forecast.band(BANDS[0])
    cells = [lower, upper, forecast.candles()["close"].to_numpy()]
    told = [
        "<b>%{customdata[0]}</b>",
        "Median %{y:,.6~g}",
        f"{BANDS[0]:.0%} of paths %{{customdata[1]}} – %{{customdata[2]}}",
        "One path %{customdata[3]}",
    ]
    if window.truth is not None and show_truth:
        cells.append(window.truth.frame["close"].to_numpy())
        told.append("What came %{customdata[4]}")
    shown = np.stack([_labels(window.local_future), *(np.char.mod("%.6g", cell) for cell in cells)], axis=1)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": _future_x(window),
        "y": _joined(window, forecast.median()),
        "line": {"width": 2.2, "color": palette.fan},
        "name": "Median",
        "customdata": np.concatenate([shown[:1], shown]),
        "hoverinfo": ["skip", *["all"] * window.horizon],  # the first point is the last candle of the context
        "hovertemplate": "<br>".join(told) + "<extra></extra>",
    }


def _representative(window: Window, forecast: Forecast, palette: Palette) -> Trace:
    """One real sampled path as hollow (up) and filled (down) candles in the colour of the fan."""
    trace = _candlestick(forecast.candles(), window.context_length, palette.fan, palette.fan)
    trace["increasing"]["fillcolor"] = "rgba(0,0,0,0)"
    trace["decreasing"]["fillcolor"] = _rgba(palette.fan, 0.55)
    return {
        **trace,
        "name": "One path",
        "opacity": 0.75,
        "showlegend": True,
        "hoverinfo": "skip",
    }


def _truth(window: Window, palette: Palette) -> list[Trace]:
    """The closes that came, from the last close of the context on."""
    if window.truth is None:
        return []
    labels = _labels(window.local_future)
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": _future_x(window),
            "y": _joined(window, window.truth.frame["close"].to_numpy()),
            "line": {"width": 2, "color": palette.truth},
            "name": "What came",
            "customdata": np.r_[labels[:1], labels],
            "hoverinfo": ["skip", *["all"] * window.horizon],
            "hovertemplate": "<b>%{customdata}</b><br>What came %{y:,.6~g}<extra></extra>",
        }
    ]


def _volume(window: Window, palette: Palette) -> list[Trace]:
    """Volume of the context, and fainter of the truth, as one trace of bars per direction."""
    known = window.context.frame if window.truth is None else pd.concat([window.context.frame, window.truth.frame])
    x = np.arange(len(known), dtype=np.int32)
    rising = (known["close"] >= known["open"]).to_numpy()
    return [
        {
            "type": "bar",
            "x": x[chosen],
            "y": _single(known["volume"][chosen]),
            "yaxis": "y2",
            "marker": {"color": _rgba(colour, 0.5), "line": {"width": 0}},
            "name": "Volume",
            "showlegend": False,
            "hoverinfo": "skip",
        }
        for chosen, colour in ((rising, palette.up), (~rising, palette.down))
    ]


def _layout(window: Window, times: pd.DatetimeIndex, palette: Palette, *, has_volume: bool) -> Trace:
    positions, labels = date_ticks(times)
    cutoff = window.context_length - 0.5
    price_floor = 0.22 if has_volume else 0.0
    return {
        "height": HEIGHT,
        "uirevision": f"{window.context.symbol}",
        "hovermode": "x unified",
        "dragmode": "pan",
        "bargap": 0.15,
        "barmode": "overlay",
        "hoverdistance": 30,
        "spikedistance": -1,
        "margin": {"l": 4, "r": 4, "t": 34, "b": 4},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": palette.faint},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 12}, "itemwidth": 30},
        "xaxis": {
            "type": "linear",
            "tickmode": "array",
            "tickvals": positions,
            "ticktext": labels,
            "range": [-2, len(times) + 1],
            "anchor": "y2" if has_volume else "y",
            "showgrid": False,
            "zeroline": False,
            "rangeslider": {"visible": False},
            "showspikes": True,
            "spikemode": "across",
            "spikethickness": 1,
            "spikedash": "dot",
            "spikecolor": palette.faint,
            "spikesnap": "cursor",
            "unifiedhovertitle": {"text": " "},
            "automargin": True,
        },
        "yaxis": _price_axis(price_floor, palette),
        "yaxis2": _volume_axis(price_floor, palette),
        "shapes": [_cutoff_line(cutoff, palette)],
        "annotations": [_cutoff_label(cutoff, palette, replay=window.truth is not None)],
    }


def _price_axis(floor: float, palette: Palette) -> Trace:
    return {
        "domain": [floor, 1],
        "side": "right",
        "gridcolor": palette.grid,
        "zeroline": False,
        "tickformat": ",.6~g",
        "automargin": True,
    }


def _volume_axis(ceiling: float, palette: Palette) -> Trace:
    return {
        "domain": [0, max(0.0, ceiling - 0.05)],
        "side": "right",
        "showgrid": False,
        "zeroline": False,
        "nticks": 3,
        "tickformat": "~s",
        "automargin": True,
        "fixedrange": True,
        "visible": ceiling > 0,
        "tickfont": {"color": palette.faint, "size": 11},
    }


def _cutoff_line(x: float, palette: Palette) -> Trace:
    line = {"width": 1, "dash": "dot", "color": palette.faint}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": line}


def _cutoff_label(x: float, palette: Palette, *, replay: bool) -> Trace:
    return {
        "x": x,
        "y": 1,
        "xref": "x",
        "yref": "paper",
        "text": "cutoff" if replay else "now",
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "top",
        "xshift": 4,
        "font": {"size": 11, "color": palette.faint},
    }


def _future_x(window: Window) -> np.ndarray:
    """int32 [H + 1]: the last context candle and the steps."""
    start = window.context_length - 1
    return np.arange(start, start + window.horizon + 1, dtype=np.int32)


def _joined(window: Window, values: np.ndarray) -> np.ndarray:
    """float64 [H + 1]: the last close of the context, then ``values`` [H]."""
    return np.r_[window.context.frame["close"].iloc[-1], values]


def _labels(times: pd.DatetimeIndex) -> np.ndarray:
    """Bar times on the session clock, for people; without the hour where every bar stands at midnight."""
    midnight = bool((times == times.normalize()).all())
    return np.asarray(times.strftime("%a %d %b %Y" if midnight else "%a %d %b %Y  %H:%M"), dtype=str)


def _single(values: pd.Series) -> np.ndarray:
    """As float32: Plotly sends typed arrays as they are."""
    return values.to_numpy(dtype=np.float32)


def _rgba(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
