"""The command ``forecast``: every file it writes, and recorded runs made again."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from engine import KronosTokenizer, ModelConfig
from kronos_dashboard import export
from kronos_dashboard.__main__ import main
from kronos_dashboard.export.metadata import LEFT_OPEN
from tests.support import makers

NAMES = {
    "--out": "out.csv", "--json-out": "run.json", "--html-out": "report.html", "--record": "record.json",
    "--paths-out": "paths.parquet",
}  # fmt: skip


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Path:
    """A folder with candles and with all files of one forecast of them."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "candles.csv").write_text(makers.csv(200))
    files = [text for option, name in NAMES.items() for text in (option, str(folder / name))]
    window = ["--context", "60", "--horizon", "12", "--cutoff", "150", "--tz", "Asia/Shanghai"]
    sampling = ["--paths", "7", "--seed", "11", "--temperature", "0.9", "--top-p", "0.95", "--top-k", "40"]
    model = ["--model", str(checkpoint), "--device", "cpu", "--policy", "exact"]
    assert main(["forecast", str(folder / "candles.csv"), *window, *sampling, *model, *files]) == 0
    return folder


def again(first: Path, *more: str, record: str = "run.json") -> list[str]:
    return ["forecast", "--from-record", str(first / record), *more]


def refused(capsys: pytest.CaptureFixture, arguments: list[str]) -> str:
    """The one line on stderr of a command that could not be done."""
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert said.out == ""
    return said.err


def edited(first: Path, tmp_path: Path, name: str, **values: object) -> Path:
    """A record in which somebody has written other values."""
    document = json.loads((first / name).read_text())
    inner = document.get("record", document)
    inner.update(values)
    path = tmp_path / name
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("threads", ["1", "4"])
def test_a_run_file_alone_makes_the_same_bytes_again(first: Path, tmp_path: Path, threads: str) -> None:
    files = {option: tmp_path / name for option, name in NAMES.items()}
    command = [sys.executable, "-m", "kronos_dashboard", *again(first)]
    command += [text for option, path in files.items() for text in (option, str(path))]
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=150, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "the same numbers" in done.stdout
    for path in files.values():
        assert path.read_bytes() == (first / path.name).read_bytes(), path.name


@pytest.mark.parametrize("name", ["out.csv", "paths.parquet", "report.html"])
def test_every_exported_file_makes_the_same_numbers_again_from_the_file_of_its_candles(
    first: Path, tmp_path: Path, name: str, capsys
) -> None:
    assert "Name the file that they came from" in refused(capsys, again(first, record=name))
    out = tmp_path / "out.csv"
    assert main([*again(first, record=name), "--candles", str(first / "candles.csv"), "--out", str(out)]) == 0
    assert out.read_bytes() == (first / "out.csv").read_bytes()


@pytest.mark.parametrize("data", [b"PAR1 and no more", b"# about: x\na,b\n1,2\n", b"<html></html>", b"\x00", b""])
def test_a_file_without_a_record_is_refused(tmp_path: Path, data: bytes, capsys) -> None:
    (tmp_path / "run").write_bytes(data)
    refused(capsys, ["forecast", "--from-record", str(tmp_path / "run")])


@pytest.mark.parametrize("more", [[], ["--tz", "Asia/Shanghai"], ["--symbol", "another name"]])
def test_a_bare_record_needs_the_file_of_its_candles(first: Path, tmp_path: Path, more: list[str], capsys) -> None:
    assert "Name the file that they came from" in refused(capsys, again(first, record="record.json"))
    out = tmp_path / "out.csv"
    candles = ["--candles", str(first / "candles.csv")]
    assert main([*again(first, record="record.json"), *candles, *more, "--out", str(out)]) == 0
    assert out.read_bytes() == (first / "out.csv").read_bytes()


