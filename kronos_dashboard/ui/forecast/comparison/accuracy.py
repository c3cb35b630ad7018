"""The forecast beside what came, as far as that is revealed, and beside a random walk where nothing is known yet."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from kronos_dashboard.charts import coverage_figure, error_figure
from kronos_dashboard.evaluation.forecast_scores import (
    BANDS,
    LEAST_STEPS,
    Rival,
    as_drawn,
    continuity,
    known_steps,
    rivals,
    verdict,
)
from kronos_dashboard.evaluation.metrics import interval_width
from kronos_dashboard.forecasting.record import is_mirrored
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.widgets.chart import live_chart
from kronos_dashboard.ui.widgets.metric import NOTHING, chance, look, part, price, ratio

if TYPE_CHECKING:
    from kronos_dashboard.ui.forecast.runs import Result

__all__ = ["show_comparison"]


def show_comparison(result: Result, revealed: int) -> None:
    """Errors, coverage and continuity of a forecast.

    Args:
        result: the forecast.
        revealed: how many steps of the truth the reader has uncovered; nothing behind them is read or shown.
    """
    steps = known_steps(result.window, revealed)
    if result.window.came is None:
        text = t("What comes is not known yet, so this forecast cannot be scored. Below: how wide it is.")
        st.info(text, icon=":material/schedule:")
    elif steps == 0:
        text = t("What came is hidden. Reveal candles to see how the forecast did; until then nothing of it is used.")
        st.info(text, icon=":material/visibility_off:")
    else:
        _scores(result, steps)
    _widths(result)
    _continuity(result, steps)


def _scores(result: Result, steps: int) -> None:
    """What the revealed steps say."""
    found = _rivals(result.record.paths_digest, _truth_key(result), steps, result)
    model, walk = found[0], found[1]
    _verdict(model, walk, steps, result)
    st.table(_error_table(found))
    st.caption(
        t(
            "Errors of the median and CRPS of all paths in price units, over the {steps} bars that are revealed; lower "
            "is better. MAPE: mean error as a share of the price. CRPS of a single line is its mean error.",
            steps=steps,
        )
    )
    names, colours = _names(), look()
    left, right = st.columns(2)
    with left:
        st.markdown(t("**Error by step**"))
        errors = {names[one.name]: one.errors for one in found if one.name in ("model", "still", "trend")}
        alt = t("Absolute error of the median, step by step")
        live_chart(error_figure(errors, colours), key="compare_errors", alt=alt, file="errors")
    with right:
        st.markdown(t("**Steps inside the bands**"))
        covered = {names[one.name]: [float(share) for share in one.covered] for one in (model, walk)}
        alt = t("Share of steps inside each band")
        live_chart(coverage_figure(BANDS, covered, colours), key="compare_coverage", alt=alt, file="coverage")


def _verdict(model: Rival, walk: Rival, steps: int, result: Result) -> None:
    """In words, and never more than the numbers allow."""
    times = model.crps / walk.crps if walk.crps > 0 else math.nan
    told = verdict(steps, times)
    values = {"ratio": ratio(times), "steps": steps}
    sentences = {
        "too few": t("Only {steps} bars are revealed: too few to say who came nearer.", steps=steps),
        "no ratio": t("The random walk met every one of these bars exactly; there is nothing to compare with."),
        "nearer": t(
            "Over these {steps} bars the model's paths lay nearer to what came than a random walk's: CRPS {ratio} "
            "times as large.",
            **values,
        ),
        "alike": t(
            "Over these {steps} bars the model's paths lay about as near to what came as a random walk's: CRPS {ratio} "
            "times as large.",
            **values,
        ),
        "further": t(
            "Over these {steps} bars the model's paths lay further from what came than a random walk's: CRPS {ratio} "
            "times as large.",
            **values,
        ),
    }
    left, right = st.columns([1, 3], vertical_alignment="center")
    left.metric(t("CRPS beside the random walk"), ratio(times), help=t("Below 1: the model's paths lay nearer."))
    with right:
        st.markdown(sentences[told])
        if steps >= LEAST_STEPS:
            _told_coverage(float(model.covered[1]), steps)
        st.caption(
            t(
                "One window says little: its bars hang together, so that either may win by luck. Only many windows "
                "tell skill from luck."
            )
        )
        if result.forecast.num_paths < 20:
            count = f"{result.forecast.num_paths:,}"
            st.caption(t("With {count} paths the scores of the model are rough.", count=count))


def _told_coverage(share: float, steps: int) -> None:
    values = {"share": chance(share), "steps": steps}
    if share < 0.5:
        st.markdown(
            t(
                "{share} of the {steps} bars closed inside the 80% band: it was too narrow here, or the move an "
                "unusual one.",
                **values,
            )
        )
    elif share > 0.97:
        st.markdown(t("{share} of the {steps} bars closed inside the 80% band: it was wide here.", **values))
    else:
        st.markdown(t("{share} of the {steps} bars closed inside the 80% band.", **values))


def _error_table(found: tuple[Rival, ...]) -> pd.DataFrame:
    names = _names()
    rows = {names[one.name]: [_score(one.mae), _score(one.rmse), part(one.mape), _score(one.crps)] for one in found}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["MAE", "RMSE", "MAPE", "CRPS"])


def _names() -> dict[str, str]:
    return {
        "model": t("Model"),
        "walk": t("Random walk"),
        "still": t("Last close stays"),
        "trend": t("Past trend goes on"),
    }


def _widths(result: Result) -> None:
    """How wide the bands are, beside those of the random walk. Nothing of the truth is needed."""
    st.markdown(t("**How wide the bands are**"))
    rows = {}
    for band in BANDS:
        model, walk = (interval_width(*one.band(band)) for one in (result.forecast, result.baseline))
        times = ratio(model / walk) if walk > 0 else NOTHING
        rows[f"{band:.0%}"] = [_score(model), _score(walk), times]
    columns = [t("Model"), t("Random walk"), t("Ratio")]
    st.table(pd.DataFrame.from_dict(rows, orient="index", columns=columns))
    st.caption(
        t(
            "Mean over the steps of the band that holds this share of the paths, price units. Narrow is good only "
            "where it holds."
        )
    )


def _continuity(result: Result, steps: int) -> None:
    """Whether the forecast goes on where the candles end."""
    st.markdown(t("**The first bar**"))
    found = continuity(result.window, as_drawn(result))
    left, right = st.columns(2)
    with left:
        if math.isnan(found.jumps):
            st.metric(t("First open, in typical ranges from the last close"), _signed(found.ranges))
            st.caption(t("In this series a bar usually opens where the last one closed."))
        else:
            st.metric(t("First open, in typical jumps from the last close"), _signed(found.jumps))
            typical = price(found.typical_jump, 3)
            text = t("Median path; a typical jump between close and next open is {price}.", price=typical)
            st.caption(text)
    with right:
        st.metric(t("First close of the median, in typical moves"), _signed(found.moves))
        typical = price(found.typical_move, 3)
        st.caption(t("A typical move from close to close is {price}.", price=typical))
    if is_mirrored(result.record.sampling_config):
        st.caption(t("Of the paths as they were drawn: the mirrored ones begin as far on the other side."))
    if found.broken:
        st.markdown(t(":orange[The forecast breaks off from the last candle.] Read its first steps with care."))
        if not result.record.sampling_config.from_last_close:
            st.caption(t("Paths may begin at the last close instead: choose that under How paths are drawn."))
    else:
        st.caption(t("The forecast goes on from the last candle without a break."))
    if steps and result.window.came is not None:
        came = float(result.window.came.frame["open"].iloc[0]) - float(result.window.context.frame["close"].iloc[-1])
        unit = found.typical_jump or found.typical_range
        if unit > 0:
            st.caption(t("What came opened {count} of these units away.", count=_signed(came / unit)))


def _score(value: float) -> str:
    return price(value, 4, even=True)


def _signed(value: float) -> str:
    return f"{value:+.2f}" if math.isfinite(value) else NOTHING


def _truth_key(result: Result) -> str:
    came = result.window.came
    return result.window.context.fingerprint + ("" if came is None else came.fingerprint)


@st.cache_resource(show_spinner=False, max_entries=256, ttl=3_600)
def _rivals(digest: str, candles: str, steps: int, _result: Result) -> tuple[Rival, ...]:  # noqa: ARG001 - the key
    """Cached by paths, candles and steps for an hour; shared, so not to be written to."""
    return rivals(_result, steps)
