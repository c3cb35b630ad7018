"""Interval names have one home: what files, users and exchanges write is read alike."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronos_dashboard.errors import InvalidCandlesError, InvalidFeedRequestError
from kronos_dashboard.markets.intervals import (
    MONTH,
    interval_label,
    min_interval_length,
    normalize_interval,
    parse_interval,
)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("10s", "10s"),
        ("30sec", "30s"),
        ("5m", "5min"),
        ("5min", "5min"),
        ("15T", "15min"),
        (" 15 m ", "15min"),
        ("4h", "4h"),
        ("4H", "4h"),
        ("1D", "1D"),
        ("1wk", "7D"),
        ("2W", "14D"),
        ("1mo", "30D"),
        ("1M", "30D"),
        ("3M", "90D"),
        ("86400s", "1D"),
    ],
)
def test_every_spelling_in_use_is_read(text: str, length: str) -> None:
    assert parse_interval(text) == pd.Timedelta(length)


@pytest.mark.parametrize("text", ["", "5", "h", "0m", "1y", "1.5h", "-1h", "5 m m", "100000s", "99999w", "1month"])
def test_what_is_not_an_interval_is_rejected_everywhere(text: str) -> None:
    with pytest.raises(InvalidCandlesError, match="is not recognized"):
        parse_interval(text)
    with pytest.raises(InvalidFeedRequestError, match="is not a valid interval"):
        normalize_interval(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [("60m", "1h"), ("1wk", "1w"), ("1mo", MONTH), ("1M", MONTH), ("1H", "1h"), ("5min", "5m"), ("90m", "90m")],
)
def test_feeds_get_one_spelling_and_the_number_as_it_was_written(text: str, name: str) -> None:
    assert normalize_interval(text) == name


def test_feeds_have_no_bars_of_several_months() -> None:
    with pytest.raises(InvalidFeedRequestError, match="'3M' is not a valid interval"):
        normalize_interval("3M")


def test_only_a_month_is_sometimes_shorter_than_its_length() -> None:
    assert min_interval_length(MONTH) == pd.Timedelta(days=28)
    assert min_interval_length("1w") == parse_interval("1w")


@given(st.integers(1, 15_000), st.sampled_from("smhdw"))
def test_a_label_is_read_back_as_the_same_interval(number: int, unit: str) -> None:
    interval = parse_interval(f"{number}{unit}")
    label = interval_label(interval)
    if label == MONTH:
        assert pd.Timedelta(days=28) <= interval <= pd.Timedelta(days=31)
    else:
        assert parse_interval(label) == interval
