import numpy as np
import pandas as pd
import pytest

from kronos_dashboard.errors import InvalidCandlesError
from kronos_dashboard.markets.candles import clean_volume, infer_interval, invalid_rows
from kronos_dashboard.markets.intervals import interval_label
from tests.support import makers


def test_columns_are_float64_in_order_and_the_given_frame_is_left_alone() -> None:
    frame = makers.values(10).astype("float32")[["amount", "volume", "close", "low", "high", "open"]]
    frame.index = pd.date_range("2024", periods=10, freq="1h", tz="UTC")
    made = makers.on(frame)
    assert list(made.frame.columns) == ["open", "high", "low", "close", "volume", "amount"]
    assert set(made.frame.dtypes) == {np.dtype("float64")}
    made.frame.iloc[0, 0] = 7.0
    assert frame.iloc[0]["open"] != 7.0


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("close", np.nan, "not a finite number"),
        ("open", np.inf, "not a finite number"),
        ("low", 0.0, "zero or negative"),
        ("low", -1.0, "zero or negative"),
        ("high", 1.0, "high is below"),
        ("low", 1e6, "below the low"),
        ("volume", -1.0, "volume is negative"),
        ("volume", np.nan, "volume is negative or not"),
    ],
)
def test_an_impossible_value_is_refused_with_its_row(column: str, value: float, words: str) -> None:
    frame = makers.candles(20).frame.copy()
    frame.loc[frame.index[6], column] = value
    with pytest.raises(InvalidCandlesError, match=words) as caught:
        makers.on(frame)
    assert "row 7" in str(caught.value)


def test_rows_are_invalid_for_named_reasons_and_a_missing_value_has_only_its_own() -> None:
    columns = {
        "open": [10.0, np.nan, 10.0, -1.0, 10.0, 10.0, 10.0],
        "high": [11.0, 11.0, np.inf, 11.0, 8.0, 9.5, 11.0],
        "low": [9.0, 9.0, 9.0, -2.0, 9.0, 9.0, 10.5],
        "close": [10.0, 10.0, 10.0, 10.0, 7.0, 9.2, 10.8],
        "volume": [0.0, np.nan, np.inf, -1.0, 1.0, 1.0, 1.0],
    }
    masks = invalid_rows({name: np.array(values) for name, values in columns.items()})
    assert {reason: np.flatnonzero(mask).tolist() for reason, mask in masks.items()} == {
        "missing_price": [1],
        "infinite_price": [2],
        "nonpositive_price": [3],
        "high_below_low": [4],
        "high_below_body": [4, 5],
        "low_above_body": [4, 6],
        "missing_volume": [1],
        "infinite_volume": [2],
        "negative_volume": [3],
    }
    assert all(mask.tolist() == invalid_rows(pd.DataFrame(columns))[reason].tolist() for reason, mask in masks.items())


def test_blank_and_negative_volume_is_zero_and_nothing_but_zeros_is_unknown() -> None:
    cleaned = clean_volume(np.array([5.0, np.nan, np.inf, -3.0, 0.0]))
    assert cleaned.values is not None
    assert cleaned.values.tolist() == [5.0, 0.0, 0.0, 0.0, 0.0]
    assert (cleaned.blank.tolist(), cleaned.negative.tolist()) == ([0, 1, 1, 0, 0], [0, 0, 0, 1, 0])
    assert clean_volume(np.array([0.0, np.nan])).values is None


def test_a_high_that_misses_by_rounding_passes() -> None:
    frame = makers.candles(20).frame.copy()
    frame["high"] = frame[["open", "close"]].max(axis=1) * (1 - 1e-8)
    assert len(makers.on(frame)) == 20


