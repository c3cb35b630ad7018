"""``kronos forecast``: forecast one window of candles, or reproduce a run."""

from __future__ import annotations

from typing import Annotated

from cyclopts import ArgumentCollection, Group, Parameter

from kronos_dashboard.cli.options import (
    FILE_DEFAULTS,
    FILE_GROUP,
    FILE_HELP,
    MODEL_DEFAULTS,
    MODEL_GROUP,
    OUTPUT_DEFAULTS,
    SAMPLING_DEFAULTS,
    SAMPLING_GROUP,
    WINDOW_DEFAULTS,
    WINDOW_GROUP,
    Dtype,
    FileOptions,
    InjectedSettings,
    ModelOptions,
    OutputOptions,
    SamplingOptions,
    WindowOptions,
)

__all__ = ["forecast"]

_REPRODUCE, _DATA, _FILE = "--reproduce", "--data", "FILE"


def _check_reproduce(arguments: ArgumentCollection) -> None:
    """Reject options that do not go together: a run record already answers how a run is made."""
    given = [name for argument in arguments if argument.tokens for name in argument.names[:1]]
    if _REPRODUCE not in given:
        if _FILE not in given:
            raise ValueError("FILE is required, unless --reproduce names a run.")
        if _DATA in given:
            raise ValueError("--data is only for --reproduce: specify the candles as FILE.")
    elif _FILE in given:
        raise ValueError("with --reproduce, specify the candles with --data instead of FILE.")
    else:
        recorded = [name for name in given if name not in (_REPRODUCE, _DATA)]
        if recorded:
            raise ValueError(f"with --reproduce, the run record already sets {', '.join(recorded)}.")


_RECORDED = Group(show=False, validator=_check_reproduce)
"""Options that a run record answers, and those that decide whether there is one."""
_REPRODUCE_GROUP = Group("Reproduce a run", sort_key=5)


def forecast(
    file: Annotated[str | None, Parameter(help=FILE_HELP, group=(FILE_GROUP, _RECORDED))] = None,
    /,
    *,
    file_options: FileOptions = FILE_DEFAULTS,
    window: Annotated[WindowOptions, Parameter(group=(WINDOW_GROUP, _RECORDED))] = WINDOW_DEFAULTS,
    sampling: Annotated[SamplingOptions, Parameter(group=(SAMPLING_GROUP, _RECORDED))] = SAMPLING_DEFAULTS,
    model_options: ModelOptions = MODEL_DEFAULTS,
    dtype: Annotated[Dtype, Parameter(group=(MODEL_GROUP, _RECORDED))] = "float32",
    reproduce: Annotated[str | None, Parameter(group=(_REPRODUCE_GROUP, _RECORDED), metavar="RUN")] = None,
    data: Annotated[str | None, Parameter(group=(_REPRODUCE_GROUP, _RECORDED), metavar="FILE")] = None,
    outputs: OutputOptions = OUTPUT_DEFAULTS,
    settings: InjectedSettings,
) -> None:
    """Forecast one window of a file of candles, or reproduce a run.

    A cutoff before the end of the file compares the forecast with the candles that followed.

    Args:
        file: See ``FILE_HELP``.
        file_options: How to read the file.
        window: The window to forecast.
        sampling: How paths are sampled.
        model_options: The model, and where it runs.
        dtype: Data type of the model's matrix products.
        reproduce: Compute a run again from any file that was exported of it. The numbers are the same to the last
            digit, or the command fails.
        data: File of the candles, if RUN does not contain them.
        outputs: Files to write.
        settings: Settings of the environment.
    """
    from kronos_dashboard.cli.forecast import run_forecast
    from kronos_dashboard.cli.outputs import check_outputs, print_summary, write_outputs
    from kronos_dashboard.cli.reproduce import reproduce_run

    check_outputs(outputs)
    if reproduce is None:
        assert file is not None, "see _check_reproduce"
        result = run_forecast(file, file_options, window, sampling, model_options, settings, dtype=dtype)
    else:
        result = reproduce_run(reproduce, data, file_options, model_options, settings)
    write_outputs(outputs, result)
    print_summary(outputs, result)
