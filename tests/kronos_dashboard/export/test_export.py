import io
import json
import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import Forecast, KronosPredictor
from kronos_dashboard import export
from kronos_dashboard.errors import ExportError, ImportFileError, RecordError
from kronos_dashboard.export.metadata import FACT_NAMES, NEUTRAL_NOTE, describe_path_options
from kronos_dashboard.forecasting.run import RunRecord, SamplingConfig, run_forecasts
from kronos_dashboard.forecasting.windows import Window, latest_window, replay_window
from kronos_dashboard.markets.importers import ExportedForecastError, read
from kronos_dashboard.messages import load_catalog, translate
from tests.support import makers

Made = tuple[Window, Forecast, RunRecord]
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def make(predictor: KronosPredictor, window: Window, **sampling: object) -> Made:
    [(forecast, record)] = run_forecasts([window], SamplingConfig(**sampling), predictor, model_name="tiny")
    return window, forecast, record


@pytest.fixture(scope="module")
def made(predictor: KronosPredictor) -> Made:
    return make(
        predictor, replay_window(makers.candles(200, session_tz="Asia/Shanghai"), 150, 60, 12), num_paths=8, seed=5
    )


@pytest.fixture(scope="module")
def without_volume(predictor: KronosPredictor) -> Made:
    return make(predictor, latest_window(makers.candles(200, has_volume=False, has_amount=False), 60, 5), num_paths=2)


def all_files(made: Made) -> dict[str, bytes]:
    _, forecast, record = made
    return {
        "steps.csv": export.write_forecast_csv(*made),
        "paths.csv": export.write_paths_csv(forecast, record),
        "paths.parquet": export.write_paths_parquet(forecast, record),
        "paths.json": export.write_paths_json(*made),
        "run.json": export.write_bundle(*made),
        "record.json": export.write_record(record),
        "report.html": export.write_report(*made),
    }


def table(made: Made) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(export.write_forecast_csv(*made)), comment="#")


def text_of(name: str, data: bytes) -> str:
    """What a reader finds in a file; for Parquet in its metadata."""
    if name.endswith(".parquet"):
        stored = pq.read_schema(io.BytesIO(data)).metadata
        return " ".join(f"{key.decode()} {value.decode()}" for key, value in stored.items())
    return data.decode()


def test_there_is_one_row_per_step_at_its_bar_time(made: Made) -> None:
    window, _, _ = made
    found = table(made)
    assert found["step"].tolist() == list(range(1, 13))
    assert found["time"].iloc[0] == window.local_future[0].isoformat()
    assert pd.DatetimeIndex(pd.to_datetime(found["time"], utc=True)).equals(window.future)
    assert set(found["symbol"]) == {"TEST"}


def test_the_candles_are_the_medoid_path_and_the_quantiles_are_over_all_paths(made: Made) -> None:
    _, forecast, _ = made
    found = table(made)
    columns = ["open", "high", "low", "close", "volume", "amount"]
    written = found[columns].to_numpy().astype(np.float32)
    assert np.array_equal(written, forecast.paths[forecast.medoid_path()]), "nine digits bring float32 back exactly"
    for at, column in ((3, "close"), (1, "high"), (2, "low")):
        values = forecast.paths[:, :, at]
        assert found[f"{column}_median"].to_numpy() == pytest.approx(np.median(values, axis=0))
        assert found[f"{column}_q2.5"].to_numpy() == pytest.approx(np.quantile(values, 0.025, axis=0))
        order = [f"{column}_{name}" for name in ("q2.5", "q10", "q25", "median", "q75", "q90", "q97.5")]
        assert (np.diff(found[order].to_numpy(), axis=1) >= 0).all()


def test_the_steps_are_no_history_and_bring_their_record_back(made: Made) -> None:
    data = export.write_forecast_csv(*made)
    with pytest.raises(ExportedForecastError, match="is a forecast exported by this app"):
        read(data, "back.csv")
    assert export.read_export(data).record == made[2]


def test_a_series_without_volume_leaves_volume_blank(without_volume: Made) -> None:
    _, forecast, record = without_volume
    found = table(without_volume)
    assert found[["volume", "amount"]].isna().all(axis=None)
    assert found["close"].notna().all()
    paths = pq.read_table(io.BytesIO(export.write_paths_parquet(forecast, record)))
    assert paths["volume"].null_count == len(paths)


