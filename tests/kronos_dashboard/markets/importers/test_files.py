"""Kinds of files other than plain text, several series in one file, ticks, and malicious files."""

import bz2
import gzip
import io
import json
import lzma
import struct
import zipfile
import zlib

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.feather as pa_feather
import pyarrow.parquet as pa_parquet
import pytest

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.importers import ChoiceRequiredError, ImportedCandles, ImportOptions, read
from kronos_dashboard.markets.intervals import interval_label
from kronos_dashboard.settings import Settings
from tests.support import makers
from tests.support.imports.cases import load_case

CSV = makers.csv(50).encode()
PLAIN = read(CSV, "f.csv").candles.fingerprint


def frame(n: int = 50) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(makers.csv(n)), parse_dates=["timestamp"])


def same(imported: ImportedCandles) -> bool:
    return (
        read(CSV, "f.csv", ImportOptions(name=imported.candles.symbol)).candles.fingerprint
        == imported.candles.fingerprint
    )


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return out.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, lambda d: gzip.compress(bz2.compress(d)),
                                  lambda d: gzip.compress(d[:700]) + gzip.compress(d[700:])])  # fmt: skip
def test_compressed_files_are_unpacked(pack) -> None:
    assert same(read(pack(CSV), "BTC.csv.gz"))
    assert read(pack(CSV), "BTC.csv.gz").candles.symbol == "BTC"


def test_an_archive_with_one_file_is_that_file() -> None:
    imported = read(zipped(BTC__csv=CSV, __MACOSX_junk=b"", readme__pdf=b"%PDF-1.4"), "dump.zip")
    assert same(imported)
    assert imported.candles.symbol == "BTC"


def test_of_several_files_in_an_archive_the_first_is_read_and_the_others_are_offered() -> None:
    other = makers.csv(60, freq="5min").encode()
    data = zipped(AAA__csv=CSV, BBB__csv=other, notes__md=b"# nothing")
    imported = read(data, "dump.zip")
    assert same(imported)
    assert imported.choices[0].values == ("AAA.csv", "BBB.csv")
    assert any(
        "2 tables or files found; AAA.csv was used" in note.text and note.level == "warning" for note in imported.notes
    )
    assert interval_label(read(data, "dump.zip", ImportOptions(sheet="bbb.csv")).candles.interval) == "5m"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "gbk"])
def test_text_in_other_encodings_is_read(encoding: str) -> None:
    assert same(read(CSV.decode().encode(encoding), "f.csv"))


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n\n"])
def test_lines_end_in_any_way(end: str) -> None:
    assert same(read(CSV.replace(b"\n", end.encode()), "f.csv"))


