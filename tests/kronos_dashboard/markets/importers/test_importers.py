import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kronos_dashboard.errors import DashboardError, ImportFailed
from kronos_dashboard.markets.importers import ImportOptions, read, read_file
from kronos_dashboard.settings import Settings
from tests.support import makers


def lines(text: str) -> list[str]:
    return text.rstrip("\n").split("\n")


def read_lines(rows: list[str], **options: str):
    return read(("\n".join(rows) + "\n").encode(), "file.csv", ImportOptions(**options))


def test_a_plain_file_is_read_as_it_stands() -> None:
    found = read(makers.csv(200).encode(), "BTC.csv")
    made = found.candles
    assert (len(made), made.symbol, made.session_tz, made.has_volume, made.has_amount) == (
        200,
        "BTC",
        "UTC",
        True,
        False,
    )
    assert made.index[0] == pd.Timestamp("2024-01-01", tz="UTC")
    assert [note.level for note in found.notes] == ["info", "info"]
    assert "carry no zone; their hours are kept" in found.notes[0].text
    assert "no gaps" in found.notes[1].text


@pytest.mark.parametrize("name", ["timestamp", "Timestamps", "TIME", "Date", "datetime", "Open time", "open_time"])
def test_the_time_column_goes_by_many_names(name: str) -> None:
    assert len(read(makers.csv(50).replace("timestamp", name, 1).encode(), "f.csv").candles) == 50


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_are_found(separator: str) -> None:
    assert len(read(makers.csv(50).replace(",", separator).encode(), "f.csv").candles) == 50


def test_a_byte_order_mark_windows_line_ends_and_capitals_do_no_harm() -> None:
    text = makers.csv(50).replace("open,high,low,close,volume", "Open, High, LOW, Close, Volume").replace("\n", "\r\n")
    assert len(read(b"\xef\xbb\xbf" + text.encode(), "f.csv").candles) == 50


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_epochs_are_read_by_their_size(unit: str) -> None:
    times = pd.date_range("2024-01-01", periods=50, freq="1h")
    numbers = times.as_unit(unit).astype("int64")
    made = read(makers.csv(50, timestamp=numbers).encode(), "f.csv").candles
    assert (made.index == times.tz_localize("UTC")).all()


def test_fractions_of_epoch_seconds_are_kept() -> None:
    numbers = 1_700_000_000.5 + np.arange(50) * 60
    made = read(makers.csv(50, timestamp=numbers).encode(), "f.csv").candles
    assert made.index[0] == pd.Timestamp("2023-11-14 22:13:20.5", tz="UTC")
    assert made.interval == pd.Timedelta("1min")


def test_dates_written_as_numbers_are_dates() -> None:
    numbers = pd.bdate_range("2024-01-01", periods=50).strftime("%Y%m%d")
    made = read(makers.csv(50, timestamp=numbers).encode(), "f.csv").candles
    assert made.index[-1] == pd.bdate_range("2024-01-01", periods=50, tz="UTC")[-1]


def test_stamps_without_a_zone_keep_their_hours() -> None:
    text = makers.csv(50)
    made = read(text.encode(), "f.csv", ImportOptions(session_tz="America/New_York")).candles
    assert made.local_index[0] == pd.Timestamp("2024-01-01 00:00", tz="America/New_York")
    assert read(text.encode(), "f.csv").candles.local_index[0].hour == 0


def test_stamps_with_an_offset_are_moved_to_utc_with_a_note() -> None:
    stamps = pd.date_range("2024-01-01", periods=50, freq="1h").strftime("%Y-%m-%dT%H:%M:%S+09:00")
    found = read(makers.csv(50, timestamp=stamps).encode(), "f.csv")
    assert found.candles.index[0] == pd.Timestamp("2023-12-31 15:00", tz="UTC")
    assert "offset" in found.notes[0].text