@pytest.mark.parametrize("name", ["paths.csv", "paths.parquet", "paths.json"])
@pytest.mark.parametrize("which", ["made", "without_volume"])
def test_all_paths_come_back_to_the_last_digit(name: str, which: str, request: pytest.FixtureRequest) -> None:
    _, forecast, record = request.getfixturevalue(which)
    found, again = export.read_forecast(all_files(request.getfixturevalue(which))[name], name)
    known = len(record.forecast_columns)
    assert again == record
    assert found.paths.dtype == np.float32
    assert np.array_equal(found.paths[..., :known], forecast.paths[..., :known])
    assert not found.paths[..., known:].any()
    assert found.index.equals(forecast.index.tz_convert("UTC"))
    assert found.repaired_fraction == forecast.repaired_fraction


def test_a_long_csv_comes_back_after_a_spreadsheet_has_saved_it(made: Made) -> None:
    _, forecast, record = made
    header, rows = [], []
    for line in export.write_paths_csv(forecast, record).decode().splitlines():
        (header if line.startswith("#") else rows).append(line)
    quoted = ['"' + line.replace('"', '""') + '"' + "," * 8 for line in header]
    shuffled = [rows[0], *reversed(rows[1:])]
    found, again = export.read_forecast(("\ufeff" + "\r\n".join([*quoted, *shuffled])).encode(), "saved.csv")
    assert again == record
    assert np.array_equal(found.paths, forecast.paths)


def test_the_run_file_gives_record_and_candles_back(made: Made, without_volume: Made) -> None:
    for window, forecast, record in (made, without_volume):
        found = export.read_bundle(export.write_bundle(window, forecast, record))
        assert found.record == record
        assert found.paths is None
        assert found.context is not None
        assert found.context.fingerprint == window.context.fingerprint
        assert (found.actual is None) == (window.actual is None)
        if window.actual is not None:
            assert found.actual is not None
            assert found.actual.fingerprint == window.actual.fingerprint
    assert export.read_bundle(export.write_record(made[2])).context is None


def test_the_summary_agrees_with_the_table(made: Made) -> None:
    window, forecast, _ = made
    summary = json.loads(export.write_bundle(*made))["summary"]
    assert summary["steps"]["close_median"] == pytest.approx(forecast.median().tolist())
    higher = (forecast.paths[:, -1, 3] > window.context.frame["close"].iloc[-1]).mean()
    assert summary["share_of_paths_ending_higher"] == pytest.approx(higher)


@pytest.mark.parametrize("name", ["steps.csv", "paths.csv", "paths.parquet", "paths.json", "run.json", "report.html"])
def test_every_file_names_how_it_was_made_and_its_limits(made: Made, name: str) -> None:
    _, _, record = made
    said = text_of(name, all_files(made)[name])
    known = (record.model_label, record.weights_sha256, record.tokenizer_sha256, record.created_at, "seed")
    for words in (
        *known,
        record.cutoff[:13],
        record.versions["torch"],
        "kronos-dashboard",
        "Not a prediction guarantee",
        "8 paths",
    ):
        assert words in said or words.replace("8 paths", '"num_paths": 8') in said, words


def test_the_bundled_model_is_called_a_demonstration_and_small_temperatures_narrow(made: Made) -> None:
    record = made[2]
    assert "demonstration" not in " ".join(export.disclaimers(record))
    bundled = replace(record, model_name="bundled", sampling=replace(record.sampling, temperature=0.6))
    assert "demonstration" in " ".join(export.disclaimers(bundled))
    assert "too narrow by design" in " ".join(export.disclaimers(bundled))


@pytest.mark.parametrize("name", ["steps.csv", "paths.csv", "paths.parquet", "paths.json", "run.json", "report.html"])
def test_every_file_of_mirrored_paths_has_the_neutral_note(made: Made, predictor: KronosPredictor, name: str) -> None:
    turned = make(predictor, made[0], num_paths=8, seed=5, mirror_paths=True)
    assert NEUTRAL_NOTE in text_of(name, all_files(turned)[name])
    assert NEUTRAL_NOTE not in text_of(name, all_files(made)[name])
    path_options = describe_path_options(turned[2].sampling)
    assert "antithetic pairs" in path_options
    assert dict(export.run_facts(turned[2]))["sampling"].startswith(f"8 paths {path_options};")
    report = export.write_report(*turned).decode()
    assert "50% of 8 paths, in antithetic pairs<" in report


