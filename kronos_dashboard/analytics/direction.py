"""Will it rise, will it touch that price, and when? Touches count highs and lows, not closes alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from kronos_dashboard.analytics.answers import Answer, Sentence, error_sentence
from kronos_dashboard.analytics.estimates import Estimate, quantile, share, wilson
from kronos_dashboard.analytics.sampled_paths import Fan

__all__ = ["ChanceUp", "TimeToHit", "Touch", "chance_up", "first_touch", "time_to_hit", "touch", "up_curve"]

Side = Literal["above", "below"]


@dataclass(frozen=True, kw_only=True)
class ChanceUp(Answer):
    """How likely the close of a step lies above the last close."""

    step: int
    last_close: float
    up: Estimate
    """Above the last close."""
    flat: float
    """Fraction of paths that close exactly at it; neither up nor down."""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The chance and its error; the paths that stand still, if any."""
        main = Sentence(key="up", values={"chance": self.up.value, "step": self.step, "last_close": self.last_close})
        flat = (Sentence(key="up.flat", values={"share": self.flat}),) * (self.flat > 0)
        return main, error_sentence(self.up, "chance"), *flat


@dataclass(frozen=True, kw_only=True)
class Touch(Answer):
    """How likely a level is touched within the horizon."""

    level: float
    side: Side
    """Where the level lies, seen from the last close."""
    horizon: int
    touched: Estimate
    """By a high or a low of any bar."""
    closed_beyond: Estimate
    """At or beyond the level at the close of the last step; never more than ``touched``."""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The chance and its error; the chance to close beyond."""
        values = {"chance": self.touched.value, "level": self.level, "horizon": self.horizon}
        beyond = Sentence(key="touch.close", values={"chance": self.closed_beyond.value})
        return Sentence(key=f"touch.{self.side}", values=values), error_sentence(self.touched, "chance"), beyond


@dataclass(frozen=True, eq=False, kw_only=True)
class TimeToHit(Answer):
    """When a level is touched for the first time."""

    level: float
    side: Side
    chances: np.ndarray
    """[H]: fraction of paths that touch it for the first time at each step."""
    reached: np.ndarray
    """[3, H]: fraction of paths that have touched it by each step, and the edges of its interval."""
    never: Estimate
    """Not within the horizon."""
    median: Estimate | None
    """Bars until half of those paths that touch it have done so; None where none does."""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The time and its error; the paths that never touch."""
        horizon = len(self.chances)
        never = {"level": self.level, "horizon": horizon, "share": self.never.value}
        if self.median is None:
            return Sentence(key="hit.none", values=never), error_sentence(self.never.complement, "chance")
        values = {"level": self.level, "bars": self.median.value, "hits": self.median.num_paths}
        return (
            Sentence(key="hit", values=values),
            error_sentence(self.median, "bars"),
            Sentence(key="hit.never", values=never),
        )


def chance_up(fan: Fan, step: int | None = None) -> ChanceUp:
    """The chance that the close of ``step`` (the last by default) lies above the last close.

    Raises:
        SettingsError: there is no such step.
    """
    chosen = fan.step(step)
    ends = fan.closes[:, chosen - 1]
    return ChanceUp(
        step=chosen,
        last_close=fan.last_close,
        up=share(ends > fan.last_close),
        flat=float((ends == fan.last_close).mean()),
    )


def up_curve(fan: Fan) -> np.ndarray:
    """The chance of every step to close above the last close, and the edges of its interval: [3, H]."""
    count = np.count_nonzero(fan.closes > fan.last_close, axis=0)
    return np.stack((count / fan.num_paths, *wilson(count, fan.num_paths)))


def touch(fan: Fan, level: float) -> Touch:
    """The chance that a high or low reaches ``level`` within the horizon.

    Raises:
        SettingsError: ``level`` is no price, or the last close itself.
    """
    price = fan.level(level)
    side: Side = "above" if price > fan.last_close else "below"
    ends = fan.closes[:, -1]
    return Touch(
        level=price,
        side=side,
        horizon=fan.horizon,
        touched=share(first_touch(fan, level) > 0),
        closed_beyond=share(ends >= price if side == "above" else ends <= price),
    )


def time_to_hit(fan: Fan, level: float) -> TimeToHit:
    """When ``level`` is touched for the first time.

    Raises:
        SettingsError: ``level`` is no price, or the last close itself.
    """
    steps = first_touch(fan, level)
    price, hits = fan.level(level), steps[steps > 0]
    count = np.bincount(steps, minlength=fan.horizon + 1)[1:]
    by_then = count.cumsum()
    return TimeToHit(
        level=price,
        side="above" if price > fan.last_close else "below",
        chances=count / fan.num_paths,
        reached=np.stack((by_then / fan.num_paths, *wilson(by_then, fan.num_paths))),
        never=share(steps == 0),
        median=quantile(hits, 0.5, counted=True) if len(hits) else None,
    )


def first_touch(fan: Fan, level: float) -> np.ndarray:
    """The step, int [N], at which each path first touches ``level``; 0 where it never does.

    Raises:
        SettingsError: ``level`` is no price, or the last close itself.
    """
    price = fan.level(level)
    touched = fan.highs >= price if price > fan.last_close else fan.lows <= price
    return np.where(touched.any(axis=1), touched.argmax(axis=1) + 1, 0)
