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

from engine import KronosTokenizer, ModelConfig, SamplingConfig
from kronos_dashboard import export
from kronos_dashboard.__main__ import main
from kronos_dashboard.export.metadata import NEUTRAL_NOTE
from tests.support import makers

NAMES = {
    "--out": "out.csv", "--bundle-output": "run.json", "--report-output": "report.html",
    "--record-output": "record.json", "--paths-output": "paths.parquet",
}  # fmt: skip
SAMPLED = {
    "num_paths": 7, "temperature": 0.9, "top_p": 0.95, "top_k": 40, "seed": 11, **ModelConfig.extension_defaults(),
}  # fmt: skip
"""The sampling of ``first`` as its record has it."""


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Path:
    """A folder with candles and with all files of one forecast of them."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "candles.csv").write_text(makers.csv(200))
    files = [text for option, name in NAMES.items() for text in (option, str(folder / name))]
    window = ["--context", "60", "--horizon", "12", "--cutoff", "150", "--tz", "Asia/Shanghai"]
    sampling = ["--paths", "7", "--seed", "11", "--temperature", "0.9", "--top-p", "0.95", "--top-k", "40"]
    model = ["--model", str(checkpoint), "--device", "cpu", "--context-overflow", "recompute"]
    assert main(["forecast", str(folder / "candles.csv"), *window, *sampling, *model, *files]) == 0
    return folder


def again(first: Path, *more: str, record: str = "run.json") -> list[str]:
    return ["forecast", "--reproduce", str(first / record), *more]


def rejected(capsys: pytest.CaptureFixture, arguments: list[str]) -> str:
    """The one line on stderr of a command that could not be done."""
    assert main(arguments) == 1
    output = capsys.readouterr()
    assert output.err.startswith("error: ")
    assert output.err.count("\n") == 1
    assert output.out == ""
    return output.err


def edited(first: Path, tmp_path: Path, name: str, **values: object) -> Path:
    """A record in which somebody has written other values."""
    document = json.loads((first / name).read_text())
    inner = document.get("record", document)
    inner.update(values)
    path = tmp_path / name
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("threads", ["1", "4"])
def test_a_bundle_alone_reproduces_the_same_bytes(first: Path, tmp_path: Path, threads: str) -> None:
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
def test_every_exported_file_reproduces_the_same_numbers_from_the_file_of_its_candles(
    first: Path, tmp_path: Path, name: str, capsys
) -> None:
    assert "Specify the file they came from" in rejected(capsys, again(first, record=name))
    out = tmp_path / "out.csv"
    assert main([*again(first, record=name), "--data", str(first / "candles.csv"), "--out", str(out)]) == 0
    assert out.read_bytes() == (first / "out.csv").read_bytes()


@pytest.mark.parametrize("data", [b"PAR1 and no more", b"# about: x\na,b\n1,2\n", b"<html></html>", b"\x00", b""])
def test_a_file_without_a_record_is_rejected(tmp_path: Path, data: bytes, capsys) -> None:
    (tmp_path / "run").write_bytes(data)
    rejected(capsys, ["forecast", "--reproduce", str(tmp_path / "run")])


@pytest.mark.parametrize("more", [[], ["--tz", "Asia/Shanghai"], ["--name", "another name"]])
def test_a_bare_record_needs_the_file_of_its_candles(first: Path, tmp_path: Path, more: list[str], capsys) -> None:
    assert "Specify the file they came from" in rejected(capsys, again(first, record="record.json"))
    out = tmp_path / "out.csv"
    candles = ["--data", str(first / "candles.csv")]
    assert main([*again(first, record="record.json"), *candles, *more, "--out", str(out)]) == 0
    assert out.read_bytes() == (first / "out.csv").read_bytes()


def test_later_candles_change_nothing(first: Path, tmp_path: Path) -> None:
    lines = (first / "candles.csv").read_text().splitlines()
    (tmp_path / "then.csv").write_text("\n".join(lines[:154]))
    out = tmp_path / "out.csv"
    assert main(again(first, "--data", str(tmp_path / "then.csv"), "--out", str(out))) == 0
    assert out.read_bytes() == (first / "out.csv").read_bytes()


def test_other_candles_are_rejected_with_both_fingerprints(first: Path, tmp_path: Path, capsys) -> None:
    frame = pd.read_csv(first / "candles.csv")
    frame.loc[120, "volume"] += 1
    frame.to_csv(tmp_path / "other.csv", index=False)
    out = tmp_path / "out.csv"
    output = rejected(capsys, again(first, "--data", str(tmp_path / "other.csv"), "--out", str(out)))
    record = json.loads((first / "record.json").read_text())
    assert record["candles_fingerprint"][:16] in output
    assert "other.csv have " in output
    assert not out.exists()
    (tmp_path / "short.csv").write_text(makers.csv(40))
    assert "the 40 candles up to" in rejected(capsys, again(first, "--data", str(tmp_path / "short.csv")))


def test_another_model_is_rejected_with_both_digests(first: Path, tmp_path: Path, checkpoint: Path, capsys) -> None:
    record = json.loads((first / "record.json").read_text())
    output = rejected(capsys, again(first, "--model", "bundled"))
    assert f"made with the weights {record['weights_sha256'][:16]}; bundled has " in output


def test_another_tokenizer_is_rejected(first: Path, tmp_path: Path, checkpoint: Path, capsys) -> None:
    mixed = shutil.copytree(checkpoint, tmp_path / "mixed")
    torch.manual_seed(9)
    KronosTokenizer(makers.TOKENIZER).save_pretrained(mixed / "tokenizer")
    assert "made with the tokenizer" in rejected(capsys, again(first, "--model", str(mixed)))


@pytest.mark.parametrize("values", [
    {"horizon": 5}, {"seconds": 0.0}, {"seconds": "x"}, {"symbol": "OTHER"}, {"unknown": 1}, {"record_version": 99},
    {"record_version": None},
    {"sampling": {**SAMPLED, "seed": 12}},
    {"sampling": {**SAMPLED, "min_p": 0.1}},
])  # fmt: skip
@pytest.mark.parametrize("name", ["run.json", "record.json"])
def test_an_edited_record_is_rejected(first: Path, tmp_path: Path, capsys, values: dict, name: str) -> None:
    path = edited(first, tmp_path, name, **values)
    output = rejected(capsys, ["forecast", "--reproduce", str(path), "--data", str(first / "candles.csv")])
    assert any(words in output for words in ("changed after it was saved", "do not match", "record_version",
               "unknown: unknown", "has version", "must be a number"))  # fmt: skip


def test_a_record_of_other_numbers_is_rejected_even_with_a_valid_checksum(first: Path, tmp_path: Path, capsys) -> None:
    record = export.read_bundle((first / "record.json").read_bytes()).record
    other = replace(record, sampling=replace(record.sampling, seed=12))
    path = tmp_path / "other.json"
    path.write_bytes(export.write_record(other))
    out = tmp_path / "out.csv"
    command = ["forecast", "--reproduce", str(path), "--data", str(first / "candles.csv"), "--out", str(out)]
    output = rejected(capsys, command)
    assert "the result differs" in output
    assert record.paths_sha256[:16] in output
    assert not out.exists()


def test_all_files_agree_with_each_other(first: Path) -> None:
    forecast, record = export.read_forecast((first / "paths.parquet").read_bytes(), "paths.parquet")
    assert record == export.read_bundle((first / "run.json").read_bytes()).record
    assert (record.context_overflow, record.dtype, record.device, record.session_tz) == (
        "recompute",
        "float32",
        "cpu",
        "Asia/Shanghai",
    )
    assert record.sampling == SamplingConfig(**SAMPLED)
    steps = pd.read_csv(first / "out.csv", comment="#")
    assert steps["close_median"].to_numpy() == pytest.approx(np.median(forecast.paths[:, :, 3], axis=0))


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_paths_are_written_in_the_format_of_the_suffix(first: Path, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"paths{ending}"
    assert main(again(first, "--paths-output", str(path))) == 0
    forecast, _ = export.read_forecast(path.read_bytes(), path.name)
    expected, _ = export.read_forecast((first / "paths.parquet").read_bytes(), "paths.parquet")
    assert np.array_equal(forecast.paths, expected.paths)


def test_half_precision_is_recorded(first: Path, tmp_path: Path, checkpoint: Path) -> None:
    path = tmp_path / "run.json"
    small = ["--context", "60", "--horizon", "3", "--paths", "2", "--model", str(checkpoint), "--device", "cpu"]
    command = ["forecast", str(first / "candles.csv"), *small, "--dtype", "bfloat16", "--bundle-output", str(path)]
    assert main(command) == 0
    assert export.read_bundle(path.read_bytes()).record.dtype == "bfloat16"
    assert main(["forecast", "--reproduce", str(path)]) == 0


def test_the_anchor_of_paths_is_selected_recorded_printed_and_reproduced(
    first: Path, tmp_path: Path, checkpoint: Path, capsys
) -> None:
    custom = makers.checkpoint(tmp_path / "asking", anchor_to_last_close=True)
    small = ["--context", "60", "--horizon", "3", "--paths", "4", "--device", "cpu", "--cutoff", "150"]
    digests_by_choice = {}
    for model in (checkpoint, custom):
        for choice in (["--anchor-to-last-close"], ["--no-anchor-to-last-close"], []):
            path = tmp_path / "run.json"
            command = ["forecast", str(first / "candles.csv"), *small, "--model", str(model), *choice]
            assert main([*command, "--bundle-output", str(path)]) == 0
            made = export.read_bundle(path.read_bytes()).record
            begin = made.sampling.anchor_to_last_close
            assert begin is (model == custom if not choice else choice == ["--anchor-to-last-close"])
            words = "starting at the last close" if begin else "starting at the decoded level"
            assert f"4 {words}, seed 0" in capsys.readouterr().out
            digests_by_choice.setdefault(begin, set()).add(made.paths_sha256)
            assert main(["forecast", "--reproduce", str(path)]) == 0
            assert "the same numbers" in capsys.readouterr().out
    assert [len(digests) for digests in digests_by_choice.values()] == [1, 1]
    assert digests_by_choice[True] != digests_by_choice[False]


def test_mirrored_paths_are_selected_recorded_printed_and_reproduced(
    first: Path, tmp_path: Path, checkpoint: Path, capsys
) -> None:
    custom, path = makers.checkpoint(tmp_path / "asking", mirror_paths=True), tmp_path / "run.json"
    small = ["--context", "60", "--horizon", "3", "--paths", "4", "--device", "cpu", "--cutoff", "150"]
    digests_by_choice: dict[bool, set[str]] = {}
    for model in (checkpoint, custom):
        for choice in (["--mirror-paths"], ["--no-mirror-paths"], []):
            command = [
                "forecast",
                str(first / "candles.csv"),
                *small,
                "--model",
                str(model),
                "--bundle-output",
                str(path),
            ]
            assert main([*command, *choice]) == 0
            file = json.loads(path.read_text())
            mirrored = file["record"]["sampling"]["mirror_paths"]
            assert mirrored is (model == custom if not choice else choice == ["--mirror-paths"])
            assert (", in antithetic pairs, seed 0" in capsys.readouterr().out) is mirrored
            assert (NEUTRAL_NOTE in file["limits"]) is mirrored
            digests_by_choice.setdefault(mirrored, set()).add(file["record"]["paths_sha256"])
            assert main(["forecast", "--reproduce", str(path)]) == 0
            assert "the same numbers" in capsys.readouterr().out
    assert [len(digests) for digests in digests_by_choice.values()] == [1, 1]
    assert digests_by_choice[True] != digests_by_choice[False]


def test_min_p_is_selected_recorded_printed_and_reproduced(
    first: Path, tmp_path: Path, checkpoint: Path, capsys
) -> None:
    custom, path = makers.checkpoint(tmp_path / "asking", min_p=0.5), tmp_path / "run.json"
    small = ["--context", "60", "--horizon", "3", "--paths", "4", "--device", "cpu", "--cutoff", "150"]
    digests_by_choice: dict[float, set[str]] = {}
    for model, choice, holds in (
        (checkpoint, None, 0.0), (checkpoint, "0", 0.0), (checkpoint, "0.5", 0.5),
        (custom, None, 0.5), (custom, "0", 0.0), (custom, "0.5", 0.5),
    ):  # fmt: skip
        command = ["forecast", str(first / "candles.csv"), *small, "--model", str(model), "--bundle-output", str(path)]
        assert main([*command, *(["--min-p", choice] if choice else [])]) == 0
        file = json.loads(path.read_text())
        assert file["record"]["sampling"]["min_p"] == holds
        words = ", min-p 0.5" if holds else ""
        assert f"4 starting at the decoded level{words}, seed 0" in capsys.readouterr().out
        assert ("dropping unlikely tokens" in " ".join(file["limits"])) is bool(holds)
        digests_by_choice.setdefault(holds, set()).add(file["record"]["paths_sha256"])
        assert main(["forecast", "--reproduce", str(path)]) == 0
        assert "the same numbers" in capsys.readouterr().out
    assert [len(digests) for digests in digests_by_choice.values()] == [1, 1]
    assert digests_by_choice[0.0] != digests_by_choice[0.5]


@pytest.mark.parametrize(("more", "words"), [
    (["--paths-output", "paths.xlsx"], "paths can be saved as .parquet, .csv, .json"),
    (["--out", "a.csv", "--paths-output", "a.csv"], "two output files have the same name"),
    (["--report-output", "/no/such/folder/x.html"], "cannot be written"),
    (["--top-k", "0"], "top_k must be at least 1"),
    (["--min-p", "1"], "min_p must be at least 0 and below 1, or None; got 1.0"),
    (["--top-p", "1.5"], "top_p must be above 0 and at most 1"),
    (["--temperature", "11"], "temperature must be 0"),
    (["--device", "cuda:99"], "is not available on this machine"),
])  # fmt: skip
def test_bad_options_are_one_line(
    first: Path, checkpoint: Path, more: list[str], words: str, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(first)
    assert words in rejected(capsys, ["forecast", "candles.csv", "--context", "60", "--model", str(checkpoint), *more])


@pytest.mark.parametrize("more", [
    ["--seed", "1"], ["--horizon", "5"], ["--context-overflow", "evict"], ["candles.csv"], ["--dtype", "float32"],
    ["--anchor-to-last-close"], ["--no-mirror-paths"], ["--min-p", "0"], ["--temperature", "1"],
])  # fmt: skip
def test_options_that_the_record_sets_are_rejected(first: Path, more: list[str], capsys) -> None:
    assert main(again(first, *more)) == 2
    assert "error: with --reproduce" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [
    ["x.csv", "--context-overflow", "slide"], ["x.csv", "--dtype", "float8"], ["x.csv", "--data", "y.csv"], [],
    ["x.csv", "--anchor-to-last-close=nowhere"], ["x.csv", "--mirror-paths", "up"], ["x.csv", "--min-p", "few"],
])  # fmt: skip
def test_invalid_options_are_usage(arguments: list[str], capsys) -> None:
    assert main(["forecast", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("Usage: kronos forecast ")
    assert "error: " in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(("data", "words"), [(None, "cannot be read"), (b"\xff\xfe", "not valid JSON"),
                                             (b"[]", "must be an object"),
                                             (b'{"run_id": "x", "sampling": {}}', "has version 1")])  # fmt: skip
def test_a_file_that_is_not_a_record_is_rejected(tmp_path: Path, data: bytes | None, words: str, capsys) -> None:
    path = tmp_path / "run.json"
    if data is not None:
        path.write_bytes(data)
    assert words in rejected(capsys, ["forecast", "--reproduce", str(path)])