@pytest.mark.parametrize(("min_p", "told", "narrows"), [
    (0.0, "min-p off", False), (0.004, "min-p 0.004", False), (0.02, "min-p 0.02", True),
])  # fmt: skip
def test_min_p_is_stated_and_counts_as_narrowing_only_from_a_threshold_on(
    made: Made, min_p: float, told: str, narrows: bool
) -> None:
    record = replace(made[2], sampling=replace(made[2].sampling, min_p=min_p))
    assert f"top-k off; {told}; limit of" in dict(export.run_facts(record))["sampling"]
    assert ("dropping unlikely tokens" in " ".join(export.disclaimers(record))) is narrows


def test_a_single_path_is_not_mirrored_and_has_no_neutral_note(made: Made, predictor: KronosPredictor) -> None:
    one = make(predictor, made[0], num_paths=1, seed=5, mirror_paths=True)
    assert one[2].sampling.mirror_paths is True, "as it was asked for"
    assert (one[1].paths == make(predictor, made[0], num_paths=1, seed=5, mirror_paths=False)[1].paths).all()
    assert NEUTRAL_NOTE not in export.disclaimers(one[2])
    assert "mirrored" not in dict(export.run_facts(one[2]))["sampling"]
    assert "mirrored" not in export.write_report(*one).decode()


def cells(data: bytes, separator: str) -> list[str]:
    lines = data.decode().splitlines()
    return [cell.strip().strip('"').strip() for line in lines for cell in line.split(separator)]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from(("", *FORMULAS, "#", '"', ",=", ";=", "|-", "a\n=", "%2C=")), rest=st.text(max_size=30))
def test_no_text_can_become_a_formula(made: Made, start: str, rest: str) -> None:
    window, forecast, record = made
    symbol = (start + rest).encode("utf-8", errors="ignore").decode()
    told = replace(record, symbol=symbol, model_label=symbol, source=symbol, notes=(symbol,))
    steps = export.write_forecast_csv(window, forecast, told)
    paths = export.write_paths_csv(forecast, told)
    for data in (steps, paths):
        for separator in (",", ";", "\t", "|"):
            wrong = [cell for cell in cells(data, separator) if cell.startswith(("=", "+", "@", "＝", "＋", "＠"))]
            assert wrong == []
            assert all(re.fullmatch(r"-[0-9.e+-]+", cell) for cell in cells(data, separator) if cell.startswith("-"))
    found = pd.read_csv(io.BytesIO(steps), comment="#", keep_default_na=False, dtype={"symbol": str})
    assert len(found) == window.horizon
    assert pd.api.types.is_numeric_dtype(found["close"]), "numbers stay numbers"
    assert not found["symbol"].iloc[0].startswith(FORMULAS)
    assert export.read_forecast(paths, "x.csv")[1] == told, "the record itself keeps the text as it was"


@pytest.mark.parametrize(("text", "safe"), [
    ("=1+1", "'=1+1"), ("\t=x", "'=x"), ("\r-x", "'-x"), ("@SUM(A1)", "'@SUM(A1)"), ("＝1", "'＝1"),
    ("BTC-USD", "BTC-USD"),
])  # fmt: skip
def test_text_gets_an_apostrophe_where_it_is_needed(text: str, safe: str) -> None:
    assert export.safe_text(text) == safe


