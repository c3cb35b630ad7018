"""The chart as a part of a page that redraws in place: the reader's zoom stays when the window moves, a fan grows.

``live_chart`` mounts it. ``grow_chart`` lays the traces of a forecast that is still being decoded over it, from
anywhere on the page; a polling fragment sends these alone, not the candles. What the browser needs beside a figure
(plotly.js and ``charts/client``) it loads once, from the app itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import plotly
import plotly.graph_objects as go
import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

from kronos_dashboard import charts

__all__ = ["grow_chart", "live_chart", "preload_charts"]

_CLIENT = Path(charts.__file__).with_name("client")
_PLOTLY = Path(plotly.__file__).with_name("package_data")
_SOURCE = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
_ROUTE = "_stcore/bidi-components"
_ASSETS = {"client": _CLIENT, "plotly": _PLOTLY}
"""Folders that a browser may load from, by the name of the part that has them."""


def live_chart(
    figure: go.Figure,
    *,
    key: str,
    base: str = "",
    alt: str = "",
    file: str = "chart",
    room: int = 0,
    on_step: Callable[[int], None] | None = None,
    on_view: Callable[[float, float], None] | None = None,
) -> None:
    """Draw a figure of ``charts``, in place of the one that this key has drawn before.

    Args:
        figure: what to draw; the view is kept as long as its ``layout.meta["view"]`` stays the same.
        key: names the chart on its page.
        base: names what the figure is of (a window, say); a patch is laid over the figure only when it has the same.
        alt: what is shown, for readers who cannot see it.
        file: stem of the names of saved pictures.
        room: pixels of the screen's height that other parts need; the chart takes the rest, 0.8 to 1.6 times the height
            of the figure. 0: the height of the figure.
        on_step: called before the next run with the bars to move by when the reader presses the arrow keys (with Shift
            ten at a time); Home and End ask for more bars than there are. Values add up while a chart is on its way.
        on_view: called before the next run with the first and last position in view once it has come to rest.
    """
    _serve_assets()
    meta = figure.layout.meta or {}
    height = int(figure.layout.height or 450)
    data = {
        "name": key,
        "figure": figure.to_json(validate=False),
        "themes": charts.themes_of(meta.get("scheme", "classic")),
        "painted": "dark" if meta.get("dark") else "light",
        "base": base,
        "height": height,
        "room": room,
        "alt": alt,
        "file": file,
        "steps": on_step is not None,
        "refines": on_view is not None,
        "failed": meta.get("words", {}).get("failed", charts.ENGLISH.failed),
    }
    _CHART(
        key=key,
        data=data,
        on_stepped_change=_told_steps(key, on_step),
        on_view_change=_told_view(key, on_view),
    )


def grow_chart(patch: go.Figure, *, chart: str, base: str) -> None:
    """Lay the traces of ``patch`` over a chart of this page, until it is drawn anew or this is no longer called.

    Args:
        patch: see ``charts.fan_patch``.
        chart: the key of the chart.
        base: what the patch belongs to, as given to ``live_chart``.
    """
    _serve_assets()
    data = {"chart": chart, "base": base, "figure": patch.to_json(validate=False), "failed": ""}
    _PATCH(key=f"{chart}_patch", data=data)


def preload_charts() -> None:
    """Have the browser fetch what charts need, on a page that has none yet."""
    _serve_assets()
    _PRELOAD(key="chart_preload", data={"failed": ""})


def _source(part: str) -> str:
    """The script that Streamlit sends for one part; an address that changes with its content is never stale."""
    module = f"{_ROUTE}/{_full('client')}/component.js?v={_stamp(_CLIENT)}"
    library = f"{_ROUTE}/{_full('plotly')}/plotly.min.js?v={plotly.__version__}"
    return _SOURCE.replace("MODULE", module).replace("PLOTLY", library).replace("PART", part)


def _stamp(folder: Path) -> str:
    return str(max(int(path.stat().st_mtime) for path in folder.iterdir()))


def _full(part: str) -> str:
    return f"kronos_dashboard.{part}"


def _serve_assets() -> None:
    """Let the running server hand out the client's files and plotly.js; once per server, and again by no harm."""
    manager = get_bidi_component_manager()
    for part, folder in _ASSETS.items():
        if manager.get_component_path(_full(part)) is None:
            config = ComponentConfig(name=part, asset_dir=folder.name)
            manifest = ComponentManifest(name="kronos_dashboard", version="1", components=[config])
            manager.register_from_manifest(manifest, folder.parent)


def _told_steps(key: str, tell: Callable[[int], None] | None) -> Callable[[], None]:
    """A callback that hands on what the browser sent; anything else than a number is nothing."""

    def call() -> None:
        value = st.session_state[key].get("stepped")
        if tell is not None and isinstance(value, int | float):
            tell(int(value))

    return call


def _told_view(key: str, tell: Callable[[float, float], None] | None) -> Callable[[], None]:
    def call() -> None:
        value = st.session_state[key].get("view")
        numbers = isinstance(value, list | tuple) and all(isinstance(edge, int | float) for edge in value)
        if tell is not None and numbers and len(value) == 2:
            tell(float(value[0]), float(value[1]))

    return call


_STYLE = (_CLIENT / "component.css").read_text(encoding="utf-8")
_CHART = st.components.v2.component(
    _full("chart"), html="<div class='kd-chart'></div>\n", css=_STYLE, js=_source("mount"), isolate_styles=False
)
_PATCH = st.components.v2.component(_full("chart_patch"), js=_source("patch"), isolate_styles=False)
_PRELOAD = st.components.v2.component(_full("chart_preload"), js=_source("preload"), isolate_styles=False)
