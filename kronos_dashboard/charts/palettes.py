"""Colours of charts: pairs for rising and falling candles that suit an eye or a market, each for light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from kronos_dashboard.errors import SettingsError

__all__ = ["DARK", "LIGHT", "SCHEMES", "Palette", "palette_of", "rgba", "themes_of"]


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colours of one theme, as #rrggbb. Parts that differ in one theme differ in the other.

    That lets a browser whose theme changes swap one colour for the other without asking for a new figure.
    """

    scheme: str = "classic"
    """One of ``SCHEMES``."""
    dark: bool = False
    up: str = "#26a69a"
    down: str = "#ef5350"
    fan: str
    """Bands, median and representative candles of the forecast."""
    truth: str
    baseline: str
    alert: str
    """What stands out: a candle that surprised the model, a level that was crossed."""
    faint: str
    """Cutoff line, spikes and small print."""
    grid: str
    text: str
    ground: str
    """Behind everything, where a picture of its own needs it."""

    @property
    def colours(self) -> dict[str, str]:
        """Every colour by its part."""
        return {part: colour for part, colour in asdict(self).items() if part not in ("scheme", "dark")}


LIGHT = Palette(
    fan="#2f5fd0",
    truth="#1f2328",
    baseline="#8a6d00",
    alert="#c2410c",
    faint="#6e7781",
    grid="#e7e9ec",
    text="#31333f",
    ground="#ffffff",
)
DARK = Palette(
    dark=True,
    fan="#6ea8fe",
    truth="#f0f3f6",
    baseline="#d9b54a",
    alert="#fb923c",
    faint="#8b949e",
    grid="#2b3037",
    text="#fafafa",
    ground="#0e1117",
)

_PAIRS: Mapping[str, tuple[dict[str, str], dict[str, str]]] = {
    "classic": ({}, {}),
    "east_asian": ({"up": "#e5484d", "down": "#16a085"}, {"up": "#f2555a", "down": "#2bb596"}),
    # Blue and orange are told apart in every common kind of colour blindness; the fan leaves blue to the candles.
    "colour_blind": (
        {"up": "#0072b2", "down": "#e07b00", "fan": "#7a3fd0", "alert": "#b0005a", "baseline": "#667a00"},
        {"up": "#56b4e9", "down": "#f0a030", "fan": "#c59cff", "alert": "#ff7ab8", "baseline": "#b8c94a"},
    ),
    "ink": ({"up": "#3f4650", "down": "#3f4651"}, {"up": "#c3cad3", "down": "#c3cad4"}),
}
SCHEMES = tuple(_PAIRS)
"""``classic`` green and red; ``east_asian`` red for rising; ``colour_blind`` blue and orange; ``ink`` one grey, rising
candles hollow."""


def palette_of(scheme: str = "classic", *, dark: bool = False) -> Palette:
    """The palette of a scheme in one theme.

    Raises:
        SettingsError: there is no such scheme.
    """
    if scheme not in _PAIRS:
        raise SettingsError(f"the colours must be one of {', '.join(SCHEMES)}; got {scheme!r}.")
    base = DARK if dark else LIGHT
    return Palette(**{**asdict(base), **_PAIRS[scheme][dark], "scheme": scheme})


def themes_of(scheme: str = "classic") -> dict[str, dict[str, str]]:
    """The colours of both themes, by ``light`` and ``dark`` and then by part."""
    return {"light": palette_of(scheme).colours, "dark": palette_of(scheme, dark=True).colours}


def rgba(colour: str, opacity: float) -> str:
    """A colour #rrggbb with an opacity 0..1, as CSS has it."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
