import os
import subprocess
import sys
from pathlib import Path

import _environment
import check
import pytest


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A project folder with requirements, where installations are only recorded."""
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-reference.txt"):
        (tmp_path / name).write_text(f"# {name}\n")
    calls = []
    monkeypatch.setattr(_environment, "ROOT", tmp_path)
    monkeypatch.setattr(_environment, "FOLDER", tmp_path / ".venv")
    monkeypatch.setattr(_environment, "_PYTHON", Path(sys.executable))
    monkeypatch.setattr(_environment, "_install", lambda *arguments: calls.append(arguments))
    (tmp_path / ".venv").mkdir()
    return tmp_path, calls


def test_requirements_are_installed_once(clone):
    folder, calls = clone
    for _ in range(3):
        assert _environment.prepare(["requirements.txt"]) == Path(sys.executable)
    assert calls == [("-r", str(folder / "requirements.txt")), ("--no-deps", "--editable", str(folder))]


def test_a_changed_requirement_is_installed_also_when_it_is_included_by_another_file(clone):
    folder, calls = clone
    _environment.prepare(["requirements-dev.txt"], without_dependencies=("requirements-reference.txt",))
    assert [call[-2] for call in calls] == ["-r", "-r", "--editable"]
    (folder / "requirements.txt").write_text("something new\n")
    _environment.prepare(["requirements-dev.txt"], without_dependencies=("requirements-reference.txt",))
    assert len(calls) == 6


def test_a_failed_installation_is_tried_again(clone, monkeypatch):
    _, calls = clone
    monkeypatch.setattr(_environment, "_install", lambda *_: _environment.fail("no network"))
    with pytest.raises(SystemExit):
        _environment.prepare(["requirements.txt"])
    monkeypatch.setattr(_environment, "_install", lambda *arguments: calls.append(arguments))
    _environment.prepare(["requirements.txt"])
    assert len(calls) == 2


def test_an_environment_whose_python_does_not_start_is_not_usable(tmp_path):
    assert not _environment._is_usable(tmp_path / "bin" / "python")
    broken = tmp_path / "python"
    broken.write_text("not a program")
    assert not _environment._is_usable(broken)
    assert _environment._is_usable(Path(sys.executable))


def test_a_python_that_is_too_old_is_rejected_with_a_message(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))
    with pytest.raises(SystemExit):
        _environment.require_python()
    assert "Python 3.11 or newer is needed" in capsys.readouterr().err


@pytest.mark.parametrize(("browser", "is_skipped"), [(None, True), ("/usr/bin/chromium", False)])
def test_browser_tests_are_skipped_without_a_browser(browser, is_skipped):
    steps = check._steps(Path("python"), browser, ["-k", "hub"])
    assert ("browser" not in steps) is is_skipped
    assert all(command[-2:] == ["-k", "hub"] for name, command in steps.items() if name in {"pytest", "browser"})


def test_missing_browsers_fail_an_automatic_run(monkeypatch, capsys):
    monkeypatch.setattr(check, "_find_browser", lambda: None)
    monkeypatch.setattr(sys, "argv", ["check.py"])
    monkeypatch.setenv("CI", "true")
    with pytest.raises(SystemExit):
        check.main()
    assert "browser tests are required" in capsys.readouterr().err


def test_all_steps_run_and_failed_ones_are_named(monkeypatch, capsys):
    codes = {"ruff": 1, "mypy": 2}
    steps = {
        name: [sys.executable, "-c", f"raise SystemExit({codes.get(name, 0)})"] for name in ("ruff", "imports", "mypy")
    }
    monkeypatch.setattr(check, "_find_browser", lambda: "/usr/bin/chromium")
    monkeypatch.setattr(check, "prepare", lambda *_, **__: Path(sys.executable))
    monkeypatch.setattr(check, "_steps", lambda *_: steps)
    monkeypatch.setattr(sys, "argv", ["check.py"])
    assert check.main() == 1
    printed = capsys.readouterr().out
    assert "Failed: ruff, mypy." in printed
    assert "imports: passed" in printed


@pytest.mark.skipif(os.name == "nt", reason="a bash script")
def test_the_entry_for_automatic_runs_is_a_valid_program():
    entry = Path(".ci/run")
    assert entry.stat().st_mode & 0o100
    assert subprocess.run(["bash", "-n", entry], check=False).returncode == 0
