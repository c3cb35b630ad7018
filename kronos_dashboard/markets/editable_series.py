"""One series with its origin and its edits, which can be undone. Pure values: every change returns a new series."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

import pandas as pd

from kronos_dashboard.markets.calendars import AUTO
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.doctor import apply_fixes
from kronos_dashboard.markets.importers import ImportedCandles, ImportOptions
from kronos_dashboard.markets.resampling import resample
from kronos_dashboard.markets.share_link import Selection
from kronos_dashboard.messages import msg
from kronos_dashboard.notes import Note

__all__ = ["AppliedEdit", "Edit", "EditableSeries", "UploadedFile"]

_MAX_NAME_LENGTH = 60
"""Letters: a longer name does not fit the lists and file names it becomes a part of."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One change of the candles: a repair, a coarser interval, or another session timezone."""

    kind: Literal["fix", "resample", "timezone"]
    value: str
    """Name of the fix, label of the interval, or name of the timezone."""
    calendar: str = AUTO
    now: pd.Timestamp | None = None
    """For fixes: bars that end after it are incomplete; None = the present."""

    def apply(self, candles: CandleFrame) -> tuple[CandleFrame, tuple[Note, ...]]:
        """Return the changed candles, and notes on what was changed.

        Raises:
            DashboardError: the edit does not apply to these candles.
        """
        if self.kind == "fix":
            return apply_fixes(candles, [self.value], self.now, self.calendar)
        if self.kind == "resample":
            resampled = resample(candles, self.value, self.calendar)
            return resampled.candles, resampled.notes
        text = msg("The session time zone is now {value}; the bar times are unchanged.", value=self.value)
        return replace(candles, session_tz=self.value), (Note("info", text),)


@dataclass(frozen=True)
class AppliedEdit:
    """An edit, and the notes on what it changed."""

    edit: Edit
    notes: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True)
class UploadedFile:
    """An uploaded file with its bytes, so that it can be read again with other options."""

    name: str
    data: bytes
    options: ImportOptions


@dataclass(frozen=True, eq=False, kw_only=True)
class EditableSeries:
    """One imported series, and the edits since."""

    key: str
    """Unique within a session; samples have their own."""
    title: str
    imported: ImportedCandles
    """As imported, before any edit."""
    candles: CandleFrame
    """After all ``edits``."""
    edits: tuple[AppliedEdit, ...] = ()
    calendar: str = AUTO
    """Code of the selected calendar; see ``calendars.calendar_options``."""
    file: UploadedFile | None = None
    selection: Selection | None = None
    """What a link needs to open it again; None for files."""

    @classmethod
    def from_import(
        cls,
        key: str,
        title: str,
        imported: ImportedCandles,
        *,
        file: UploadedFile | None = None,
        selection: Selection | None = None,
    ) -> Self:
        """Return a series without edits."""
        return cls(key=key, title=title, imported=imported, candles=imported.candles, file=file, selection=selection)

    @property
    def notes(self) -> tuple[Note, ...]:
        """Notes of the import, then of the edits."""
        return (*self.imported.notes, *(note for applied in self.edits for note in applied.notes))

    def apply(self, edit: Edit) -> Self:
        """Return the series with one more edit.

        Raises:
            DashboardError: the edit does not apply to these candles.
        """
        candles, notes = edit.apply(self.candles)
        return replace(self, candles=candles, edits=(*self.edits, AppliedEdit(edit, notes)))

    def undo(self) -> Self:
        """Return the series without its last edit; the earlier ones are applied to the import again."""
        candles = self.imported.candles
        for applied in self.edits[:-1]:
            candles, _ = applied.edit.apply(candles)
        return replace(self, candles=candles, edits=self.edits[:-1])

    def undo_all(self) -> Self:
        """Return the series as it was imported."""
        return replace(self, candles=self.imported.candles, edits=())

    def rename(self, name: str) -> Self:
        """Return the series with another name, also as its symbol; a name without letters or digits is ignored."""
        symbol = " ".join(name.split())[:_MAX_NAME_LENGTH]
        if not symbol.isprintable() or not any(letter.isalnum() for letter in symbol):
            return self
        imported = replace(self.imported, candles=replace(self.imported.candles, symbol=symbol))
        return replace(self, title=symbol, imported=imported, candles=replace(self.candles, symbol=symbol))