def workbook(*sheets: tuple[str, list[list]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rows_of(table: pd.DataFrame) -> list[list]:
    return [
        list(table.columns),
        *([row[0].to_pydatetime(), *map(float, row[1:])] for row in table.itertuples(index=False)),
    ]


def test_a_workbook_with_a_title_block_and_several_sheets() -> None:
    head = [["Prices of BTC"], [], ["Source", "somewhere"], []]
    data = workbook(("About", [["nothing here"]]), ("Candles", head + rows_of(frame())), ("More", rows_of(frame(60))))
    imported = read(data, "book.xlsx")
    assert same(imported)
    assert [choice.values for choice in imported.choices] == [("Candles", "More")]
    assert len(read(data, "book.xlsx", ImportOptions(sheet="More")).candles) == 60


def test_a_workbook_with_dates_and_times_in_two_columns() -> None:
    table = frame()
    rows = [["Date", "Time", "Open", "High", "Low", "Close", "Volume"]]
    rows += [
        [t.to_pydatetime().replace(hour=0), t.time(), *map(float, rest)] for t, *rest in table.itertuples(index=False)
    ]
    assert same(read(workbook(("S", rows)), "book.xlsx"))


def test_a_workbook_without_candles_is_refused() -> None:
    with pytest.raises(ImportFileError, match="no sheet with price rows"):
        read(workbook(("S", [["a"], ["b"]])), "book.xlsx")


@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_parquet_and_feather_with_the_time_as_a_column_or_as_the_index(index: bool, zone: str | None) -> None:
    table = frame().rename(columns={"timestamp": "date"})
    table["date"] = table["date"].dt.tz_localize(zone)
    saved = table.set_index("date") if index else table
    out = io.BytesIO()
    saved.to_parquet(out)
    imported = read(out.getvalue(), "f.parquet")
    assert imported.candles.session_tz == (zone or "UTC")
    assert imported.candles.local_index[0].hour == 0
    out = io.BytesIO()
    table.to_feather(out)
    assert (
        read(out.getvalue(), "f.feather", ImportOptions(name="f")).candles.fingerprint == imported.candles.fingerprint
    )
    saved.rename_axis(None).to_parquet(out := io.BytesIO())
    assert len(read(out.getvalue(), "f.parquet").candles) == 50


def test_float32_prices_are_no_violation() -> None:
    table = frame()
    table[["open", "high", "low", "close"]] = table[["open", "high", "low", "close"]].astype("float32")
    table.to_parquet(out := io.BytesIO())
    assert len(read(out.getvalue(), "f.parquet").candles) == 50


def test_a_page_saved_as_a_workbook_is_read_by_its_table() -> None:
    rows = "".join(
        f"<tr>{''.join(f'<td> {cell}</td>' for cell in line.split(','))}</tr>"
        for line in CSV.decode().split("\n")
        if line
    )
    page = f"<html><body><p>Prices</p><table><tr><td>menu</td></tr></table><table>{rows}</table></body></html>"
    assert same(read(page.encode(), "f.xls"))


def long_table() -> str:
    parts = [frame(30).assign(ticker=name) for name in ("AAA", "BBB", "CCC")]
    for factor, part in enumerate(parts, 1):
        part[["open", "high", "low", "close"]] *= factor
    return pd.concat(parts).sort_values("timestamp").to_csv(index=False)


def test_of_several_instruments_below_each_other_the_first_is_read_and_the_others_are_offered() -> None:
    imported = read(long_table().encode(), "f.csv")
    assert (imported.candles.symbol, len(imported.candles)) == ("AAA", 30)
    assert imported.choices[0].option == "symbol"
    assert set(imported.choices[0].values) == {"AAA", "BBB", "CCC"}
    assert any("3 instruments found; AAA was used" in note.text and note.level == "warning" for note in imported.notes)
    other = read(long_table().encode(), "f.csv", ImportOptions(symbol="ccc")).candles
    np.testing.assert_allclose(other.frame["open"], 3 * imported.candles.frame["open"])
    with pytest.raises(ImportFileError, match="no instrument 'ZZZ'"):
        read(long_table().encode(), "f.csv", ImportOptions(symbol="ZZZ"))


@pytest.mark.parametrize("field_first", [True, False])
def test_of_several_instruments_side_by_side_the_first_is_read_and_the_others_are_offered(field_first: bool) -> None:
    table = frame(30).set_index("timestamp").rename_axis("Date")
    both = {}
    for factor, name in enumerate(("AAA", "BBB"), 1):
        for column in table.columns:
            both[(column.title(), name) if field_first else (name, column.title())] = table[column] * factor
    data = pd.DataFrame(both).to_csv().encode()
    imported = read(data, "f.csv")
    assert (imported.candles.symbol, len(imported.candles)) == ("AAA", 30)
    assert imported.choices[0].values == ("AAA", "BBB")
    other = read(data, "f.csv", ImportOptions(symbol="BBB")).candles
    np.testing.assert_allclose(other.frame["open"], 2 * imported.candles.frame["open"])
    np.testing.assert_allclose(other.frame["volume"], 2 * imported.candles.frame["volume"])


def test_one_day_of_a_whole_market_is_refused() -> None:
    table = frame(50).assign(timestamp="2024-01-02", symbol=[f"S{i}" for i in range(50)])
    with pytest.raises(ImportFileError, match="50 instruments with hardly more than one candle each"):
        read(table.to_csv(index=False).encode(), "bhavcopy.csv")


def test_a_contract_that_rolls_is_one_series_with_a_warning() -> None:
    table = frame(50).assign(contract=["H4"] * 20 + ["M4"] * 30)
    imported = read(table.to_csv(index=False).encode(), "f.csv")
    assert len(imported.candles) == 50
    assert any(
        "name of the instrument changes (H4, M4)" in note.text and note.level == "warning" for note in imported.notes
    )


def trades(n: int = 600) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    stamps = pd.Timestamp("2024-01-02 09:30") + pd.to_timedelta(np.cumsum(generator.integers(50, 3_000, n)), unit="ms")
    price = (100 + np.cumsum(generator.normal(0, 0.01, n))).round(2)
    return pd.DataFrame({"time": stamps, "price": price, "size": generator.integers(1, 100, n)})


@pytest.mark.parametrize("headed", [True, False])
def test_ticks_need_an_interval_and_are_aggregated_to_it(headed: bool) -> None:
    ticks = trades()
    data = ticks.to_csv(index=False, header=headed).encode()
    with pytest.raises(ChoiceRequiredError, match="600 ticks") as raised:
        read(data, "ticks.csv")
    assert "1m" in raised.value.choice.values
    candles = read(data, "ticks.csv", ImportOptions(interval="1m")).candles
    expected = ticks.set_index("time")["price"].resample("1min").ohlc()
    np.testing.assert_allclose(candles.frame[["open", "high", "low", "close"]], expected)
    np.testing.assert_allclose(candles.frame["volume"], ticks.set_index("time")["size"].resample("1min").sum())


def test_quotes_give_candles_of_mid_prices() -> None:
    ticks = trades()
    table = pd.DataFrame({"time": ticks["time"], "bid": ticks["price"] - 0.01, "ask": ticks["price"] + 0.01})
    candles = read(table.to_csv(index=False).encode(), "q.csv", ImportOptions(interval="1m")).candles
    np.testing.assert_allclose(candles.frame["close"], ticks.set_index("time")["price"].resample("1min").last())
    assert not candles.has_volume


def test_bid_and_ask_candles_side_by_side_are_a_choice() -> None:
    table = frame(30)
    prices = ["open", "high", "low", "close"]
    bid = table[prices].rename(columns=lambda name: f"bid_{name}")
    ask = (table[prices] * 1.001).rename(columns=lambda name: f"ask_{name}")
    data = pd.concat([table[["timestamp"]], bid, ask], axis=1).to_csv(index=False).encode()
    assert read(data, "f.csv").choices[0].values == ("bid", "ask")
    first, second = (read(data, "f.csv", ImportOptions(symbol=side)).candles.frame["open"] for side in ("bid", "ask"))
    np.testing.assert_allclose(second, first * 1.001)


def test_options_override_what_was_inferred() -> None:
    table = frame(30).rename(columns={"close": "settle", "open": "erste"})
    table["other"] = table["settle"] * 0.999
    data = table.to_csv(index=False).encode()
    columns = {"close": "settle", "open": "2"}
    imported = read(data, "f.csv", ImportOptions(columns=columns, interval="1d", price_divisor=10, name="X"))
    np.testing.assert_allclose(imported.candles.frame["open"], table["erste"] / 10)
    assert (imported.candles.symbol, interval_label(imported.candles.interval)) == ("X", "1d")
    assert any("most common step between rows is 1h" in note.text for note in imported.notes)
    with pytest.raises(ImportFileError, match="no column 'nothing' for close"):
        read(data, "f.csv", ImportOptions(columns={"close": "nothing"}))
    for wrong in ({"interval": "often"}, {"columns": {"prize": "2"}}, {"price_divisor": 0.0}):
        with pytest.raises(ImportFileError):
            ImportOptions(**wrong)


def test_the_order_of_day_and_month_can_be_given() -> None:
    text = makers.csv(10).replace("2024-01-01", "02/01/2024")
    for day_first, month in ((True, 1), (False, 2), (None, 2)):
        assert read(text.encode(), "f.csv", ImportOptions(day_first=day_first)).candles.index[0].month == month


def test_the_day_comes_from_the_name_of_the_file_where_the_rows_have_none() -> None:
    table = frame(20)
    table["timestamp"] = (
        pd.date_range("2024-01-01 09:30", periods=20, freq="1min") - pd.Timestamp("2024-01-01")
    ) // pd.Timedelta("1ms")
    imported = read(table.to_csv(index=False, header=False).encode(), "20240102_spy_minute_trade.csv")
    assert imported.candles.index[0] == pd.Timestamp("2024-01-02 09:30", tz="UTC")
    assert any("from the file name" in note.text and note.level == "warning" for note in imported.notes)


def test_columns_of_one_name_that_differ_are_refused_until_one_is_chosen() -> None:
    header, *lines = makers.csv(30).strip().split("\n")
    data = "\n".join([f"{header},high", *(f"{line},{i}" for i, line in enumerate(lines))]).encode()
    with pytest.raises(ImportFileError, match="two columns named 'high' with different values: 3 and 7"):
        read(data, "f.csv")
    assert len(read(data, "f.csv", ImportOptions(columns={"high": "3"})).candles) == 30


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_accented_names_do_not_shift_the_fields_of_fixed_width(encoding: str) -> None:
    case = load_case("lines_of_fixed_width")
    lines = case.data.decode().split("\n")
    lines[3] = lines[3].replace("010PETR4 ", "010AÇÚCAR", 1)
    assert "AÇÚCAR" in lines[3]
    accented = read("\n".join(lines).encode(encoding), case.filename, case.options)
    np.testing.assert_array_equal(accented.candles.frame, read(case.data, case.filename).candles.frame)


# ------------------------------------------------------------------------------------------- malicious files

SMALL = Settings(max_upload_mb=1, max_rows=20_000)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_bomb_is_refused(pack) -> None:
    with pytest.raises(ImportFileError, match="decompresses to more than 10 MB"):
        read(pack(b"\0" * 60_000_000), "f.gz", settings=SMALL)


def test_a_bomb_in_an_archive_or_a_workbook_is_refused() -> None:
    bomb = b"1,2,3,4,5\n" * 6_000_000
    with pytest.raises(ImportFileError, match="decompresses to more than 10 MB"):
        read(zipped(f__csv=bomb), "f.zip", settings=SMALL)
    with pytest.raises(ImportFileError, match="decompresses to more than 10 MB"):
        read(zipped(**{"xl/workbook__xml": bomb}), "f.xlsx", settings=SMALL)


def test_an_archive_that_lies_about_its_size_is_refused() -> None:
    honest = zipped(f__csv=b"0" * 40_000_000)
    lying = honest.replace(struct.pack("<L", 40_000_000), struct.pack("<L", 1_000))
    with pytest.raises(ImportFileError):
        read(lying, "f.zip", settings=SMALL)


def test_archives_in_archives_and_archives_of_very_many_files_are_refused() -> None:
    with pytest.raises(ImportFileError, match="archive inside an archive"):
        read(zipped(a__zip=zipped(f__csv=CSV)), "f.zip")
    with pytest.raises(ImportFileError, match="contains 2,500 files"):
        read(zipped(**{f"f{i}__csv": b"x" for i in range(2_500)}), "f.zip", settings=Settings())


def test_names_in_an_archive_are_names_only() -> None:
    imported = read(zipped(**{"../../etc/passwd__csv": CSV}), "f.zip")
    assert same(imported)
    assert imported.candles.symbol == "passwd"


def test_parquet_and_feather_that_unpack_to_more_than_the_limit_are_refused() -> None:
    zeros = pa.table({name: pa.array(np.zeros(4_000_000)) for name in ("timestamp", "open", "high", "low", "close")})
    pa_parquet.write_table(zeros, out := io.BytesIO(), compression="zstd", use_dictionary=True)
    assert len(out.getvalue()) < 1 << 20
    with pytest.raises(ImportFileError, match="more than"):
        read(out.getvalue(), "f.parquet", settings=SMALL)
    few = zeros.slice(0, 10_000).append_column("text", pa.array(["x" * 5_000] * 10_000))
    pa_parquet.write_table(few, out := io.BytesIO(), compression="zstd")
    with pytest.raises(ImportFileError):
        read(out.getvalue(), "f.parquet", settings=SMALL)
    pa_feather.write_feather(zeros, out := io.BytesIO(), compression="zstd")
    assert len(out.getvalue()) < 1 << 20
    with pytest.raises(ImportFileError, match="decompresses to more than 10 MB"):
        read(out.getvalue(), "f.feather", settings=SMALL)


def test_a_feather_buffer_that_claims_a_huge_size_is_refused() -> None:
    table = pa.table({"timestamp": pa.array(np.arange(5_000)), "open": pa.array(np.ones(5_000))})
    pa_feather.write_feather(table, out := io.BytesIO(), compression="lz4")
    data = out.getvalue().replace(struct.pack("<q", 40_000), struct.pack("<q", 1 << 45))
    assert data != out.getvalue()
    with pytest.raises(ImportFileError, match="decompresses to more than"):
        read(data, "f.feather", settings=SMALL)


def test_deep_json_and_very_wide_rows_are_refused() -> None:
    with pytest.raises(ImportFileError, match="nested too deep"):
        read(b"[" * 200_000, "f.json")
    with pytest.raises(ImportFileError, match="has 300 columns"):
        read(b"\n".join([b"2024-01-01," + b"1," * 298 + b"1"] * 5), "f.csv")
    with pytest.raises(ImportFileError):
        read(b"1," * 400_000 + b"1\n" + b"2," * 400_000 + b"2\n", "f.csv")
    with pytest.raises(ImportFileError):
        read(json.dumps([list(range(5_000))] * 30).encode(), "f.json")


def test_a_torn_gzip_is_refused() -> None:
    packed = gzip.compress(CSV)
    for torn in (packed[:-20], packed[:30], zlib.compress(CSV)):
        with pytest.raises(ImportFileError):
            read(torn, "f.csv.gz")
