"""Accuracy of a forecast on the revealed bars, beside simple baselines; band widths and the first bar always."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from kronos_dashboard.charts import coverage_figure, error_figure
from kronos_dashboard.evaluation.forecast_scores import (
    BANDS,
    MIN_STEPS,
    ForecastScore,
    check_first_bar,
    num_known_steps,
    score_forecasts,
    verdict,
)
from kronos_dashboard.evaluation.metrics import interval_width
from kronos_dashboard.ui.forecast.appearance import small_chart_style
from kronos_dashboard.ui.format import NOT_AVAILABLE, format_percent, format_price, format_probability, format_ratio
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.widgets.chart import live_chart

if TYPE_CHECKING:
    from kronos_dashboard.ui.forecast.runs import ForecastResult

__all__ = ["show_accuracy"]

_MIN_PATHS = 20
"""With fewer paths the CRPS itself is dominated by sampling error."""
_MIN_COVERAGE, _MAX_COVERAGE = 0.5, 0.97
"""Coverage of the 80 % band outside of which the sentence calls it too narrow or wide."""


def show_accuracy(result: ForecastResult, revealed: int) -> None:
    """Draw errors, coverage, band widths and the first bar of a forecast.

    Args:
        result: the forecast.
        revealed: actual bars that are revealed; later ones are neither read nor shown.
    """
    steps = num_known_steps(result.window, revealed)
    if result.window.observed is None:
        text = t("No actuals yet, so accuracy cannot be computed. Below: the width of the forecast.")
        st.info(text, icon=":material/schedule:")
    elif steps == 0:
        text = t("Actuals are hidden and not used. Reveal bars to score the forecast.")
        st.info(text, icon=":material/visibility_off:")
    else:
        _scores(result, steps)
    _widths(result)
    _first_bar(result, steps)


def _scores(result: ForecastResult, steps: int) -> None:
    """Draw the scores over the revealed steps."""
    scores = _cached_scores(result.record.paths_sha256, _candles_key(result), steps, result)
    model, walk = scores[0], scores[1]
    _verdict(model, walk, steps, result)
    st.table(_error_table(scores))
    st.caption(
        t(
            "Errors of the median and CRPS of all paths in price units, over the {steps} revealed bars; lower "
            "is better. MAPE: mean error as a percentage of the price. CRPS of a single line is its mean error.",
            steps=steps,
        )
    )
    names, style = _names(), small_chart_style()
    left, right = st.columns(2)
    with left:
        st.markdown(t("**Error by horizon**"))
        errors = {
            names[score.name]: score.errors for score in scores if score.name in ("model", "persistence", "drift")
        }
        alt = t("Absolute error of the median, by step")
        live_chart(error_figure(errors, style), key="accuracy_errors", alt=alt, file_stem="errors")
    with right:
        st.markdown(t("**Band coverage**"))
        covered = {names[score.name]: [float(fraction) for fraction in score.coverages] for score in (model, walk)}
        alt = t("Coverage of each band")
        live_chart(coverage_figure(BANDS, covered, style), key="accuracy_coverage", alt=alt, file_stem="coverage")


def _verdict(model: ForecastScore, walk: ForecastScore, steps: int, result: ForecastResult) -> None:
    """Draw the verdict in words, no stronger than the numbers allow."""
    crps_ratio = model.crps / walk.crps if walk.crps > 0 else math.nan
    outcome = verdict(steps, crps_ratio)
    values = {"ratio": format_ratio(crps_ratio), "steps": steps}
    sentences = {
        "too few": t("Only {steps} bars are revealed: too few to compare with the random walk.", steps=steps),
        "no ratio": t("The random walk matched every bar exactly; there is nothing to compare with."),
        "better": t(
            "Over {steps} bars the model beat the random walk (CRPS ratio {ratio}).",
            **values,
        ),
        "similar": t(
            "Over {steps} bars the model was about as good as the random walk (CRPS ratio {ratio}).",
            **values,
        ),
        "worse": t(
            "Over {steps} bars the model did worse than the random walk (CRPS ratio {ratio}).",
            **values,
        ),
    }
    left, right = st.columns([1, 3], vertical_alignment="center")
    left.metric(
        t("CRPS vs. random walk"), format_ratio(crps_ratio), help=t("Below 1: the model was closer to the actuals.")
    )
    with right:
        st.markdown(sentences[outcome])
        if steps >= MIN_STEPS:
            _coverage_sentence(float(model.coverages[1]), steps)
        st.caption(
            t(
                "One window proves little: its bars are correlated, so either can win by luck. Only many "
                "windows separate skill from luck."
            )
        )
        if result.forecast.num_paths < _MIN_PATHS:
            count = f"{result.forecast.num_paths:,}"
            st.caption(t("With {count} paths the model's scores are rough.", count=count))


def _coverage_sentence(coverage: float, steps: int) -> None:
    """Draw how many of the revealed bars closed inside the 80 % band."""
    values = {"share": format_probability(coverage), "steps": steps}
    if coverage < _MIN_COVERAGE:
        st.markdown(
            t(
                "{share} of the {steps} bars closed inside the 80% band: it was too narrow here, or the move "
                "was unusual.",
                **values,
            )
        )
    elif coverage > _MAX_COVERAGE:
        st.markdown(t("{share} of the {steps} bars closed inside the 80% band: it was wide here.", **values))
    else:
        st.markdown(t("{share} of the {steps} bars closed inside the 80% band.", **values))


def _error_table(scores: tuple[ForecastScore, ...]) -> pd.DataFrame:
    names = _names()
    rows = {
        names[score.name]: [_price(score.mae), _price(score.rmse), format_percent(score.mape), _price(score.crps)]
        for score in scores
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["MAE", "RMSE", "MAPE", "CRPS"])


def _names() -> dict[str, str]:
    return {
        "model": t("Model"),
        "random_walk": t("Random walk"),
        "persistence": t("Persistence"),
        "drift": t("Drift"),
    }


def _widths(result: ForecastResult) -> None:
    """Draw the widths of the bands beside those of the random walk; they need no actual candles."""
    st.markdown(t("**Band width**"))
    rows = {}
    for coverage in BANDS:
        model, walk = (interval_width(*forecast.band(coverage)) for forecast in (result.forecast, result.baseline))
        width_ratio = format_ratio(model / walk) if walk > 0 else NOT_AVAILABLE
        rows[f"{coverage:.0%}"] = [_price(model), _price(walk), width_ratio]
    columns = [t("Model"), t("Random walk"), t("Ratio")]
    st.table(pd.DataFrame.from_dict(rows, orient="index", columns=columns))
    st.caption(
        t(
            "Mean width over the steps of the band that contains this percentage of paths, in price units. "
            "Narrower is better only if coverage holds."
        )
    )


def _first_bar(result: ForecastResult, steps: int) -> None:
    """Draw whether the forecast connects to the last candle."""
    st.markdown(t("**First-bar gap**"))
    check = check_first_bar(result.window, result.forecast)
    left, right = st.columns(2)
    with left:
        if math.isnan(check.gap_ratio):
            st.metric(t("First-open gap (ATR)"), _signed(check.gap_in_ranges))
            st.caption(t("In this series bars usually open at the previous close."))
        else:
            st.metric(t("First-open gap (median gap)"), _signed(check.gap_ratio))
            typical = format_price(check.typical_gap, 3)
            text = t("Median across paths; the median gap between a close and the next open is {price}.", price=typical)
            st.caption(text)
    with right:
        st.metric(t("First-close move (median move)"), _signed(check.move_ratio))
        typical = format_price(check.typical_move, 3)
        st.caption(t("The median close-to-close move is {price}.", price=typical))
    if result.forecast.is_mirrored:
        st.caption(t("Of the sampled paths; their mirror images start the same distance on the other side."))
    if check.is_discontinuous:
        st.markdown(t(":orange[The forecast does not connect to the last candle.] Read its first steps with care."))
        if not result.record.sampling.anchor_to_last_close:
            st.caption(t("Paths can start at the last close instead: choose it under Sampling options."))
    else:
        st.caption(t("The forecast connects to the last candle."))
    if steps and result.window.observed is not None:
        last_close = float(result.window.context.frame["close"].iloc[-1])
        actual_gap = float(result.window.observed.frame["open"].iloc[0]) - last_close
        unit = check.typical_gap or check.typical_range
        if unit > 0:
            st.caption(t("Actual first-open gap in the same unit: {count}.", count=_signed(actual_gap / unit)))


def _price(value: float) -> str:
    return format_price(value, 4, keep_zeros=True)


def _signed(value: float) -> str:
    return f"{value:+.2f}" if math.isfinite(value) else NOT_AVAILABLE


def _candles_key(result: ForecastResult) -> str:
    """Return a key of context and actual candles, on which the scores depend."""
    observed = result.window.observed
    return result.window.context.fingerprint + ("" if observed is None else observed.fingerprint)


@st.cache_resource(show_spinner=False, max_entries=256, ttl=3_600)
def _cached_scores(digest: str, candles: str, steps: int, _result: ForecastResult) -> tuple[ForecastScore, ...]:  # noqa: ARG001 - the key
    """Cached for an hour by paths, candles and steps; shared by all sessions, so read-only."""
    result = _result
    return score_forecasts(result.window, result.forecast, result.baseline, steps, seed=result.record.sampling.seed)
