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
    assert main(forecast(file, checkpoint, "--out", str(out), "--record", str(record), "--seed", "7")) == 0
    table = pd.read_csv(out, comment="#")
    assert len(table) == 5
    assert table["time"].iloc[0] == "2024-01-09T08:00:00+00:00"
    found = RunRecord.from_json(record.read_text())
    assert (found.sampling["seed"], found.context_length, found.model_name) == (7, 60, str(checkpoint))
    said = capsys.readouterr()
    assert "median" in said.out
    assert said.err == "", "no progress line when nobody watches"


def test_the_same_command_writes_the_same_numbers(file: Path, checkpoint: Path) -> None:
    texts = []
    for name in ("a.csv", "b.csv"):
        assert main(forecast(file, checkpoint, "--out", str(file.with_name(name)))) == 0
        texts.append(pd.read_csv(file.with_name(name), comment="#").to_csv())
    assert texts[0] == texts[1]


@pytest.mark.parametrize("cutoff", ["150", "2024-01-07 05:00", "2024-01-07T05:59:00Z"])
def test_a_cutoff_in_the_past_is_compared_with_what_came(
    file: Path, checkpoint: Path, cutoff: str, capsys: pytest.CaptureFixture
) -> None:
    assert main(forecast(file, checkpoint, "--cutoff", cutoff)) == 0
    said = capsys.readouterr().out
    assert "60 candles up to 2024-01-07 05:00 (UTC)" in said
    assert "random walk: CRPS" in said


def test_a_cutoff_with_only_part_of_the_truth_is_forecast_without_it(file: Path, checkpoint: Path, capsys) -> None:
    assert main(forecast(file, checkpoint, "--cutoff", "198")) == 0
    assert "CRPS" not in capsys.readouterr().out