def test_offsets_on_some_stamps_only_are_refused() -> None:
    stamps = pd.date_range("2024-01-01", periods=50, freq="1h").strftime("%Y-%m-%d %H:%M:%S").tolist()
    stamps[7] += "+09:00"
    with pytest.raises(ImportFailed, match="cannot be read alike"):
        read(makers.csv(50, timestamp=stamps).encode(), "f.csv")


@pytest.mark.parametrize(("pattern", "noted"), [("%d/%m/%Y %H:%M", False), ("%m/%d/%Y %H:%M", False)])
def test_the_order_of_day_and_month_is_found_over_the_whole_column(pattern: str, noted: bool) -> None:
    times = pd.date_range("2024-01-01", periods=50, freq="1D")
    found = read(makers.csv(50, timestamp=times.strftime(pattern)).encode(), "f.csv")
    assert (found.candles.index == times.tz_localize("UTC")).all()
    assert any("day first or month first" in note.text for note in found.notes) is noted


def test_an_order_of_day_and_month_that_cannot_be_told_is_noted() -> None:
    times = pd.date_range("2024-01-01", periods=10, freq="1h")
    found = read(makers.csv(10, timestamp=times.strftime("%m/%d/%Y %H:%M")).encode(), "f.csv")
    assert any(note.level == "warning" and "month first was assumed" in note.text for note in found.notes)


def test_newest_first_is_sorted_with_a_note() -> None:
    header, *rows = lines(makers.csv(50))
    found = read_lines([header, *reversed(rows)])
    assert found.candles.fingerprint == read_lines([header, *rows]).candles.fingerprint
    assert any(note.level == "warning" and "newest first" in note.text for note in found.notes)


def test_exact_duplicates_are_dropped_with_a_note() -> None:
    header, *rows = lines(makers.csv(50))
    found = read_lines([header, *rows[:20], rows[19], *rows[20:], rows[-1]])
    assert len(found.candles) == 50
    assert any("2 exact duplicates dropped" in note.text and note.rows == (21, 52) for note in found.notes)


def test_of_rows_with_the_same_time_the_first_in_the_file_is_kept_with_a_note() -> None:
    header, *rows = lines(makers.csv(50))
    other = rows[19].split(",")
    other[1:5] = ["50", "60", "40", "45"]
    found = read_lines([header, *rows[:20], ",".join(other), *rows[20:]])
    assert found.candles.fingerprint == read_lines([header, *rows]).candles.fingerprint
    assert any("the first was kept" in note.text and note.rows == (21,) for note in found.notes)


@pytest.mark.parametrize("newest_first", [False, True])
def test_of_a_bar_seen_half_way_and_in_full_the_full_one_is_kept(newest_first: bool) -> None:
    header, *rows = lines(makers.csv(50))
    time, opened, *_ = rows[19].split(",")
    partial = f"{time},{opened},{opened},{opened},{opened},1"
    both = [header, *rows[:19], partial, rows[19], *rows[20:]]
    found = read_lines([header, *reversed(both[1:])] if newest_first else both)
    assert found.candles.fingerprint == read_lines([header, *rows]).candles.fingerprint
    assert any("has the bar in full" in note.text for note in found.notes)


def test_rows_that_mostly_share_their_times_are_no_single_series() -> None:
    header, *rows = lines(makers.csv(50))
    with pytest.raises(ImportFailed, match=r"49 of 50 rows in file\.csv have the same time"):
        read_lines([header, *(f"2024-01-01{row[19:]}" for row in rows)])


@pytest.mark.parametrize("value", ["", "NaN", "inf", "-inf", "n/a!"])
def test_a_row_without_a_price_is_dropped_with_its_number(value: str) -> None:
    frame = pd.read_csv(io.StringIO(makers.csv(50)), dtype=str)
    frame.loc[9, "close"] = value
    found = read(frame.to_csv(index=False).encode(), "f.csv")
    assert len(found.candles) == 49
    assert any("missing or not a finite number" in note.text and note.rows == (10,) for note in found.notes)
    assert any("'n/a!'" in note.text for note in found.notes) is (value == "n/a!")


