import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from kronos_dashboard.__main__ import main
from kronos_dashboard.forecasting.run import RunRecord
from tests.support import makers


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "candles.csv"
    path.write_text(makers.csv(200))
    return path


def forecast(file: Path | str, checkpoint: Path, *more: str) -> list[str]:
    small = ["--context", "60", "--horizon", "5", "--paths", "3", "--device", "cpu", "--model", str(checkpoint)]
    return ["forecast", str(file), *small, *more]


def test_a_forecast_is_written_with_its_record(file: Path, checkpoint: Path, capsys: pytest.CaptureFixture) -> None:
    out, record = file.with_name("out.csv"), file.with_name("run.json")
    assert main(forecast(file, checkpoint, "--out", str(out), "--record-output", str(record), "--seed", "7")) == 0
    table = pd.read_csv(out, comment="#")
    assert len(table) == 5
    assert table["time"].iloc[0] == "2024-01-09T08:00:00+00:00"
    record_read = RunRecord.from_json(record.read_text())
    assert (record_read.sampling.seed, record_read.context_length, record_read.model_name) == (7, 60, str(checkpoint))
    output = capsys.readouterr()
    assert "median" in output.out
    assert output.err == "", "no progress line when nobody watches"


def test_the_same_command_writes_the_same_numbers(file: Path, checkpoint: Path) -> None:
    texts = []
    for name in ("a.csv", "b.csv"):
        assert main(forecast(file, checkpoint, "--out", str(file.with_name(name)))) == 0
        texts.append(pd.read_csv(file.with_name(name), comment="#").to_csv())
    assert texts[0] == texts[1]


@pytest.mark.parametrize("cutoff", ["150", "2024-01-07 05:00", "2024-01-07T05:59:00Z"])
def test_a_forecast_from_a_past_cutoff_is_compared_with_the_actual_candles(
    file: Path, checkpoint: Path, cutoff: str, capsys: pytest.CaptureFixture
) -> None:
    assert main(forecast(file, checkpoint, "--cutoff", cutoff)) == 0
    output = capsys.readouterr().out
    assert "60 candles up to 2024-01-07 05:00 (UTC)" in output
    assert "random walk: CRPS" in output


def test_a_forecast_with_too_few_actual_candles_is_not_compared(file: Path, checkpoint: Path, capsys) -> None:
    assert main(forecast(file, checkpoint, "--cutoff", "198")) == 0
    assert "CRPS" not in capsys.readouterr().out