def test_progress_is_counted_for_somebody_who_watches(
    file: Path, checkpoint: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert main(forecast(file, checkpoint)) == 0
    assert "step 5 of 5" in capsys.readouterr().err


def test_inspect_says_what_a_file_holds(capsys: pytest.CaptureFixture) -> None:
    assert main(["inspect", "sample:aapl_1d"]) == 0
    said = capsys.readouterr().out
    for words in ("1,509", "1d", "America/New_York", "2019-01-02", "2024-12-30", "252.2", "info"):
        assert words in said


WITHOUT_CLOSE = "\n".join(line.rsplit(",", 2)[0] for line in makers.csv(200).splitlines())
BAD_FILES = {
    "30 rows for a context of 60": (makers.csv(30), "60 candles is wanted; candles has 30"),
    "missing column": (WITHOUT_CLOSE, "lacks the column close"),
    "NaN price": (makers.csv(200, close="nan"), "200 rows in which a price is missing or not a finite number dropped"),
    "infinite price": (makers.csv(200, high="inf"), "not a finite number"),
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
    said = capsys.readouterr()
    assert words in said.err
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert (said.out, out.read_text()) == ("", "precious")


@pytest.mark.parametrize(("more", "words"), [
    (["--horizon", "0"], "horizon must be 1 to 512 steps; got 0"),
    (["--horizon", "9999"], "horizon must be 1 to 512 steps; got 9999"),
    (["--context", "5"], "context must be 32"),
    (["--temperature", "-0.1"], "temperature must be 0"),
    (["--top-p", "0"], "top_p must be above 0"),
    (["--paths", "0"], "num_paths must be 1"),
    (["--paths", "5000"], "paths must be 1 to 1000"),
    (["--seed", "-1"], "seed must be 0"),
    (["--cutoff", "0"], "row 1 to 200"),
    (["--cutoff", "soon"], "neither a row"),
    (["--cutoff", "nat"], "neither a row"),
    (["--device", "toaster"], "the device 'toaster' is not on this machine; it has: cpu"),
    (["--cutoff", "1999-01-01"], "before the first candle"),
    (["--cutoff", "20"], "needs rows -39..25; candles has 200"),
    (["--model", "kronos-gigantic"], "kronos-gigantic"),
    (["--out", "/no/such/folder/out.csv"], "cannot be written"),
    (["--session-tz", "Mars/Base"], "not the name of a time zone"),
])  # fmt: skip
def test_a_bad_option_is_one_line_on_stderr(
    file: Path, checkpoint: Path, more: list[str], words: str, capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(forecast(file, checkpoint, *more)) == 1
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


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
    said = capsys.readouterr().err
    assert "oldest first" in said
    assert "1 exact duplicate dropped" in said


def test_a_misspelt_command_is_usage(capsys: pytest.CaptureFixture) -> None:
    for command in (["forecats"], [], ["forecast"], ["forecast", "x.csv", "--horizon", "many"]):
        with pytest.raises(SystemExit) as caught:
            main(command)
        assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_record_is_json_for_other_programs_too(file: Path, checkpoint: Path) -> None:
    record = file.with_name("run.json")
    assert main(forecast(file, checkpoint, "--record", str(record))) == 0
    assert json.loads(record.read_text())["symbol"] == "candles"


def inspected(path: Path, capsys: pytest.CaptureFixture, *more: str) -> dict:
    assert main(["inspect", str(path), "--json", *more]) == 0
    return json.loads(capsys.readouterr().out)


def test_inspect_gives_a_document_for_programs(file: Path, capsys: pytest.CaptureFixture) -> None:
    found = inspected(file, capsys, "--tz", "America/New_York")
    assert (found["rows"], found["interval"], found["session_tz"]) == (200, "1h", "America/New_York")
    assert set(found["first"]) == {"timestamp", "open", "high", "low", "close", "volume"}
    assert found["first"]["timestamp"] == "2024-01-01 00:00:00"
    assert found["last"]["timestamp"] == "2024-01-09 07:00:00"
    assert (found["gaps"], found["gap_count"]) == ([], 0)
    assert {"level", "text", "rows"} == set(found["notes"][0])
    assert "choices" not in found


def test_inspect_tells_gaps_with_their_ends(file: Path, capsys: pytest.CaptureFixture) -> None:
    header, *rows = makers.csv(50).rstrip().split("\n")
    file.write_text("\n".join([header, *rows[:20], *rows[23:]]))
    [gap] = inspected(file, capsys)["gaps"]
    assert gap == {"after": "2024-01-01 19:00:00", "before": "2024-01-01 23:00:00", "missing": 3}
    assert main(["inspect", str(file)]) == 0
    assert "1 (closed hours or missing bars), 3 intervals" in capsys.readouterr().out


def test_inspect_offers_instruments_and_takes_the_one_that_is_asked_for(file: Path, capsys) -> None:
    table = pd.concat([pd.read_csv(file).assign(symbol=name) for name in ("AAA", "BBB")])
    table.to_csv(file, index=False)
    assert inspected(file, capsys)["choices"] == [{"option": "ticker", "values": ["AAA", "BBB"], "taken": "AAA"}]
    assert inspected(file, capsys, "--ticker", "BBB")["symbol"] == "BBB"


def test_inspect_says_in_the_document_why_a_file_cannot_be_read(file: Path, capsys: pytest.CaptureFixture) -> None:
    stamps = pd.date_range("2024-01-01", periods=50, freq="700ms").strftime("%Y-%m-%d %H:%M:%S.%f")
    pd.DataFrame({"time": stamps, "price": range(100, 150)}).to_csv(file, index=False)
    assert main(["inspect", str(file), "--json"]) == 1
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert "holds ticks" in found["error"]
    assert found["choices"][0]["option"] == "interval"
    assert said.err.startswith("error: ")
    assert inspected(file, capsys, "--interval", "5s")["interval"] == "5s"


@pytest.mark.parametrize("more", [
    ["--day-first"], ["--month-first"], ["--column", "close=5"], ["--price-scale", "100"], ["--sheet", "x"],
])  # fmt: skip
def test_inspect_takes_what_a_user_knows_of_a_file(file: Path, capsys: pytest.CaptureFixture, more: list[str]) -> None:
    assert inspected(file, capsys, *more)["rows"] == 200


@pytest.mark.parametrize(
    "more", [["--column", "close"], ["--column", "close=77"], ["--interval", "soon"], ["--tz", "Mars/Base"]]
)
def test_an_option_that_does_not_fit_the_file_is_one_line_on_stderr(file: Path, capsys, more: list[str]) -> None:
    assert main(["inspect", str(file), *more]) == 1
    assert capsys.readouterr().err.count("\n") == 1
