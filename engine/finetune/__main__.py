"""``python -m engine.finetune``: train or finetune a model, compare it with a baseline, calibrate it.

    python -m engine.finetune train --data my.csv --output_dir runs/my    finetune the bundled model on one file
    python -m engine.finetune train --config run.toml [--NAME VALUE ...]  any run; every setting is also a flag
    python -m engine.finetune compare RUN --baseline BASE [--data FILES]  is RUN better than BASE?
    python -m engine.finetune calibrate MODEL (--data FILES | --temperature T) --output FOLDER
    python -m engine.finetune COMMAND --help                              options of a command

Exit status: 0 done, 1 failed (the message says why), 2 wrong usage, 75 stopped on request after saving (--resume auto
continues).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import EngineError
from engine.finetune.errors import FinetuneConfigError
from engine.finetune.launch import EXIT_STOPPED, launch
from engine.finetune.options import describe_settings, load_config
from engine.messages import msg

if TYPE_CHECKING:
    from engine.finetune.run import PreparedRun

MAX_NOTES_SHOWN = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    commands = {"train": _train, "compare": _compare, "calibrate": _calibrate, "work": lambda rest: _work(rest[0])}
    try:
        if not args or args[0] in ("-h", "--help"):
            print(__doc__)
            return 0
        # flags alone are those of ``train``
        return _train(args) if args[0] not in commands else commands[args[0]](args[1:])
    except EngineError as error:
        if os.environ.get("RANK", "0") == "0":
            print(f"error: {error}", file=sys.stderr)
        return 1


def _parse_flags(arguments: Sequence[str]) -> tuple[str | None, list[tuple[str, str]]]:
    """The config file and the flags in order; a flag without a value is true."""
    file, flags, rest = None, [], list(arguments)
    while rest:
        name, has_value, value = rest.pop(0).partition("=")
        if not name.startswith("--"):
            print(f"{name!r} is not an option; pass settings as --name value. See train --help.", file=sys.stderr)
            raise SystemExit(2)
        if not has_value:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else ""
        if name == "--config":
            file = value
        else:
            flags.append((name.removeprefix("--"), value))
    return file, flags


def _print_settings() -> int:
    print(
        "python -m engine.finetune train [--config FILE] [--NAME VALUE ...]\n\nSettings, as keys of the file or flags:"
    )
    for name, default, text in describe_settings():
        print(f"  --{name} [{default}]\n        {text}")
    return 0


def _train(arguments: Sequence[str]) -> int:
    if any(argument in ("-h", "--help") for argument in arguments):
        return _print_settings()
    if "RANK" in os.environ:
        raise FinetuneConfigError(msg("a run starts its own processes. Use --num_processes N instead of torchrun."))
    config = load_config(*_parse_flags(arguments))
    from engine.finetune import run  # imports torch, which takes seconds: only once the settings are valid

    prepared = run.prepare(config)
    notes = prepared.candles.notes
    for note in notes[:MAX_NOTES_SHOWN]:
        print(f"note: {note}")
    if len(notes) > MAX_NOTES_SHOWN:
        print(f"note: {len(notes) - MAX_NOTES_SHOWN} more on the candles in {prepared.folder.description_file}")
    num_processes, folder = run.num_processes(config), str(prepared.folder.path)
    work = ["-m", "engine.finetune", "work", folder]
    status = launch(work, num_processes) if num_processes > 1 else _work(folder)
    if status == EXIT_STOPPED:
        print(f"stopped and saved; run the same command with --resume auto to continue {folder}")
    if status == 0 and "model" in config.stages:
        _final_comparison(prepared)
    return status


def _work(folder: str) -> int:
    """Train a prepared run in this process; internal, started by ``launch``."""
    from engine.finetune import run
    from engine.finetune.training import reporters
    from engine.finetune.training.loop import TrainingCallback

    prepared = run.open_run(folder)
    callbacks: list[TrainingCallback] = []
    if os.environ.get("RANK", "0") == "0":
        callbacks = [reporters.ProgressBar() if sys.stderr.isatty() else reporters.LineReporter()]
        if prepared.config.tensorboard:
            callbacks.append(reporters.TensorBoardReporter(Path(folder)))
    return EXIT_STOPPED if run.run_stages(prepared, callbacks, report=print) == "stopped" else 0


def _final_comparison(prepared: PreparedRun) -> None:
    """Compare the result with its initial weights on the test windows."""
    from engine.finetune.evaluation import compare

    config = prepared.config
    if not config.evaluation.test_windows or config.model.starts_from_scratch:
        return
    windows = compare.windows_of_run(prepared.candles, prepared.split, config)
    if not windows.windows:
        print(
            "no untouched windows are left to compare on (data.test_fraction); give later candles to: "
            "compare RUN --data FILES"
        )
        return
    print(compare.compare_run(prepared.folder.path, config.model.init_from, windows).to_text())


def _compare(arguments: Sequence[str]) -> int:
    from engine.finetune.evaluation import compare
    from engine.finetune.run import open_run
    from engine.finetune.training.run_folder import RunFolder

    parser = argparse.ArgumentParser(
        prog="python -m engine.finetune compare",
        description="Test whether a run forecasts better than a baseline, on windows that neither has used.",
    )
    parser.add_argument("run", help="run folder")
    parser.add_argument("--baseline", default="bundled", help="another run, a folder, a published name or a hub id")
    parser.add_argument("--data", nargs="+", help="candles; parts that either model has used are left out")
    parser.add_argument("--windows", dest="test_windows", type=int, help="most windows to forecast")
    parser.add_argument("--paths", dest="num_paths", type=int, help="sampled paths per forecast")
    parser.add_argument("--horizon", type=int, help="bars to forecast")
    args = parser.parse_args(list(arguments))
    changes = {name: vars(args)[name] for name in ("test_windows", "num_paths", "horizon")}
    settings = RunFolder(Path(args.run)).read_config().evaluation
    settings = replace(settings, **{name: value for name, value in changes.items() if value is not None})
    if args.data is None:
        prepared = open_run(args.run)
        windows = compare.windows_of_run(prepared.candles, prepared.split, prepared.config, settings)
    else:
        windows = compare.windows_of_files(args.run, args.baseline, args.data, settings=settings)
    print(compare.compare_run(args.run, args.baseline, windows).to_text())
    return 0


def _calibrate(arguments: Sequence[str]) -> int:
    from engine.finetune.evaluation import calibrate

    args = _calibrate_parser().parse_args(list(arguments))
    names = ("anchor_to_last_close", "mirror_paths", "min_p")
    defaults = {name: vars(args)[name] for name in names if vars(args)[name] is not None}
    lengths = {name: vars(args)[name] for name in ("max_windows", "num_paths", "context", "horizon")}
    with tempfile.TemporaryDirectory() as cache:
        target = args.temperature
        if args.data is not None:
            target = calibrate.calibration_windows(args.data, Path(cache), **lengths)
        print(calibrate.write_calibrated(args.model, args.output, target, report=print, **defaults))
    print(f"{args.output} contains the calibrated checkpoint")
    return 0


def _calibrate_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m engine.finetune calibrate",
        description="Write a checkpoint whose 80 %% band has 80 %% coverage at temperature 1.",
    )
    parser.add_argument("model", help="bundled, a published name, a folder, a run folder or a hub id")
    either = parser.add_mutually_exclusive_group(required=True)
    either.add_argument("--data", nargs="+", help="candles to calibrate on, preferably not those of the training")
    either.add_argument("--temperature", type=float, help="use this temperature")
    parser.add_argument("--output", type=Path, required=True, help="folder for the calibrated checkpoint")
    parser.add_argument("--windows", dest="max_windows", type=_positive_int, default=200, help="most windows")
    parser.add_argument("--paths", dest="num_paths", type=_positive_int, default=50, help="sampled paths per forecast")
    parser.add_argument("--context", type=_positive_int, default=400, help="bars that the model sees")
    parser.add_argument("--horizon", type=_positive_int, default=120, help="bars to forecast")
    boolean = argparse.BooleanOptionalAction
    help_text = "write into config.json whether paths start at the last close"
    parser.add_argument("--anchor-to-last-close", action=boolean, default=None, help=help_text)
    help_text = "write into config.json whether paths come in antithetic pairs"
    parser.add_argument("--mirror-paths", action=boolean, default=None, help=help_text)
    parser.add_argument("--min-p", type=float, help="write into config.json which tokens are never sampled")
    return parser


def _positive_int(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1; got {text!r}")
    return int(text)


if __name__ == "__main__":
    raise SystemExit(main())
