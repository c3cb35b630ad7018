import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kronos_dashboard.errors import DashboardError, ImportFileError
from kronos_dashboard.markets.importers import ImportOptions, read, read_file
from kronos_dashboard.settings import Settings
from tests.support import makers


def lines(text: str) -> list[str]:
    return text.rstrip("\n").split("\n")


def read_lines(rows: list[str], **options: str):
    return read(("\n".join(rows) + "\n").encode(), "file.csv", ImportOptions(**options))


def test_a_plain_file_is_read_as_it_stands() -> None:
    imported = read(makers.csv(200).encode(), "BTC.csv")
    candles = imported.candles
    assert (len(candles), candles.symbol, candles.session_tz, candles.has_volume, candles.has_amount) == (
        200,
        "BTC",
        "UTC",
        True,
        False,
    )
    assert candles.index[0] == pd.Timestamp("2024-01-01", tz="UTC")
    assert [note.level for note in imported.notes] == ["info", "info"]
    assert "states no time zone; times are kept as written" in imported.notes[0].text
    assert "no gaps" in imported.notes[1].text


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
    candles = read(makers.csv(50, timestamp=numbers).encode(), "f.csv").candles
    assert (candles.index == times.tz_localize("UTC")).all()


def test_fractions_of_epoch_seconds_are_kept() -> None:
    numbers = 1_700_000_000.5 + np.arange(50) * 60
    candles = read(makers.csv(50, timestamp=numbers).encode(), "f.csv").candles
    assert candles.index[0] == pd.Timestamp("2023-11-14 22:13:20.5", tz="UTC")
    assert candles.interval == pd.Timedelta("1min")


def test_dates_written_as_numbers_are_dates() -> None:
    numbers = pd.bdate_range("2024-01-01", periods=50).strftime("%Y%m%d")
    candles = read(makers.csv(50, timestamp=numbers).encode(), "f.csv").candles
    assert candles.index[-1] == pd.bdate_range("2024-01-01", periods=50, tz="UTC")[-1]


def test_timestamps_without_a_timezone_keep_their_hours() -> None:
    text = makers.csv(50)
    candles = read(text.encode(), "f.csv", ImportOptions(session_tz="America/New_York")).candles
    assert candles.local_index[0] == pd.Timestamp("2024-01-01 00:00", tz="America/New_York")
    assert read(text.encode(), "f.csv").candles.local_index[0].hour == 0


def test_timestamps_with_an_offset_are_converted_to_utc_with_a_note() -> None:
    stamps = pd.date_range("2024-01-01", periods=50, freq="1h").strftime("%Y-%m-%dT%H:%M:%S+09:00")
    imported = read(makers.csv(50, timestamp=stamps).encode(), "f.csv")
    assert imported.candles.index[0] == pd.Timestamp("2023-12-31 15:00", tz="UTC")
    assert "offset" in imported.notes[0].text


def test_offsets_on_some_timestamps_only_are_refused() -> None:
    stamps = pd.date_range("2024-01-01", periods=50, freq="1h").strftime("%Y-%m-%d %H:%M:%S").tolist()
    stamps[7] += "+09:00"
    with pytest.raises(ImportFileError, match="times are inconsistent"):
        read(makers.csv(50, timestamp=stamps).encode(), "f.csv")


@pytest.mark.parametrize(("pattern", "noted"), [("%d/%m/%Y %H:%M", False), ("%m/%d/%Y %H:%M", False)])
def test_the_order_of_day_and_month_is_found_over_the_whole_column(pattern: str, noted: bool) -> None:
    times = pd.date_range("2024-01-01", periods=50, freq="1D")
    imported = read(makers.csv(50, timestamp=times.strftime(pattern)).encode(), "f.csv")
    assert (imported.candles.index == times.tz_localize("UTC")).all()
    assert any("day first or month first" in note.text for note in imported.notes) is noted


def test_an_ambiguous_order_of_day_and_month_is_noted() -> None:
    times = pd.date_range("2024-01-01", periods=10, freq="1h")
    imported = read(makers.csv(10, timestamp=times.strftime("%m/%d/%Y %H:%M")).encode(), "f.csv")
    assert any(note.level == "warning" and "month first was assumed" in note.text for note in imported.notes)


def test_newest_first_is_sorted_with_a_note() -> None:
    header, *rows = lines(makers.csv(50))
    imported = read_lines([header, *reversed(rows)])
    assert imported.candles.fingerprint == read_lines([header, *rows]).candles.fingerprint
    assert any(note.level == "warning" and "newest first" in note.text for note in imported.notes)


def test_exact_duplicates_are_dropped_with_a_note() -> None:
    header, *rows = lines(makers.csv(50))
    imported = read_lines([header, *rows[:20], rows[19], *rows[20:], rows[-1]])
    assert len(imported.candles) == 50
    assert any("Dropped 2 exact duplicates" in note.text and note.rows == (21, 52) for note in imported.notes)


