"""Charts that redraw in place: the zoom stays when the window moves, and a forecast appears while it is sampled.

``live_chart`` draws a chart. ``patch_chart`` lays the traces of an unfinished forecast over it, from anywhere on the
page; a polling fragment then sends these traces only, not the candles. The browser loads plotly.js and
``charts/client`` once, from the app itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import plotly
import plotly.graph_objects as go
import streamlit as st

from kronos_dashboard import charts
from kronos_dashboard.ui.compat import ASSET_ROUTE, serve_folder

__all__ = ["live_chart", "patch_chart", "preload_charts"]

_CLIENT = Path(charts.__file__).with_name("client")
_PLOTLY = Path(plotly.__file__).with_name("package_data")
_SOURCE = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
_ASSETS = {"client": _CLIENT, "plotly": _PLOTLY}
"""Folders that the browser loads from, by the name of the component that serves them."""


def live_chart(
    figure: go.Figure,
    *,
    key: str,
    content_id: str = "",
    alt: str = "",
    file_stem: str = "chart",
    chrome_height: int = 0,
    on_step: Callable[[int], None] | None = None,
    on_view: Callable[[float, float], None] | None = None,
) -> None:
    """Draw a figure of ``charts``, in place of the one that was drawn before with this key.

    Args:
        figure: what to draw; the view is kept as long as its ``layout.meta["view"]`` stays the same.
        key: unique on its page.
        content_id: identifies what the figure shows (a window, for example); a patch must have the same to be drawn.
        alt: description for screen readers.
        file_stem: name of saved images, without suffix.
        chrome_height: pixels of the screen's height that other parts need; the chart takes the rest, 0.8 to 1.6 times
            the height of the figure. 0: the height of the figure.
        on_step: called before the next run with the bars to move by, for arrow keys (with Shift: ten bars); Home and
            End send more bars than there are. Key presses add up while a chart is being sent.
        on_view: called before the next run with the first and last position in view once zooming has stopped.
    """
    _serve_assets()
    meta = figure.layout.meta or {}
    height = int(figure.layout.height or 450)
    data = {
        "name": key,
        "figure": figure.to_json(validate=False),
        "themes": charts.theme_colors(meta.get("scheme", "classic")),
        "theme": "dark" if meta.get("dark") else "light",
        "base": content_id,
        "height": height,
        "room": chrome_height,
        "alt": alt,
        "file": file_stem,
        "steps": on_step is not None,
        "refines": on_view is not None,
        "failed": meta.get("labels", {}).get("load_error", charts.ENGLISH.load_error),
    }
    _CHART(
        key=key,
        data=data,
        on_stepped_change=_step_callback(key, on_step),
        on_view_change=_view_callback(key, on_view),
    )


def patch_chart(patch: go.Figure, *, chart: str, content_id: str) -> None:
    """Lay the traces of ``patch`` over a chart of this page, until it is redrawn or this is no longer called.

    Args:
        patch: as ``charts`` makes it of a preview.
        chart: the key of the chart.
        content_id: as given to ``live_chart``.
    """
    _serve_assets()
    data = {"chart": chart, "base": content_id, "figure": patch.to_json(validate=False), "failed": ""}
    _PATCH(key=f"{chart}_patch", data=data)


def preload_charts() -> None:
    """Let the browser load what charts need, on a page without one."""
    _serve_assets()
    _PRELOAD(key="chart_preload", data={"failed": ""})


def _component_js(part: str) -> str:
    """Return the script of one component; addresses contain a version, so that browsers load changed files again."""
    module = f"{ASSET_ROUTE}/{_component_name('client')}/component.js?v={_newest_mtime(_CLIENT)}"
    library = f"{ASSET_ROUTE}/{_component_name('plotly')}/plotly.min.js?v={plotly.__version__}"
    return _SOURCE.replace("MODULE", module).replace("PLOTLY", library).replace("PART", part)


def _newest_mtime(folder: Path) -> str:
    return str(max(int(path.stat().st_mtime) for path in folder.iterdir()))


def _component_name(part: str) -> str:
    return f"kronos_dashboard.{part}"


def _serve_assets() -> None:
    for name, folder in _ASSETS.items():
        serve_folder(_component_name(name), folder)


def _step_callback(key: str, on_step: Callable[[int], None] | None) -> Callable[[], None]:
    """Return a callback for Streamlit that passes the bars on; the browser's value is not trusted."""

    def callback() -> None:
        value = st.session_state[key].get("stepped")
        if on_step is not None and isinstance(value, int | float):
            on_step(int(value))

    return callback


def _view_callback(key: str, on_view: Callable[[float, float], None] | None) -> Callable[[], None]:
    """Return a callback for Streamlit that passes the view on; the browser's value is not trusted."""

    def callback() -> None:
        value = st.session_state[key].get("view")
        is_numeric = isinstance(value, list | tuple) and all(isinstance(edge, int | float) for edge in value)
        if on_view is not None and is_numeric and len(value) == 2:
            on_view(float(value[0]), float(value[1]))

    return callback


_STYLE = (_CLIENT / "component.css").read_text(encoding="utf-8")
_CHART = st.components.v2.component(
    _component_name("chart"),
    html="<div class='kd-chart'></div>\n",
    css=_STYLE,
    js=_component_js("mount"),
    isolate_styles=False,
)
_PATCH = st.components.v2.component(_component_name("chart_patch"), js=_component_js("patch"), isolate_styles=False)
_PRELOAD = st.components.v2.component(
    _component_name("chart_preload"), js=_component_js("preload"), isolate_styles=False
)
