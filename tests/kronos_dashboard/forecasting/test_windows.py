import pandas as pd
import pytest

from kronos_dashboard.errors import WindowError
from kronos_dashboard.forecasting.windows import check_lengths, latest_window, replay_window
from kronos_dashboard.settings import Settings
from tests.support import makers


def test_a_replay_window_holds_the_context_and_the_truth_after_it() -> None:
    made = makers.candles(200)
    window = replay_window(made, 150, 100, 20)
    assert (window.context_length, window.horizon) == (100, 20)
    assert window.cutoff == made.index[149]
    assert window.actual is not None
    assert window.actual.index.equals(window.future)
    assert window.future[0] == made.index[150]


def test_the_latest_window_ends_at_the_last_candle_and_knows_no_truth() -> None:
    made = makers.candles(200)
    window = latest_window(made, 100, 20)
    assert (window.cutoff, window.actual, window.horizon) == (made.index[-1], None, 20)
    assert window.future[0] == made.index[-1] + made.interval


@pytest.mark.parametrize(("row", "words"), [(99, "rows 0 to 119"), (181, "rows 82 to 201"), (500, "has 200")])
def test_a_window_that_does_not_fit_says_which_rows_it_needs(row: int, words: str) -> None:
    with pytest.raises(WindowError, match=words) as caught:
        replay_window(makers.candles(200), row, 100, 20)
    assert "shorten" in caught.value.hint


def test_thirty_candles_are_too_few_for_a_context_of_400() -> None:
    with pytest.raises(WindowError, match="400 candles is required; TEST has 30"):
        latest_window(makers.candles(30), 400, 120)


@pytest.mark.parametrize(("context", "horizon", "words"), [
    (400, 0, "horizon must be 1 to 512 bars; got 0"),
    (400, 513, "horizon must be 1 to 512 bars; got 513"),
    (400, -1, "got -1"),
    (3, 10, "context must be 32"),
    (10_000, 10, "context must be 32"),
])  # fmt: skip
def test_lengths_out_of_bounds_are_refused(context: int, horizon: int, words: str) -> None:
    with pytest.raises(WindowError, match=words):
        check_lengths(context, horizon, Settings())


def test_windows_have_different_keys_when_anything_differs() -> None:
    made = makers.candles(200)
    keys = {
        replay_window(made, *args).identity for args in [(150, 100, 20), (151, 100, 20), (150, 99, 20), (150, 100, 21)]
    }
    assert len(keys) == 4
    assert replay_window(made, 150, 100, 20).identity == replay_window(makers.candles(200), 150, 100, 20).identity


def test_nothing_after_the_cutoff_is_in_the_context() -> None:
    made = makers.candles(200)
    changed = made.frame.copy()
    changed.iloc[150:] *= 3
    assert (
        replay_window(made, 150, 100, 20).context.fingerprint
        == replay_window(makers.on(changed), 150, 100, 20).context.fingerprint
    )


def test_future_bar_times_are_shown_on_the_session_clock() -> None:
    window = replay_window(makers.candles(200, session_tz="Asia/Tokyo"), 150, 100, 5)
    assert str(window.local_future.tz) == "Asia/Tokyo"
    assert (window.local_future.tz_convert("UTC") == window.future).all()
    assert isinstance(window.cutoff, pd.Timestamp)


def test_the_latest_window_can_be_told_its_calendar():
    made = makers.candles(200)
    assert 5 in latest_window(made, 100, 150).future.day_of_week
    weekdays = latest_window(made, 100, 150, "fx")
    assert 5 not in weekdays.future.day_of_week
    assert "selected manually" in weekdays.note


def test_a_cutoff_before_the_last_candle_has_the_beginning_of_the_truth():
    made = makers.candles(200)
    window = latest_window(made, 100, 20, lag=7)
    assert (window.cutoff, window.actual, window.horizon) == (made.index[-8], None, 20)
    assert window.partial_actual is not None
    assert window.observed is window.partial_actual
    assert window.future[:7].equals(made.index[-7:])
    assert window.partial_actual.index.equals(made.index[-7:])
    assert window.future[7:].equals(latest_window(made, 100, 13).future)
    assert window.note
    assert window.future.is_monotonic_increasing


def test_a_cutoff_a_whole_horizon_back_is_a_replay_window():
    made = makers.candles(200)
    window = latest_window(made, 100, 20, lag=20)
    assert window.identity == replay_window(made, 180, 100, 20).identity
    assert window.partial_actual is None
    assert window.observed is window.actual


@pytest.mark.parametrize("back", [101, -1])
def test_a_cutoff_that_leaves_no_context_is_refused(back: int):
    with pytest.raises(WindowError, match="100 candles"):
        latest_window(makers.candles(200), 100, 20, lag=back)
