"""Bounded stores: remove the oldest entries until limits of number and size hold."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

__all__ = ["evict_oldest"]

K = TypeVar("K")
V = TypeVar("V")


def evict_oldest(
    entries: OrderedDict[K, V],
    *,
    max_entries: int,
    max_bytes: int | None = None,
    num_bytes: Callable[[V], int] = lambda _: 0,
    min_entries: int = 1,
) -> None:
    """Remove entries from the front of ``entries`` until they are few and small enough.

    Args:
        entries: oldest first; changed in place.
        max_entries: entries that may stay.
        max_bytes: sum of ``num_bytes`` that may stay; None = no limit.
        num_bytes: size of one entry.
        min_entries: newest entries that stay whatever their size.
    """
    total = sum(num_bytes(entry) for entry in entries.values())
    while len(entries) > min_entries:
        if len(entries) <= max_entries and (max_bytes is None or total <= max_bytes):
            return
        _, oldest = entries.popitem(last=False)
        total -= num_bytes(oldest)
