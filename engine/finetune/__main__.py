"""``python -m engine.finetune``: train or finetune, and compare with what it started from.

    python -m engine.finetune --data my.csv --out runs/my           finetune the bundled model on one file
    python -m engine.finetune --config run.toml [--NAME VALUE ...]  any run; every setting is a flag too
    python -m engine.finetune compare RUN --against BASE [--data FILES] [--windows M] [--paths N] [--horizon H]
    python -m engine.finetune calibrate MODEL (--data FILES | --temperature T) --out FOLDER [--from-last-close yes]
    python -m engine.finetune --help                                every setting

Exit status: 0 done, 1 it could not be done (the message says why), 2 wrong usage, 75 stopped as asked after saving
(--resume auto goes on).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.errors import EngineError, SettingsError
from engine.finetune.launch import STOPPED, launch
from engine.finetune.options import config_from, describe

WORK, COMPARE, CALIBRATE = "work", "compare", "calibrate"
NOTES_SHOWN = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given[:1] == [WORK]:
            return _work(given[1])
        if given[:1] == [COMPARE]:
            return _compare(given[1:])
        if given[:1] == [CALIBRATE]:
            return _calibrate(given[1:])
        if not given or given[0] in ("-h", "--help"):
            return _help()
        return _train(given)
    except EngineError as error:
        if os.environ.get("RANK", "0") == "0":
            print(f"error: {error}", file=sys.stderr)
        return 1


def _help() -> int:
    print(__doc__)
    for name, default, text in describe():
        print(f"  --{name} [{default}]\n        {text}")
    return 0


def _flags(arguments: Sequence[str]) -> tuple[str | None, list[tuple[str, str]]]:
    """The config file and the flags in order; a flag without a value is true."""
    file, flags, rest = None, [], list(arguments)
    while rest:
        name, given, value = rest.pop(0).partition("=")
        if not name.startswith("--"):
            print(f"{name!r} is no flag; settings are given as --name value. See --help.", file=sys.stderr)
            raise SystemExit(2)
        if not given:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else ""
        if name == "--config":
            file = value
        else:
            flags.append((name.removeprefix("--"), value))
    return file, flags


def _train(arguments: Sequence[str]) -> int:
    if "RANK" in os.environ:
        raise SettingsError("a run starts its processes itself. Give --processes N instead of torchrun.")
    config = config_from(*_flags(arguments))
    from engine.finetune import run  # torch is imported here, after the settings are known to be good

    prepared = run.prepare(config)
    notes = prepared.store.notes
    for note in notes[:NOTES_SHOWN]:
        print(f"note: {note}")
    if len(notes) > NOTES_SHOWN:
        print(f"note: {len(notes) - NOTES_SHOWN} more on the candles stand in {prepared.folder.description}")
    processes, folder = run.processes_for(config), str(prepared.folder.path)
    status = launch(["-m", "engine.finetune", WORK, folder], processes) if processes > 1 else _work(folder)
    if status == STOPPED:
        print(f"stopped and saved; the same command with --resume auto goes on with {folder}")
    if status == 0 and "model" in config.stages:
        _closing_comparison(prepared)
    return status


def _work(folder: str) -> int:
    from engine.finetune import run
    from engine.finetune.training import reporters as watch
    from engine.finetune.training.loop import Watcher

    prepared = run.reopen(folder)
    watchers: list[Watcher] = []
    if os.environ.get("RANK", "0") == "0":
        bar = watch.Bar() if sys.stderr.isatty() else watch.Lines()
        watchers = [bar, watch.TensorBoard(Path(folder))] if prepared.config.tensorboard else [bar]
    return STOPPED if run.work(prepared, watchers, report=print) == "stopped" else 0


def _closing_comparison(prepared) -> None:  # type: ignore[no-untyped-def]
    """What the run gave, against what it started from, on the windows that it kept untouched."""
    from engine.finetune.evaluation import compare

    config = prepared.config
    base = config.model.start
    if not config.probe.compare_windows or base.lower() == "scratch":
        return
    probe = compare.probe_of_run(prepared)
    if not probe.places:
        print(
            "no untouched windows are left to compare on (data.test_share); give later candles to: compare RUN --data"
        )
        return
    print(compare.compare_run(prepared.folder.path, base, probe).to_text())


def _compare(arguments: Sequence[str]) -> int:
    from engine.finetune.evaluation import compare
    from engine.finetune.run import reopen, settings_of

    parser = argparse.ArgumentParser(prog="python -m engine.finetune compare")
    parser.add_argument("run", help="a run folder")
    parser.add_argument("--against", default="bundled", help="another run, a folder, a published name or a hub id")
    parser.add_argument("--data", nargs="+", help="candles; only what neither model was trained or chosen on counts")
    parser.add_argument("--windows", dest="compare_windows", type=int, help="most windows to forecast")
    parser.add_argument("--paths", type=int, help="sampled futures of each")
    parser.add_argument("--horizon", type=int, help="steps to forecast, bars")
    given = parser.parse_args(list(arguments))
    told = {name: vars(given)[name] for name in ("compare_windows", "paths", "horizon")}
    wanted = replace(settings_of(given.run).probe, **{name: value for name, value in told.items() if value is not None})
    if given.data is None:
        probe = compare.probe_of_run(reopen(given.run), wanted)
    else:
        probe = compare.probe_of_paths(given.run, given.against, given.data, wanted=wanted)
    print(compare.compare_run(given.run, given.against, probe).to_text())
    return 0


def _calibrate(arguments: Sequence[str]) -> int:
    from engine.finetune.evaluation import calibrate

    parser = argparse.ArgumentParser(prog="python -m engine.finetune calibrate")
    parser.add_argument("model", help="bundled, a published name, a folder, a run folder or a hub id")
    either = parser.add_mutually_exclusive_group(required=True)
    either.add_argument(
        "--data", nargs="+", help="candles to find the temperature on, best such as it was not trained on"
    )
    either.add_argument("--temperature", type=float, help="take this one")
    parser.add_argument("--out", type=Path, required=True, help="folder for the calibrated checkpoint")
    parser.add_argument("--windows", type=_count, default=200, help="most windows to forecast")
    parser.add_argument("--paths", dest="num_paths", type=_count, default=50, help="sampled futures of each")
    parser.add_argument("--context", type=_count, default=400, help="candles that the model sees")
    parser.add_argument("--horizon", type=_count, default=120, help="steps to forecast, bars")
    for name, text in (("from-last-close", "paths begin at the last close"), ("mirrored", "every second is mirrored")):
        parser.add_argument(f"--{name}", choices=("yes", "no"), help=f"write into config.json whether {text}")
    parser.add_argument("--min-p", type=float, help="write into config.json which tokens are never drawn")
    given = parser.parse_args(list(arguments))
    asks = {"min_p": given.min_p} if given.min_p is not None else {}
    asks |= {key: vars(given)[key] == "yes" for key in ("from_last_close", "mirrored") if vars(given)[key] is not None}
    lengths = {name: vars(given)[name] for name in ("windows", "num_paths", "context", "horizon")}
    with tempfile.TemporaryDirectory() as cache:
        how = given.temperature
        if given.data is not None:
            how = calibrate.probe_of_candles(given.data, Path(cache), **lengths)
        print(calibrate.write_calibrated(given.model, given.out, how, told=print, **asks))
    print(f"{given.out} holds the calibrated checkpoint")
    return 0


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number of at least 1 is wanted; got {text!r}")
    return int(text)


if __name__ == "__main__":
    raise SystemExit(main())