@pytest.mark.parametrize("index", [
    pd.date_range("2024", periods=5, freq="1h"),
    pd.date_range("2024", periods=5, freq="1h", tz="Asia/Tokyo"),
    pd.date_range("2024", periods=5, freq="1h", tz="UTC")[::-1],
    pd.DatetimeIndex(["2024-01-01"] * 5, tz="UTC"),
    pd.RangeIndex(5),
])  # fmt: skip
def test_bar_times_must_be_utc_and_strictly_increasing(index: pd.Index) -> None:
    frame = makers.values(5)
    frame.index = index
    with pytest.raises(InvalidCandlesError):
        makers.on(frame, interval=pd.Timedelta("1h"))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InvalidCandlesError, match="missing: volume"):
        makers.on(makers.candles(5).frame.drop(columns="volume"))


def test_the_fingerprint_notices_every_cell_time_and_label() -> None:
    made = makers.candles(50)
    frame = made.frame.copy()
    frame.iloc[17, 4] += 1e-9
    others = {
        makers.on(frame).fingerprint,
        makers.candles(50, start="2024-01-02").fingerprint,
        makers.candles(50, symbol="X").fingerprint,
        makers.candles(50, session_tz="Asia/Tokyo").fingerprint,
        makers.candles(50, has_volume=False).fingerprint,
        made.tail(49).fingerprint,
    }
    assert made.fingerprint == makers.candles(50).fingerprint
    assert made.fingerprint not in others
    assert len(others) == 6


def test_tail_and_until_keep_the_labels() -> None:
    made = makers.candles(50, session_tz="Asia/Tokyo")
    assert len(made.tail(7)) == 7
    assert len(made.tail(99)) == 50
    cut = made.until(made.index[9])
    assert (len(cut), cut.index[-1], cut.session_tz) == (10, made.index[9], "Asia/Tokyo")
    assert len(made.until(made.index[9] + pd.Timedelta("59min"))) == 10


def test_gaps_count_the_missing_bars() -> None:
    frame = makers.candles(50).frame.drop(index=makers.candles(50).index[[10, 11, 30]])
    gaps = makers.on(frame).gaps()
    assert [gap.missing for gap in gaps] == [2, 1]
    assert gaps[0].before - gaps[0].after == pd.Timedelta("3h")


def test_columns_that_mean_nothing_are_not_shown_to_the_engine() -> None:
    assert makers.candles(5).columns == ("open", "high", "low", "close", "volume", "amount")
    assert makers.candles(5, has_amount=False).columns[-1] == "volume"
    assert makers.candles(5, has_volume=False).columns == ("open", "high", "low", "close")


@pytest.mark.parametrize(
    ("freq", "label"),
    [("5min", "5m"), ("90min", "90m"), ("4h", "4h"), ("1D", "1d"), ("7D", "1w"), ("30D", "1M"), ("10s", "10s")],
)
def test_intervals_have_short_names(freq: str, label: str) -> None:
    assert interval_label(infer_interval(pd.date_range("2024", periods=9, freq=freq))) == label


def test_the_interval_is_the_most_common_step() -> None:
    assert infer_interval(pd.bdate_range("2024", periods=30)) == pd.Timedelta("1D")
    with pytest.raises(InvalidCandlesError, match="at least 2"):
        infer_interval(pd.DatetimeIndex(["2024"]))


@pytest.mark.parametrize("label", [
    {"interval": pd.Timedelta(0)},
    {"interval": pd.Timedelta("-1h")},
    {"interval": pd.NaT},
    {"session_tz": "Nowhere/Land"},
    {"session_tz": ""},
    {"timestamp_at": "middle"},
])  # fmt: skip
def test_a_label_that_means_nothing_is_refused(label: dict[str, object]) -> None:
    with pytest.raises(InvalidCandlesError):
        makers.candles(5, **label)


def test_a_million_candles_with_many_gaps_are_checked_and_listed() -> None:
    rows = np.flatnonzero(np.arange(1_000_000) % 10 != 3)
    frame = makers.values(1000).iloc[rows % 1000]
    frame.index = pd.DatetimeIndex(np.datetime64("2020-01-01") + rows.astype("timedelta64[m]")).tz_localize("UTC")
    gaps = makers.on(frame, interval=pd.Timedelta("1min")).gaps()
    assert len(gaps) == 100_000
    assert {gap.missing for gap in gaps} == {1}