def test_of_rows_with_the_same_time_the_first_in_the_file_is_kept_with_a_note() -> None:
    header, *rows = lines(makers.csv(50))
    other = rows[19].split(",")
    other[1:5] = ["50", "60", "40", "45"]
    imported = read_lines([header, *rows[:20], ",".join(other), *rows[20:]])
    assert imported.candles.fingerprint == read_lines([header, *rows]).candles.fingerprint
    assert any("kept the first" in note.text and note.rows == (21,) for note in imported.notes)


@pytest.mark.parametrize("newest_first", [False, True])
def test_of_a_partial_and_a_complete_bar_the_complete_one_is_kept(newest_first: bool) -> None:
    header, *rows = lines(makers.csv(50))
    time, opened, *_ = rows[19].split(",")
    partial = f"{time},{opened},{opened},{opened},{opened},1"
    both = [header, *rows[:19], partial, rows[19], *rows[20:]]
    imported = read_lines([header, *reversed(both[1:])] if newest_first else both)
    assert imported.candles.fingerprint == read_lines([header, *rows]).candles.fingerprint
    assert any("has the complete bar" in note.text for note in imported.notes)


def test_rows_that_mostly_share_their_times_are_no_single_series() -> None:
    header, *rows = lines(makers.csv(50))
    with pytest.raises(ImportFileError, match=r"49 of 50 rows in file\.csv have the same time"):
        read_lines([header, *(f"2024-01-01{row[19:]}" for row in rows)])


@pytest.mark.parametrize("value", ["", "NaN", "inf", "-inf", "n/a!"])
def test_a_row_without_a_price_is_dropped_with_its_number(value: str) -> None:
    frame = pd.read_csv(io.StringIO(makers.csv(50)), dtype=str)
    frame.loc[9, "close"] = value
    imported = read(frame.to_csv(index=False).encode(), "f.csv")
    assert len(imported.candles) == 49
    assert any("missing or non-finite price" in note.text and note.rows == (10,) for note in imported.notes)
    assert any("'n/a!'" in note.text for note in imported.notes) is (value == "n/a!")


@pytest.mark.parametrize(("cells", "words"), [
    ({"low": "0"}, "zero or negative"), ({"open": "-5"}, "zero or negative"),
    ({"high": "1"}, "high or low is inconsistent"),
    ({"low": "1000"}, "high or low is inconsistent"), ({"timestamp": "soon"}, "unreadable timestamp"),
])  # fmt: skip
def test_rows_that_no_market_made_are_dropped_with_their_numbers(cells: dict, words: str) -> None:
    frame = pd.read_csv(io.StringIO(makers.csv(50)), dtype=str)
    for name, value in cells.items():
        frame.loc[9, name] = value
    imported = read(frame.to_csv(index=False).encode(), "f.csv")
    assert len(imported.candles) == 49
    assert any(words in note.text and note.rows == (10,) and note.level == "warning" for note in imported.notes)


def test_a_file_that_lost_most_of_its_rows_says_so_as_an_error() -> None:
    frame = pd.read_csv(io.StringIO(makers.csv(50)), dtype=str)
    frame.loc[:29, "open"] = "0"
    imported = read(frame.to_csv(index=False).encode(), "f.csv")
    assert len(imported.candles) == 20
    assert any(note.level == "error" and "30 rows" in note.text for note in imported.notes)


def test_rows_are_named_as_they_stand_in_the_file_even_when_it_is_newest_first() -> None:
    frame = pd.read_csv(io.StringIO(makers.csv(50)), dtype=str)[::-1].reset_index(drop=True)
    frame.loc[9, "close"] = ""
    imported = read(frame.to_csv(index=False).encode(), "f.csv")
    assert any(note.rows == (10,) for note in imported.notes)


def test_rounding_of_adjusted_prices_is_no_violation() -> None:
    frame = pd.read_csv(io.StringIO(makers.csv(50)))
    frame["high"] = frame[["open", "high", "close"]].max(axis=1)
    frame["close"] = frame["high"] * (1 + 4e-7)
    assert len(read(frame.to_csv(index=False).encode(), "f.csv").candles) == 50


def test_a_price_whose_name_is_not_known_is_found_by_its_values_with_a_warning() -> None:
    imported = read(makers.csv(50).replace("close", "klose", 1).encode(), "f.csv")
    assert imported.candles.fingerprint == read(makers.csv(50).encode(), "f.csv").candles.fingerprint
    assert any(note.level == "warning" and "'klose' was used" in note.text for note in imported.notes)


@pytest.mark.parametrize("column", ["timestamp", "open", "high", "low", "close"])
def test_a_missing_column_is_named_with_what_there_is(column: str) -> None:
    frame = pd.read_csv(io.StringIO(makers.csv(50))).drop(columns=column)
    with pytest.raises(ImportFileError, match="has no column") as raised:
        read(frame.to_csv(index=False).encode(), "f.csv")
    assert ("time" if column == "timestamp" else column) in raised.value.message
    assert "volume" in raised.value.message


