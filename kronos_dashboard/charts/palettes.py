"""Color schemes of charts, each for a light and a dark theme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from kronos_dashboard.errors import SettingsError
from kronos_dashboard.messages import msg

__all__ = ["DARK", "LIGHT", "SCHEMES", "Palette", "get_palette", "rgba", "theme_colors"]


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colors of one theme, as #rrggbb.

    Two roles with different colors in one theme have different colors in the other: a browser can then change the theme
    of a figure by replacing one color with the other, without a new figure from the server.
    """

    scheme: str = "classic"
    """One of ``SCHEMES``."""
    dark: bool = False
    up: str = "#26a69a"
    down: str = "#ef5350"
    forecast: str
    """Bands, median and medoid path of the forecast."""
    actual: str
    baseline: str
    highlight: str
    """Candles of high surprisal, and highlighted price levels."""
    muted: str
    """Cutoff line, crosshair, tick labels."""
    grid: str
    text: str
    background: str
    """Background of hover boxes and of saved images; figures themselves are transparent."""

    @property
    def colors(self) -> dict[str, str]:
        """Role -> color."""
        return {role: color for role, color in asdict(self).items() if role not in ("scheme", "dark")}


LIGHT = Palette(
    forecast="#2f5fd0",
    actual="#1f2328",
    baseline="#8a6d00",
    highlight="#c2410c",
    muted="#6e7781",
    grid="#e7e9ec",
    text="#31333f",
    background="#ffffff",
)
DARK = Palette(
    dark=True,
    forecast="#6ea8fe",
    actual="#f0f3f6",
    baseline="#d9b54a",
    highlight="#fb923c",
    muted="#8b949e",
    grid="#2b3037",
    text="#fafafa",
    background="#0e1117",
)

_PAIRS: Mapping[str, tuple[dict[str, str], dict[str, str]]] = {
    "classic": ({}, {}),
    "east_asian": ({"up": "#e5484d", "down": "#16a085"}, {"up": "#f2555a", "down": "#2bb596"}),
    # Blue and orange differ in all common kinds of color blindness. Candles use the blue, the forecast violet.
    "colour_blind": (
        {"up": "#0072b2", "down": "#e07b00", "forecast": "#7a3fd0", "highlight": "#b0005a", "baseline": "#667a00"},
        {"up": "#56b4e9", "down": "#f0a030", "forecast": "#c59cff", "highlight": "#ff7ab8", "baseline": "#b8c94a"},
    ),
    # Two greys that look the same, but differ in one digit: see ``Palette``.
    "ink": ({"up": "#3f4650", "down": "#3f4651"}, {"up": "#c3cad3", "down": "#c3cad4"}),
}
SCHEMES = tuple(_PAIRS)
"""``classic`` green and red; ``east_asian`` red for rising; ``colour_blind`` blue and orange; ``ink`` one grey, rising
candles hollow."""


def get_palette(scheme: str = "classic", *, dark: bool = False) -> Palette:
    """The palette of a scheme in one theme.

    Raises:
        SettingsError: there is no such scheme.
    """
    if scheme not in _PAIRS:
        raise SettingsError(
            msg(
                "the color scheme must be one of {schemes}; got {scheme}.",
                schemes=", ".join(SCHEMES),
                scheme=repr(scheme),
            )
        )
    base = DARK if dark else LIGHT
    return Palette(**{**asdict(base), **_PAIRS[scheme][dark], "scheme": scheme})


def theme_colors(scheme: str = "classic") -> dict[str, dict[str, str]]:
    """``light`` and ``dark`` -> role -> color."""
    return {"light": get_palette(scheme).colors, "dark": get_palette(scheme, dark=True).colors}


def rgba(color: str, opacity: float) -> str:
    """A color #rrggbb with an opacity of 0 to 1, in CSS notation."""
    red, green, blue = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