def test_candles_that_came_later_change_nothing(first: Path, tmp_path: Path) -> None:
    lines = (first / "candles.csv").read_text().splitlines()
    (tmp_path / "then.csv").write_text("\n".join(lines[:154]))
    out = tmp_path / "out.csv"
    assert main(again(first, "--candles", str(tmp_path / "then.csv"), "--out", str(out))) == 0
    assert out.read_bytes() == (first / "out.csv").read_bytes()


def test_other_candles_are_refused_and_both_fingerprints_named(first: Path, tmp_path: Path, capsys) -> None:
    frame = pd.read_csv(first / "candles.csv")
    frame.loc[120, "volume"] += 1
    frame.to_csv(tmp_path / "other.csv", index=False)
    out = tmp_path / "out.csv"
    said = refused(capsys, again(first, "--candles", str(tmp_path / "other.csv"), "--out", str(out)))
    record = json.loads((first / "record.json").read_text())
    assert record["candles_fingerprint"][:16] in said
    assert "other.csv have " in said
    assert not out.exists()
    (tmp_path / "short.csv").write_text(makers.csv(40))
    assert "the 40 candles up to" in refused(capsys, again(first, "--candles", str(tmp_path / "short.csv")))


def test_another_model_is_refused_and_both_digests_named(first: Path, tmp_path: Path, checkpoint: Path, capsys) -> None:
    record = json.loads((first / "record.json").read_text())
    said = refused(capsys, again(first, "--model", "bundled"))
    assert f"made with the weights {record['checkpoint_digest'][:16]}; bundled has " in said


def test_another_tokenizer_is_refused(first: Path, tmp_path: Path, checkpoint: Path, capsys) -> None:
    mixed = shutil.copytree(checkpoint, tmp_path / "mixed")
    torch.manual_seed(9)
    KronosTokenizer(makers.TOKENIZER).save_pretrained(mixed / "tokenizer")
    assert "made with the tokenizer" in refused(capsys, again(first, "--model", str(mixed)))


@pytest.mark.parametrize("values", [
    {"horizon": 5}, {"seconds": 0.0}, {"seconds": "x"}, {"symbol": "OTHER"}, {"unknown": 1}, {"record_version": 3},
    {"record_version": None},
    {"sampling": {"num_paths": 7, "temperature": 0.9, "top_p": 0.95, "top_k": 40, "seed": 12}},
    {"sampling": {"num_paths": 7, "temperature": 0.9, "top_p": 0.95, "top_k": 40, "seed": 11}},
])  # fmt: skip
@pytest.mark.parametrize("name", ["run.json", "record.json"])
def test_an_edited_record_is_refused(first: Path, tmp_path: Path, capsys, values: dict, name: str) -> None:
    path = edited(first, tmp_path, name, **values)
    said = refused(capsys, ["forecast", "--from-record", str(path), "--candles", str(first / "candles.csv")])
    assert any(words in said for words in ("changed after it was written", "do not belong", "record_version",
               "unknown: unknown", "of version", "must be a number"))  # fmt: skip


def test_a_record_of_other_numbers_is_refused_even_with_a_fitting_checksum(first: Path, tmp_path: Path, capsys) -> None:
    record = export.read_run((first / "record.json").read_bytes()).record
    other = replace(record, sampling={**record.sampling, "seed": 12})
    path = tmp_path / "other.json"
    path.write_bytes(export.record_json(other))
    out = tmp_path / "out.csv"
    command = ["forecast", "--from-record", str(path), "--candles", str(first / "candles.csv"), "--out", str(out)]
    said = refused(capsys, command)
    assert "other numbers came out" in said
    assert record.paths_digest[:16] in said
    assert not out.exists()