class Page(HTMLParser):
    """Collects elements, addresses and the text of the record; complains of elements that are not closed in order."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.addresses: list[str] = []
        self.record = ""
        self.in_record = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")]
        assert not any(name.startswith("on") for name, _ in attrs)
        self.in_record = ("id", "record") in attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.in_record = False

    def handle_data(self, data: str) -> None:
        self.record += data if self.in_record else ""


@pytest.mark.parametrize("symbol", ["TEST", "<script>alert(1)</script>", '"><img src=x onerror=y>', "a&b</pre>'"])
def test_the_report_is_whole_escaped_and_needs_no_network(made: Made, symbol: str) -> None:
    window, forecast, record = made
    told = replace(record, symbol=symbol, source=symbol, model_label=symbol, notes=(symbol,))
    shown = replace(window, context=replace(window.context, symbol=symbol))
    text = export.write_report(shown, forecast, told).decode()
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == []
    assert not page.seen & {"script", "img", "link", "iframe", "object", "a"}
    assert page.addresses == []
    assert "http" not in text.replace("http-equiv", "")
    assert "url(" not in text
    assert "@import" not in text
    assert {"svg", "polygon", "polyline"} <= page.seen
    assert RunRecord.from_json(page.record) == told


def test_the_report_is_in_the_language_of_its_reader(made: Made) -> None:
    window, forecast, record = made
    english = export.write_report(window, forecast, record).decode()
    chinese = export.write_report(window, forecast, record, language="zh-Hans").decode()
    assert ('<html lang="en">' in english, '<html lang="zh-Hans">' in chinese) == (True, True)
    labels = [
        *(label for name, label in FACT_NAMES.items() if name != "note"),
        *export.disclaimers(record),
        *(text for name, text in export.run_facts(record) if name == "window"),
    ]
    catalog = load_catalog("zh-Hans")
    for text in labels:
        assert escape(text) in english
        assert escape(translate(text, catalog)) in chinese
    details = re.sub(
        r"<style>.*?</style>|<code>.*?</code>|<details>.*?</details>|<td>.*?</td>", "", chinese, flags=re.DOTALL
    )
    words = set(re.findall(r"[A-Za-z]{3,}", re.sub(r"<[^>]+>", " ", details)))
    assert words <= {"TEST", "bundle", "output", "token"}, "besides names of options"


def test_the_report_has_the_coverage_of_the_window_only_if_actuals_are_known(made: Made, without_volume: Made) -> None:
    window, forecast, _ = made
    assert window.actual is not None
    lower, upper = forecast.band(0.8)
    closes = window.actual.frame["close"].to_numpy()
    inside = int(((closes >= lower) & (closes <= upper)).sum())
    known, unknown = (export.write_report(*one).decode() for one in (made, without_volume))
    assert f"{inside} of 12 actual closes in this window ({inside / 12:.0%})" in known
    assert 'class="truth"' in known
    assert "no actual prices included" in unknown
    assert 'class="truth"' not in unknown
    assert "80% band" not in known + unknown


BROKEN = {
    "nothing": (b"", "neither Parquet"),
    "another CSV": (b"a,b\n1,2\n", "neither Parquet"),
    "comments without a record": (b"# hello\na,b\n1,2\n", "no '# record:' line"),
    "another JSON": (b"{}", "record_version"),
    "no JSON": (b"{", "not valid JSON"),
    "cut Parquet": (b"PAR1xxxx", "no readable forecast"),
}


@pytest.mark.parametrize(("data", "words"), BROKEN.values(), ids=BROKEN)
def test_other_files_are_rejected(data: bytes, words: str) -> None:
    with pytest.raises((ImportFileError, RecordError), match=words):
        export.read_forecast(data, "../x.bin")


def test_changed_files_are_rejected(made: Made) -> None:
    _, forecast, _ = made
    files = all_files(made)
    one = str(forecast.paths[0, 0, 3]).encode()
    assert one in files["paths.csv"]
    changes = {
        "paths.csv": (files["paths.csv"].replace(one, b"123.25", 1), "changed after the export"),
        "short.csv": (files["paths.csv"].rsplit(b"\n", 3)[0], "96 rows"),
        "twice.csv": (files["paths.csv"] + files["paths.csv"].splitlines()[-1] + b"\n", "once"),
        "steps.csv": (files["steps.csv"], "96 rows; it has 12"),
        "run.json": (files["run.json"], "without paths"),
        "paths.json": (files["paths.json"].replace(b'"seed": 5', b'"seed": 6', 1), "checksum"),
        "paths.parquet": (files["paths.parquet"][:-200], "no readable forecast"),
    }
    for name, (data, words) in changes.items():
        with pytest.raises((ImportFileError, RecordError), match=words):
            export.read_forecast(data, name)


def test_changed_candles_in_a_bundle_are_rejected(made: Made) -> None:
    document = json.loads(export.write_bundle(*made))
    document["candles"]["context"]["volume"][3] += 1
    with pytest.raises(RecordError, match=made[2].candles_fingerprint[:16]):
        export.read_bundle(json.dumps(document).encode())
    del document["candles"]["context"]["close"]
    with pytest.raises(RecordError, match="cannot be read"):
        export.read_bundle(json.dumps(document).encode())
    with pytest.raises(RecordError, match="file format must be"):
        export.read_bundle(json.dumps({**document, "format": "another"}).encode())


def test_file_names_are_plain(made: Made) -> None:
    stem = export.file_stem(replace(made[2], symbol="../=BTC/USDT:x", interval="1 days 00:00/1"))
    assert stem.startswith("forecast_")
    assert set(stem) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def test_writing_is_all_or_nothing(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    export.write_file(target, b"old")
    export.write_file(target, b"new")
    assert target.read_bytes() == b"new"
    with pytest.raises(ExportError, match="cannot be written"):
        export.write_file(tmp_path / "missing" / "out.csv", b"x")
    target.unlink()
    target.mkdir()
    with pytest.raises(ExportError):
        export.write_file(target, b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"], "no half-written file stays behind"
