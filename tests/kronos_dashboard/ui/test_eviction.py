"""Bounded stores: the oldest entries go first, and the newest stays."""

from __future__ import annotations

from collections import OrderedDict

from kronos_dashboard.ui.eviction import evict_oldest


def kept(sizes: list[int], **limits: int) -> list[int]:
    entries = OrderedDict(enumerate(sizes))
    evict_oldest(entries, num_bytes=int, **limits)  # type: ignore[arg-type]
    return list(entries)


def test_the_oldest_entries_are_removed_until_number_and_size_are_within_their_limits() -> None:
    assert kept([1, 1, 1, 1], max_entries=3) == [1, 2, 3]
    assert kept([50, 30, 20], max_entries=9, max_bytes=60) == [1, 2]
    assert kept([1, 1], max_entries=2, max_bytes=2) == [0, 1]
    assert kept([], max_entries=1) == []


def test_the_newest_entry_stays_however_large_unless_none_must_stay() -> None:
    assert kept([1, 99], max_entries=9, max_bytes=10) == [1]
    assert kept([1, 99], max_entries=9, max_bytes=10, min_entries=0) == []
