"""The command line as a whole: help, usage, exit status, and what is imported for them."""

import subprocess
import sys
from typing import get_args

import cli_docs
import pytest

from kronos_dashboard.__main__ import main
from kronos_dashboard.cli.app import COMMANDS
from kronos_dashboard.cli.options import FILE_HELP, ContextOverflow, Dtype, FixName, Provider
from kronos_dashboard.markets.doctor import FIX_TITLES
from kronos_dashboard.markets.feeds import FEEDS
from kronos_dashboard.markets.samples import SAMPLES
from kronos_dashboard.models.loading import DTYPES

HEAVY = ("torch", "streamlit", "ccxt", "yfinance", "pandas", "numpy", "plotly", "scipy", "exchange_calendars")
COMMAND_NAMES = [command.__name__ for command in COMMANDS]


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMAND_NAMES), ["forecast"]])
def test_help_and_usage_import_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys; from kronos_dashboard.__main__ import main; status = main(sys.argv[2:]);"
        "loaded = [name for name in sys.argv[1].split() if name in sys.modules];"
        "sys.exit(f'imported: {loaded}' if loaded else status)"
    )
    command = [sys.executable, "-c", program, " ".join(HEAVY), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "imported" not in done.stderr
    assert done.returncode == (0 if "--help" in arguments else 2)


@pytest.mark.parametrize("name", COMMAND_NAMES)
def test_help_goes_to_stdout_and_succeeds(name: str, capsys: pytest.CaptureFixture) -> None:
    assert main([name, "--help"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith(f"Usage: kronos {name} ")
    assert shown.err == ""


def test_an_unknown_command_is_usage_with_a_suggestion(capsys: pytest.CaptureFixture) -> None:
    assert main(["forecats"]) == 2
    assert 'Did you mean "forecast"?' in capsys.readouterr().err


def test_an_unknown_option_is_usage_with_a_suggestion(capsys: pytest.CaptureFixture) -> None:
    assert main(["forecast", "x.csv", "--mirror-path"]) == 2
    assert "--mirror-paths" in capsys.readouterr().err


@pytest.mark.parametrize("more", [["--day-first", "--month-first"], ["--fix", "nothing"], ["more.csv"]])
def test_arguments_that_make_no_sense_are_usage(more: list[str], capsys: pytest.CaptureFixture) -> None:
    assert main(["doctor", "sample:aapl_1d", *more]) == 2
    assert capsys.readouterr().err.startswith("Usage: kronos doctor FILE [OPTIONS]\n")


def test_an_interrupted_command_fails_with_one_line(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kronos_dashboard.cli.inspect.load_candles", interrupt)
    assert main(["inspect", "sample:aapl_1d"]) == 1
    assert capsys.readouterr().err == "error: stopped; nothing was written.\n"


def test_a_setting_that_is_out_of_range_fails_with_one_line(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KRONOS_DASHBOARD_MAX_PATHS", "none")
    assert main(["inspect", "sample:aapl_1d"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: KRONOS_DASHBOARD_MAX_PATHS")
    assert error.count("\n") == 1


def test_the_last_of_a_repeated_option_counts(capsys: pytest.CaptureFixture) -> None:
    assert main(["doctor", "sample:aapl_1d", "--now", "never", "--now", "2024-12-31"]) == 0
    assert "AAPL: 1,509 candles" in capsys.readouterr().out


def test_choices_are_those_of_the_modules_that_define_them() -> None:
    from engine.generation import request

    assert get_args(ContextOverflow) == get_args(request.ContextOverflow)
    assert get_args(Dtype) == DTYPES
    assert get_args(Provider) == tuple(FEEDS)
    assert set(get_args(FixName)) == set(FIX_TITLES)
    assert all(f"sample:{sample.key}" in FILE_HELP for sample in SAMPLES)


def test_the_document_of_the_command_line_is_up_to_date() -> None:
    assert cli_docs.PATH.read_text(encoding="utf-8") == cli_docs.build(), "run python scripts/cli_docs.py"
