"""The candles of one symbol, validated. Readers of all sources build them (``readers``, ``qlib``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from engine.errors import InvalidCandlesError
from engine.features import PRICES, candle_values
from engine.finetune.errors import DataError
from engine.messages import message_of, msg

__all__ = ["GROUP_PATTERN", "SymbolCandles"]

GROUP_PATTERN = re.compile(r"(?P<market>.+)_(?P<interval>\d+(?:mo|min|m|h|d|w))", re.IGNORECASE)
"""File names of the form <market>_<interval>."""


@dataclass(frozen=True)
class SymbolCandles:
    """The candles of one symbol at one interval; R rows in order of time."""

    group: str
    """<market>_<interval>, or the file's name. Groups are sampled and reported separately."""
    symbol: str
    times: np.ndarray
    """int64 [R], seconds since 1970, UTC, strictly increasing."""
    values: np.ndarray
    """float64 [R, 6]"""
    notes: tuple[str, ...] = ()
    """What was dropped or filled in, as sentences."""

    @property
    def market(self) -> str:
        """The part of the group before the interval."""
        match = GROUP_PATTERN.fullmatch(self.group)
        return match["market"] if match else self.group

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, group: str, symbol: str) -> Self:
        """Sort, deduplicate and validate one symbol's frame, which is indexed by bar time.

        Raises:
            DataError: bar times or prices are missing, or prices are not finite or not positive.
        """
        name = f"{symbol} of {group}"
        index = frame.index
        if not isinstance(index, pd.DatetimeIndex) or index.hasnans:
            raise DataError(
                msg(
                    "every candle of {name} needs a bar time; the index is {dtype} or has empty times.",
                    name=name,
                    dtype=index.dtype,
                )
            )
        index = index if index.tz is None else index.tz_convert("UTC").tz_localize(None)
        seconds = index.to_numpy().astype("datetime64[s]").astype(np.int64)
        order = np.argsort(seconds, kind="stable")
        # of rows with equal times only the last remains
        order = order[np.append(np.diff(seconds[order]) > 0, True)] if len(order) else order
        notes = []
        if len(order) < len(frame):
            notes.append(f"{name}: {len(frame) - len(order)} duplicate candles; kept the later one.")
        frame, filled = _fill_volume(frame.iloc[order].copy(), name)
        try:
            values = candle_values(frame, name)
        except InvalidCandlesError as cause:
            raise DataError(message_of(cause)) from cause
        low = values[:, : len(PRICES)].min(axis=1)
        if (low <= 0).any():
            row = int(np.argmax(low <= 0))
            raise DataError(
                msg(
                    "{name} must have prices above 0; the candle at {index} has {low:g}. Drop it.",
                    name=name,
                    index=index[order][row],
                    low=low[row],
                )
            )
        return cls(group, symbol, seconds[order], values, (*notes, *filled))


def _fill_volume(frame: pd.DataFrame, name: str) -> tuple[pd.DataFrame, list[str]]:
    """Missing volumes become zero, an incomplete amount is dropped (it is then computed from volume); with notes."""
    notes = []
    for column in ("volume", "amount"):
        if column not in frame.columns or not frame[column].isna().any():
            continue
        notes.append(f"{name}: {int(frame[column].isna().sum())} candles without {column}.")
        if column == "amount":
            frame = frame.drop(columns="amount")
        else:
            frame[column] = frame[column].fillna(0.0)
    return frame, notes
