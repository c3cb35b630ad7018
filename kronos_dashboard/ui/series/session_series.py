"""What a session holds of one series: as it came, what was changed since, and how to get it again. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

import pandas as pd

from kronos_dashboard.markets.calendars import AUTO
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.doctor import treat
from kronos_dashboard.markets.importers import Imported, ImportOptions
from kronos_dashboard.markets.resampling import resample
from kronos_dashboard.notes import Note
from kronos_dashboard.ui.series.share_link import Selection

__all__ = ["Done", "File", "Series", "Step"]

_MOST_LETTERS = 60


@dataclass(frozen=True, kw_only=True)
class Step:
    """One change that somebody asked for."""

    kind: Literal["fix", "resample", "clock"]
    value: str
    """Name of the fix, label of the interval, or name of the session clock."""
    calendar: str = AUTO
    now: pd.Timestamp | None = None
    """By which time bars count as forming."""

    def apply(self, candles: CandleFrame) -> tuple[CandleFrame, tuple[Note, ...]]:
        """The candles after it, and what it did.

        Raises:
            DashboardError: it cannot be done with these candles.
        """
        if self.kind == "fix":
            return treat(candles, [self.value], self.now, self.calendar)
        if self.kind == "resample":
            made = resample(candles, self.value, self.calendar)
            return made.candles, made.notes
        text = f"The session clock is now {self.value}; the bar times are the same instants."
        return replace(candles, session_tz=self.value), (Note("info", text),)


@dataclass(frozen=True)
class Done:
    """A step and what it did."""

    step: Step
    notes: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True)
class File:
    """An uploaded file, kept so that it can be read with other options."""

    name: str
    data: bytes
    options: ImportOptions


@dataclass(frozen=True, eq=False, kw_only=True)
class Series:
    """One series of a session."""

    key: str
    """Names it within the session; a sample has its own key."""
    title: str
    imported: Imported
    """As it came."""
    candles: CandleFrame
    """As it is now: after ``done``."""
    done: tuple[Done, ...] = ()
    calendar: str = AUTO
    """The calendar that was chosen; see ``calendars.choices``."""
    file: File | None = None
    selection: Selection | None = None
    """What a link says to get it again; None for files."""

    @classmethod
    def of(
        cls, key: str, title: str, imported: Imported, *, file: File | None = None, selection: Selection | None = None
    ) -> Self:
        """A series that has just come."""
        return cls(key=key, title=title, imported=imported, candles=imported.candles, file=file, selection=selection)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was found when it came, and what was done since."""
        return (*self.imported.notes, *(note for done in self.done for note in done.notes))

    def after(self, step: Step) -> Self:
        """The series with one more change.

        Raises:
            DashboardError: the change cannot be made.
        """
        candles, notes = step.apply(self.candles)
        return replace(self, candles=candles, done=(*self.done, Done(step, notes)))

    def without_last(self) -> Self:
        """The series before its last change: the earlier ones are made again from what came."""
        candles = self.imported.candles
        for done in self.done[:-1]:
            candles, _ = done.step.apply(candles)
        return replace(self, candles=candles, done=self.done[:-1])

    def renamed(self, name: str) -> Self:
        """The series under another name, which is also its symbol; a name without letters changes nothing."""
        plain = " ".join(name.split())[:_MOST_LETTERS]
        if not plain.isprintable() or not any(letter.isalnum() for letter in plain):
            return self
        imported = replace(self.imported, candles=replace(self.imported.candles, symbol=plain))
        return replace(self, title=plain, imported=imported, candles=replace(self.candles, symbol=plain))