def test_volume_is_optional_and_a_column_of_zeros_counts_as_none() -> None:
    frame = pd.read_csv(io.StringIO(makers.csv(50)))
    without = read(frame.drop(columns="volume").to_csv(index=False).encode(), "f.csv")
    zeros = read(frame.assign(volume=0).to_csv(index=False).encode(), "f.csv")
    assert not without.candles.has_volume
    assert not zeros.candles.has_volume
    assert any("is ignored" in note.text for note in zeros.notes)


def test_blank_volume_becomes_zero_with_a_note() -> None:
    frame = pd.read_csv(io.StringIO(makers.csv(50)))
    frame.loc[3, "volume"] = np.nan
    imported = read(frame.to_csv(index=False).encode(), "f.csv")
    assert imported.candles.frame["volume"].iloc[3] == 0
    assert any(
        "Set 1 blank cell in the volume column to 0" in note.text and note.rows == (4,) for note in imported.notes
    )


@pytest.mark.parametrize(("data", "words"), [
    (b"", "it is empty"),
    (b"  \n\n", "it is empty"),
    (b"timestamp,open,high,low,close\n", "no price rows"),
    (b"timestamp,open,high,low,close\n2024-01-01,1,1,1,1\n", "1 row"),
    (b"PK\x03\x04\0\0\0\0", "archive f.csv is damaged"),
    (b"\x00\x01\x02\x03" * 50, "not a text file"),
    (b"\xff\xfe\xfa,\xff\n\xff,\xff\n", "no price rows"),
    (b"timestamp,open,high,low,close\nsoon,1,1,1,1\nlater,1,1,1,1\n", "'timestamp' starts with 'soon'"),
    (b"timestamp,open,high,low,close\n2024-01-01,1,1,1,1\n,1,1,1,1\n", "Dropped 1 row with an unreadable timestamp"),
    (b"date,price\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n", "one price per row"),
    (b"date,close,volume\n2024-01-01,1,1\n2024-01-02,2,3\n2024-01-03,3,4\n", "one price per row"),
    (b"a,b\n1,2\n3,4\n5,6\n", "has no column time"),
    (b"dear sir,\nthere are no candles here\n", "no price rows"),
    (b"%PDF-1.4 candles", "is a PDF"),
    (b"\x80\x04\x95 candles", "a Python pickle, which is never opened for security reasons"),
    (b"<html><body>Please log in</body></html>", "a web page without a table of candles"),
    (b'{"Error Message": "Invalid API call"}', "it says 'Invalid API call'"),
    (b'{"candles": [', "not valid JSON"),
    (b"\x1f\x8bjunk", "cannot be decompressed as gzip"),
    (b"PAR1junk", "Parquet file f.csv cannot be read"),
    (b"ARROW1\0\0junkjunkjunkjunk", "Feather file f.csv"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1junk", "workbook f.csv cannot be read"),
])  # fmt: skip
def test_files_without_candles_are_refused_with_a_reason(data: bytes, words: str) -> None:
    with pytest.raises(ImportFileError, match=words):
        read(data, "f.csv")


def test_files_beyond_the_limits_are_refused() -> None:
    data = makers.csv(200).encode()
    with pytest.raises(ImportFileError, match="more than 100 rows"):
        read(data, "f.csv", settings=Settings(max_rows=100))
    with pytest.raises(ImportFileError, match="larger than the limit of 1 MB"):
        read(data + b" " * 1024 * 1024, "f.csv", settings=Settings(max_upload_mb=1))


def test_a_file_that_is_not_there_is_refused(tmp_path) -> None:
    with pytest.raises(ImportFileError, match="there is no file"):
        read_file(tmp_path / "nothing.csv")
    with pytest.raises(ImportFileError, match="cannot be opened"):
        read_file(tmp_path)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ImportFileError, match="'Mars/Base' is not the name of a time zone"):
        read(makers.csv(50).encode(), "f.csv", ImportOptions(session_tz="Mars/Base"))


def test_hours_that_a_timezone_skips_are_refused() -> None:
    stamps = pd.date_range("2024-03-10 00:00", periods=50, freq="1h")
    text = makers.csv(50, timestamp=stamps.strftime("%Y-%m-%d %H:%M"))
    with pytest.raises(ImportFileError, match="not all times exist in the time zone America/New_York"):
        read(text.encode(), "f.csv", ImportOptions(session_tz="America/New_York"))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 600), st.integers(0, 40))
def test_damaged_files_are_refused_or_read_but_never_break(junk: bytes, where: int, cut: int) -> None:
    data = makers.csv(10).encode()
    damaged = data[:where] + junk + data[where + cut :]
    try:
        imported = read(damaged, "f.csv")
    except DashboardError:
        return
    assert len(imported.candles) >= 2