def test_all_files_agree_with_each_other(first: Path) -> None:
    forecast, record = export.read_forecast((first / "paths.parquet").read_bytes(), "paths.parquet")
    assert record == export.read_run((first / "run.json").read_bytes()).record
    assert (record.policy, record.dtype, record.device, record.session_tz) == (
        "exact",
        "float32",
        "cpu",
        "Asia/Shanghai",
    )
    drawn = {"num_paths": 7, "temperature": 0.9, "top_p": 0.95, "top_k": 40, "seed": 11}
    assert record.sampling == drawn | ModelConfig.usual()
    steps = pd.read_csv(first / "out.csv", comment="#")
    assert steps["close_median"].to_numpy() == pytest.approx(np.median(forecast.paths[:, :, 3], axis=0))


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_paths_are_written_in_the_form_of_the_ending(first: Path, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"paths{ending}"
    assert main(again(first, "--paths-out", str(path))) == 0
    forecast, _ = export.read_forecast(path.read_bytes(), path.name)
    wanted, _ = export.read_forecast((first / "paths.parquet").read_bytes(), "paths.parquet")
    assert np.array_equal(forecast.paths, wanted.paths)


def test_half_precision_is_asked_for_and_recorded(first: Path, tmp_path: Path, checkpoint: Path) -> None:
    path = tmp_path / "run.json"
    small = ["--context", "60", "--horizon", "3", "--paths", "2", "--model", str(checkpoint), "--device", "cpu"]
    command = ["forecast", str(first / "candles.csv"), *small, "--dtype", "bfloat16", "--json-out", str(path)]
    assert main(command) == 0
    assert export.read_run(path.read_bytes()).record.dtype == "bfloat16"
    assert main(["forecast", "--from-record", str(path)]) == 0


def test_where_paths_begin_is_chosen_recorded_told_and_made_again(
    first: Path, tmp_path: Path, checkpoint: Path, capsys
) -> None:
    asking = makers.checkpoint(tmp_path / "asking", from_last_close=True)
    small = ["--context", "60", "--horizon", "3", "--paths", "4", "--device", "cpu", "--cutoff", "150"]
    found = {}
    for model in (checkpoint, asking):
        for choice in (["--begin", "close"], ["--begin", "tokens"], ["--begin", "model"], []):
            path = tmp_path / "run.json"
            command = ["forecast", str(first / "candles.csv"), *small, "--model", str(model), *choice]
            assert main([*command, "--json-out", str(path)]) == 0
            made = export.read_run(path.read_bytes()).record
            begin = made.sampling["from_last_close"]
            assert begin is (choice == ["--begin", "close"] or (choice != ["--begin", "tokens"] and model == asking))
            words = "from the last close" if begin else "from the model's own level"
            assert f"4 {words}, seed 0" in capsys.readouterr().out
            found.setdefault(begin, set()).add(made.paths_digest)
            assert main(["forecast", "--from-record", str(path)]) == 0
            assert "the same numbers" in capsys.readouterr().out
    assert [len(digests) for digests in found.values()] == [1, 1]
    assert found[True] != found[False]


def test_the_direction_is_left_open_recorded_told_and_made_again(
    first: Path, tmp_path: Path, checkpoint: Path, capsys
) -> None:
    asking, path = makers.checkpoint(tmp_path / "asking", mirrored=True), tmp_path / "run.json"
    small = ["--context", "60", "--horizon", "3", "--paths", "4", "--device", "cpu", "--cutoff", "150"]
    found: dict[bool, set[str]] = {}
    for model in (checkpoint, asking):
        for choice in ("none", "drawn", "model", None):
            command = ["forecast", str(first / "candles.csv"), *small, "--model", str(model), "--json-out", str(path)]
            assert main([*command, *(["--leaning", choice] if choice else [])]) == 0
            file = json.loads(path.read_text())
            mirrored = file["record"]["sampling"]["mirrored"]
            assert mirrored is (choice == "none" or (choice != "drawn" and model == asking))
            assert (", every second mirrored, seed 0" in capsys.readouterr().out) is mirrored
            assert (LEFT_OPEN in file["limits"]) is mirrored
            found.setdefault(mirrored, set()).add(file["record"]["paths_digest"])
            assert main(["forecast", "--from-record", str(path)]) == 0
            assert "the same numbers" in capsys.readouterr().out
    assert [len(digests) for digests in found.values()] == [1, 1]
    assert found[True] != found[False]


def test_unlikely_tokens_are_left_out_as_asked_recorded_told_and_made_again(
    first: Path, tmp_path: Path, checkpoint: Path, capsys
) -> None:
    asking, path = makers.checkpoint(tmp_path / "asking", min_p=0.5), tmp_path / "run.json"
    small = ["--context", "60", "--horizon", "3", "--paths", "4", "--device", "cpu", "--cutoff", "150"]
    found: dict[float, set[str]] = {}
    for model, choice, holds in (
        (checkpoint, None, 0.0), (checkpoint, "0", 0.0), (checkpoint, "0.5", 0.5),
        (asking, None, 0.5), (asking, "0", 0.0), (asking, "0.5", 0.5),
    ):  # fmt: skip
        command = ["forecast", str(first / "candles.csv"), *small, "--model", str(model), "--json-out", str(path)]
        assert main([*command, *(["--min-p", choice] if choice else [])]) == 0
        file = json.loads(path.read_text())
        assert file["record"]["sampling"]["min_p"] == holds
        words = ", min-p 0.5" if holds else ""
        assert f"4 from the model's own level{words}, seed 0" in capsys.readouterr().out
        assert ("unlikely tokens cut away" in " ".join(file["limits"])) is bool(holds)
        found.setdefault(holds, set()).add(file["record"]["paths_digest"])
        assert main(["forecast", "--from-record", str(path)]) == 0
        assert "the same numbers" in capsys.readouterr().out
    assert [len(digests) for digests in found.values()] == [1, 1]
    assert found[0.0] != found[0.5]


@pytest.mark.parametrize(("more", "words"), [
    (["--paths-out", "paths.xlsx"], "paths are written as .parquet, .csv, .json"),
    (["--out", "a.csv", "--paths-out", "a.csv"], "two of the files to write are the same"),
    (["--html-out", "/no/such/folder/x.html"], "cannot be written"),
    (["--top-k", "0"], "top_k must be at least 1"),
    (["--min-p", "1"], "min_p must be 0 to below 1, or None; got 1.0"),
    (["--top-p", "1.5"], "top_p must be above 0 and at most 1"),
    (["--temperature", "11"], "temperature must be 0"),
    (["--device", "cuda:99"], "is not on this machine"),
])  # fmt: skip
def test_bad_options_are_one_line(
    first: Path, checkpoint: Path, more: list[str], words: str, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(first)
    assert words in refused(capsys, ["forecast", "candles.csv", "--context", "60", "--model", str(checkpoint), *more])


@pytest.mark.parametrize("more", [
    ["--seed", "1"], ["--horizon", "5"], ["--policy", "roll"], ["candles.csv"], ["--dtype", "float32"],
    ["--begin", "model"], ["--leaning", "none"], ["--min-p", "0"],
])  # fmt: skip
def test_what_the_record_says_is_not_said_again(first: Path, more: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(again(first, *more))
    assert caught.value.code == 2
    assert "with --from-record" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [
    ["x.csv", "--policy", "slide"], ["x.csv", "--dtype", "float8"], ["x.csv", "--candles", "y.csv"], [],
    ["x.csv", "--begin", "nowhere"], ["x.csv", "--leaning", "up"], ["x.csv", "--min-p", "few"],
])  # fmt: skip
def test_misspelt_options_are_usage(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["forecast", *arguments])
    assert caught.value.code == 2


@pytest.mark.parametrize(("data", "words"), [(None, "cannot be read"), (b"\xff\xfe", "not JSON"), (b"[]", "fields"),
                                             (b'{"run_id": "x", "sampling": {}}', "of version 1")])  # fmt: skip
def test_a_file_that_is_no_record_is_refused(tmp_path: Path, data: bytes | None, words: str, capsys) -> None:
    path = tmp_path / "run.json"
    if data is not None:
        path.write_bytes(data)
    assert words in refused(capsys, ["forecast", "--from-record", str(path)])