def test_progress_is_shown_on_a_terminal(
    file: Path, checkpoint: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert main(forecast(file, checkpoint)) == 0
    assert "5/5" in capsys.readouterr().err


def test_inspect_summarizes_a_file(capsys: pytest.CaptureFixture) -> None:
    assert main(["inspect", "sample:aapl_1d"]) == 0
    output = capsys.readouterr().out
    for words in ("1,509", "1d", "America/New_York", "2019-01-02", "2024-12-30", "252.2", "info"):
        assert words in output


WITHOUT_CLOSE = "\n".join(line.rsplit(",", 2)[0] for line in makers.csv(200).splitlines())
BAD_FILES = {
    "30 rows for a context of 60": (makers.csv(30), "60 candles is required; candles has 30"),
    "missing column": (WITHOUT_CLOSE, "has no column close"),
    "NaN price": (makers.csv(200, close="nan"), "Dropped 200 rows with missing or non-finite prices"),
    "infinite price": (makers.csv(200, high="inf"), "non-finite prices"),
    "contradicting duplicates": (makers.csv(200, timestamp="2024-01-01"), "have the same time as another row"),
}


@pytest.mark.parametrize(("text", "words"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_one_line_on_stderr_and_leaves_the_old_result(
    file: Path, checkpoint: Path, text: str, words: str, capsys: pytest.CaptureFixture
) -> None:
    file.write_text(text)
    out = file.with_name("out.csv")
    out.write_text("precious")
    assert main(forecast(file, checkpoint, "--out", str(out))) == 1
    output = capsys.readouterr()
    assert words in output.err
    assert output.err.startswith("error: ")
    assert output.err.count("\n") == 1
    assert (output.out, out.read_text()) == ("", "precious")


@pytest.mark.parametrize(("more", "words"), [
    (["--horizon", "0"], "horizon must be 1 to 512 bars; got 0"),
    (["--horizon", "9999"], "horizon must be 1 to 512 bars; got 9999"),
    (["--context", "5"], "context must be 32"),
    (["--temperature", "-0.1"], "temperature must be 0"),
    (["--top-p", "0"], "top_p must be above 0"),
    (["--paths", "0"], "num_paths must be 1"),
    (["--paths", "5000"], "paths must be 1 to 1000"),
    (["--seed", "-1"], "seed must be 0"),
    (["--cutoff", "0"], "row 1 to 200"),
    (["--cutoff", "soon"], "neither a row"),
    (["--cutoff", "nat"], "neither a row"),
    (["--device", "toaster"], "device 'toaster' is not available on this machine; available: cpu"),
    (["--cutoff", "1999-01-01"], "before the first candle"),
    (["--cutoff", "20"], "needs rows -39 to 25; candles has 200"),
    (["--model", "kronos-gigantic"], "kronos-gigantic"),
    (["--out", "/no/such/folder/out.csv"], "cannot be written"),
    (["--timezone", "Mars/Base"], "not the name of a time zone"),
])  # fmt: skip
def test_a_bad_option_is_one_line_on_stderr(
    file: Path, checkpoint: Path, more: list[str], words: str, capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(forecast(file, checkpoint, *more)) == 1
    output = capsys.readouterr().err
    assert words in output
    assert output.count("\n") == 1


def test_a_folder_without_a_configuration_and_cut_weights_have_their_own_messages(
    file: Path, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    broken = shutil.copytree(checkpoint, tmp_path / "broken")
    weights = broken / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert main(forecast(file, broken)) == 1
    truncated = capsys.readouterr().err
    (broken / "model" / "config.json").unlink()
    assert main(forecast(file, broken)) == 1
    lacking = capsys.readouterr().err
    assert "config.json" in lacking
    assert "model.safetensors" in truncated
    assert truncated != lacking
    assert truncated.count("\n") == lacking.count("\n") == 1


def test_a_repaired_file_is_forecast_with_a_warning(file: Path, checkpoint: Path, capsys) -> None:
    header, *rows = makers.csv(200).rstrip().split("\n")
    file.write_text("\n".join([header, *reversed(rows), rows[0]]))
    assert main(forecast(file, checkpoint)) == 0
    output = capsys.readouterr().err
    assert "oldest first" in output
    assert "Dropped 1 exact duplicate" in output


def test_an_invalid_command_line_is_usage(capsys: pytest.CaptureFixture) -> None:
    for command in (["forecats"], [], ["forecast"], ["forecast", "x.csv", "--horizon", "many"]):
        assert main(command) == 2
        shown = capsys.readouterr()
        assert shown.err.startswith("Usage: kronos ")
        assert "\nerror: " in shown.err
        assert shown.out == ""


def test_a_record_is_json_for_other_programs_too(file: Path, checkpoint: Path) -> None:
    record = file.with_name("run.json")
    assert main(forecast(file, checkpoint, "--record-output", str(record))) == 0
    assert json.loads(record.read_text())["symbol"] == "candles"


def inspected(path: Path, capsys: pytest.CaptureFixture, *more: str) -> dict:
    assert main(["inspect", str(path), "--json", *more]) == 0
    return json.loads(capsys.readouterr().out)


def test_inspect_prints_json(file: Path, capsys: pytest.CaptureFixture) -> None:
    summary = inspected(file, capsys, "--tz", "America/New_York")
    assert (summary["rows"], summary["interval"], summary["session_tz"]) == (200, "1h", "America/New_York")
    assert set(summary["first"]) == {"timestamp", "open", "high", "low", "close", "volume"}
    assert summary["first"]["timestamp"] == "2024-01-01 00:00:00"
    assert summary["last"]["timestamp"] == "2024-01-09 07:00:00"
    assert (summary["gaps"], summary["gap_count"]) == ([], 0)
    assert {"level", "text", "rows"} == set(summary["notes"][0])
    assert "choices" not in summary


def test_inspect_lists_gaps_with_their_ends(file: Path, capsys: pytest.CaptureFixture) -> None:
    header, *rows = makers.csv(50).rstrip().split("\n")
    file.write_text("\n".join([header, *rows[:20], *rows[23:]]))
    [gap] = inspected(file, capsys)["gaps"]
    assert gap == {"after": "2024-01-01 19:00:00", "before": "2024-01-01 23:00:00", "missing": 3}
    assert main(["inspect", str(file)]) == 0
    assert "1 (closed hours or missing bars), 3 intervals" in capsys.readouterr().out


def test_inspect_lists_the_symbols_of_a_file_and_reads_the_selected_one(file: Path, capsys) -> None:
    table = pd.concat([pd.read_csv(file).assign(symbol=name) for name in ("AAA", "BBB")])
    table.to_csv(file, index=False)
    assert inspected(file, capsys)["choices"] == [{"option": "symbol", "values": ["AAA", "BBB"], "taken": "AAA"}]
    assert inspected(file, capsys, "--symbol", "BBB")["symbol"] == "BBB"


def test_inspect_prints_why_a_file_cannot_be_read_as_json(file: Path, capsys: pytest.CaptureFixture) -> None:
    stamps = pd.date_range("2024-01-01", periods=50, freq="700ms").strftime("%Y-%m-%d %H:%M:%S.%f")
    pd.DataFrame({"time": stamps, "price": range(100, 150)}).to_csv(file, index=False)
    assert main(["inspect", str(file), "--json"]) == 1
    output = capsys.readouterr()
    summary = json.loads(output.out)
    assert "50 ticks" in summary["error"]
    assert summary["choices"][0]["option"] == "interval"
    assert output.err.startswith("error: ")
    assert inspected(file, capsys, "--interval", "5s")["interval"] == "5s"


@pytest.mark.parametrize("more", [
    ["--day-first"], ["--month-first"], ["--column", "close=5"], ["--price-divisor", "100"], ["--sheet", "x"],
])  # fmt: skip
def test_inspect_accepts_facts_about_a_file(file: Path, capsys: pytest.CaptureFixture, more: list[str]) -> None:
    assert inspected(file, capsys, *more)["rows"] == 200


@pytest.mark.parametrize(
    "more", [["--column", "close"], ["--column", "close=77"], ["--interval", "soon"], ["--tz", "Mars/Base"]]
)
def test_an_option_that_does_not_fit_the_file_is_one_line_on_stderr(file: Path, capsys, more: list[str]) -> None:
    assert main(["inspect", str(file), *more]) == 1
    assert capsys.readouterr().err.count("\n") == 1