@pytest.mark.parametrize(("cells", "words"), [
    ({"low": "0"}, "zero or negative"), ({"open": "-5"}, "zero or negative"), ({"high": "1"}, "high is below"),
    ({"low": "1000"}, "the low above another"), ({"timestamp": "soon"}, "time cannot be read"),
])  # fmt: skip
def test_rows_that_no_market_made_are_dropped_with_their_numbers(cells: dict, words: str) -> None:
    frame = pd.read_csv(io.StringIO(makers.csv(50)), dtype=str)
    for name, value in cells.items():
        frame.loc[9, name] = value
    found = read(frame.to_csv(index=False).encode(), "f.csv")
    assert len(found.candles) == 49
    assert any(words in note.text and note.rows == (10,) and note.level == "warning" for note in found.notes)


def test_a_file_that_lost_most_of_its_rows_says_so_as_an_error() -> None:
    frame = pd.read_csv(io.StringIO(makers.csv(50)), dtype=str)
    frame.loc[:29, "open"] = "0"
    found = read(frame.to_csv(index=False).encode(), "f.csv")
    assert len(found.candles) == 20
    assert any(note.level == "error" and "30 rows" in note.text for note in found.notes)


def test_rows_are_named_as_they_stand_in_the_file_even_when_it_is_newest_first() -> None:
    frame = pd.read_csv(io.StringIO(makers.csv(50)), dtype=str)[::-1].reset_index(drop=True)
    frame.loc[9, "close"] = ""
    found = read(frame.to_csv(index=False).encode(), "f.csv")
    assert any(note.rows == (10,) for note in found.notes)


def test_rounding_of_adjusted_prices_is_no_violation() -> None:
    frame = pd.read_csv(io.StringIO(makers.csv(50)))
    frame["high"] = frame[["open", "high", "close"]].max(axis=1)
    frame["close"] = frame["high"] * (1 + 4e-7)
    assert len(read(frame.to_csv(index=False).encode(), "f.csv").candles) == 50


def test_a_price_whose_name_is_not_known_is_found_by_its_values_with_a_warning() -> None:
    found = read(makers.csv(50).replace("close", "klose", 1).encode(), "f.csv")
    assert found.candles.fingerprint == read(makers.csv(50).encode(), "f.csv").candles.fingerprint
    assert any(note.level == "warning" and "'klose' was taken" in note.text for note in found.notes)


@pytest.mark.parametrize("column", ["timestamp", "open", "high", "low", "close"])
def test_a_missing_column_is_named_with_what_there_is(column: str) -> None:
    frame = pd.read_csv(io.StringIO(makers.csv(50))).drop(columns=column)
    with pytest.raises(ImportFailed, match="lacks the column") as caught:
        read(frame.to_csv(index=False).encode(), "f.csv")
    assert ("time" if column == "timestamp" else column) in caught.value.message
    assert "volume" in caught.value.message


def test_volume_is_optional_and_a_column_of_zeros_counts_as_none() -> None:
    frame = pd.read_csv(io.StringIO(makers.csv(50)))
    without = read(frame.drop(columns="volume").to_csv(index=False).encode(), "f.csv")
    zeros = read(frame.assign(volume=0).to_csv(index=False).encode(), "f.csv")
    assert not without.candles.has_volume
    assert not zeros.candles.has_volume
    assert any("taken as absent" in note.text for note in zeros.notes)


def test_blank_volume_becomes_zero_with_a_note() -> None:
    frame = pd.read_csv(io.StringIO(makers.csv(50)))
    frame.loc[3, "volume"] = np.nan
    found = read(frame.to_csv(index=False).encode(), "f.csv")
    assert found.candles.frame["volume"].iloc[3] == 0
    assert any("1 blank cell in the volume column set to 0" in note.text and note.rows == (4,) for note in found.notes)


@pytest.mark.parametrize(("data", "words"), [
    (b"", "it is empty"),
    (b"  \n\n", "it is empty"),
    (b"timestamp,open,high,low,close\n", "no rows of numbers"),
    (b"timestamp,open,high,low,close\n2024-01-01,1,1,1,1\n", "1 row"),
    (b"PK\x03\x04\0\0\0\0", "archive f.csv is damaged"),
    (b"\x00\x01\x02\x03" * 50, "not a text file"),
    (b"\xff\xfe\xfa,\xff\n\xff,\xff\n", "no rows of numbers"),
    (b"timestamp,open,high,low,close\nsoon,1,1,1,1\nlater,1,1,1,1\n", "'timestamp' begins with 'soon'"),
    (b"timestamp,open,high,low,close\n2024-01-01,1,1,1,1\n,1,1,1,1\n", "1 row whose time cannot be read"),
    (b"date,price\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n", "one price per row"),
    (b"date,close,volume\n2024-01-01,1,1\n2024-01-02,2,3\n2024-01-03,3,4\n", "one price per row"),
    (b"a,b\n1,2\n3,4\n5,6\n", "lacks the column time"),
    (b"dear sir,\nthere are no candles here\n", "no rows of numbers"),
    (b"%PDF-1.4 candles", "is a PDF"),
    (b"\x80\x04\x95 candles", "a Python pickle, which is never opened"),
    (b"<html><body>Please log in</body></html>", "a web page without a table of candles"),
    (b'{"Error Message": "Invalid API call"}', "it says 'Invalid API call'"),
    (b'{"candles": [', "no valid JSON"),
    (b"\x1f\x8bjunk", "cannot be unpacked as gzip"),
    (b"PAR1junk", "Parquet file f.csv cannot be read"),
    (b"ARROW1\0\0junkjunkjunkjunk", "Feather file f.csv"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1junk", "workbook f.csv cannot be read"),
])  # fmt: skip
def test_what_is_no_file_of_candles_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(ImportFailed, match=words):
        read(data, "f.csv")


def test_files_beyond_the_limits_are_refused() -> None:
    data = makers.csv(200).encode()
    with pytest.raises(ImportFailed, match="more than 100 rows"):
        read(data, "f.csv", settings=Settings(max_rows=100))
    with pytest.raises(ImportFailed, match="larger than the limit of 1 MB"):
        read(data + b" " * 1024 * 1024, "f.csv", settings=Settings(max_upload_mb=1))


def test_a_file_that_is_not_there_is_refused(tmp_path) -> None:
    with pytest.raises(ImportFailed, match="there is no file"):
        read_file(tmp_path / "nothing.csv")
    with pytest.raises(ImportFailed, match="cannot be opened"):
        read_file(tmp_path)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ImportFailed, match="'Mars/Base' is not the name of a time zone"):
        read(makers.csv(50).encode(), "f.csv", ImportOptions(session_tz="Mars/Base"))


def test_hours_that_a_zone_does_not_have_are_refused() -> None:
    stamps = pd.date_range("2024-03-10 00:00", periods=50, freq="1h")
    text = makers.csv(50, timestamp=stamps.strftime("%Y-%m-%d %H:%M"))
    with pytest.raises(ImportFailed, match="cannot all stand on the clock of America/New_York"):
        read(text.encode(), "f.csv", ImportOptions(session_tz="America/New_York"))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 600), st.integers(0, 40))
def test_damaged_files_are_refused_or_read_but_never_break(junk: bytes, where: int, cut: int) -> None:
    data = makers.csv(10).encode()
    damaged = data[:where] + junk + data[where + cut :]
    try:
        found = read(damaged, "f.csv")
    except DashboardError:
        return
    assert len(found.candles) >= 2
