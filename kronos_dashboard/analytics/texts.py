"""Sentences of analytics results: one template per key.

Probabilities and returns are fractions, which the formats turn into percent.
"""

from __future__ import annotations

from collections.abc import Mapping

from kronos_dashboard.messages import msg

__all__ = ["TEMPLATES"]

TEMPLATES: Mapping[str, str] = {
    "error.probability": msg(
        "(Sampling error: {low:.1%} to {high:.1%} at {confidence:.0%} confidence, {num_paths:,} paths.)"
    ),
    "error.price": msg(
        "(Sampling error: {low:,.6g} to {high:,.6g} at {confidence:.0%} confidence, {num_paths:,} paths.)"
    ),
    "error.fraction": msg(
        "(Sampling error: {low:.2%} to {high:.2%} at {confidence:.0%} confidence, {num_paths:,} paths.)"
    ),
    "error.bars": msg(
        "(Sampling error: {low:.0f} to {high:.0f} bars at {confidence:.0%} confidence, {num_paths:,} paths.)"
    ),
    "error.unbounded": msg("(Too few paths to estimate the sampling error: {num_paths:,}.)"),
    "up": msg("{probability:.1%} of the paths close above {last_close:,.6g} at step {step}."),
    "up.flat": msg("{share:.1%} close exactly there."),
    "touch.above": msg("{probability:.1%} of the paths rise to {level:,.6g} within {horizon} bars."),
    "touch.below": msg("{probability:.1%} of the paths fall to {level:,.6g} within {horizon} bars."),
    "touch.close": msg("{probability:.1%} close at or beyond it at the last step."),
    "hit": msg("Of the {hits:,} paths that touch {level:,.6g}, half do so within {bars:.0f} bars."),
    "hit.never": msg("{share:.1%} do not touch it within {horizon} bars."),
    "hit.none": msg("No path touches {level:,.6g} within {horizon} bars."),
    "trade.long": msg(
        "Long: {target_first:.1%} of the paths reach the target {target:,.6g} first, {stop_first:.1%} the stop "
        "{stop:,.6g} first, {neither:.1%} neither within {horizon} bars."
    ),
    "trade.short": msg(
        "Short: {target_first:.1%} of the paths reach the target {target:,.6g} first, {stop_first:.1%} the "
        "stop {stop:,.6g} first, {neither:.1%} neither within {horizon} bars."
    ),
    "trade.profit": msg(
        "Average result: {profit:+.2%} ({price:+,.6g} per unit). Break-even win rate of stop and target: "
        "{break_even:.1%}."
    ),
    "trade.both": msg(
        "Paths in which one bar touches both: {paths:,}. The order is unknown; they count as stopped out."
    ),
    "range": msg("High-low range over {horizon} bars: median {median:,.6g} ({fraction:.2%}), mean {mean:,.6g}."),
    "range.middle": msg("Half of the paths stay below {high:,.6g}; half stay above {low:,.6g}."),
    "range.far": msg("5% of the paths go above {high:,.6g}; 5% go below {low:,.6g}."),
    "drawdown.long": msg("Long for {horizon} bars: maximum drawdown on closes {median:.2%} (median; mean {mean:.2%})."),
    "drawdown.short": msg(
        "Short for {horizon} bars: maximum drawdown on closes {median:.2%} (median; mean {mean:.2%})."
    ),
    "drawdown.far": msg("5% of the paths have a drawdown above {drawdown:.2%}."),
    "drawdown.run_up": msg("Maximum run-up: {run_up:.2%} (median)."),
    "tail.long": msg(
        "Long to step {step}: the loss stays within {var:.2%} in {level:.0%} of the paths (value at risk)."
    ),
    "tail.short": msg(
        "Short to step {step}: the loss stays within {var:.2%} in {level:.0%} of the paths (value at risk)."
    ),
    "tail.shortfall": msg("The mean loss beyond it is {shortfall:.2%} (expected shortfall)."),
    "tail.few": msg(
        "Paths in the tail: {beyond}. Fewer than {minimum} are too few for a reliable estimate; use more paths."
    ),
    "volatility.year": msg("Annualized volatility of the paths: {paths:.1%} (median); last {bars} bars: {recent:.1%}."),
    "volatility.bar": msg("Volatility of the paths per bar: {paths:.3%} (median); last {bars} bars: {recent:.3%}."),
    "volatility.higher": msg("{probability:.1%} of the paths are more volatile than these bars."),
    "volatility.parkinson.year": msg(
        "Parkinson estimate from highs and lows: {paths:.1%} a year; recent: {recent:.1%}."
    ),
    "volatility.parkinson.bar": msg(
        "Parkinson estimate from highs and lows: {paths:.3%} per bar; recent: {recent:.3%}."
    ),
    "scenarios": msg("The paths form {count} scenarios."),
    "scenarios.one": msg("{share:.1%} end near {end:,.6g} ({change:+.2%})."),
    "scenarios.same": msg("All paths are identical; they end at {end:,.6g} ({change:+.2%})."),
    "scenarios.clear": msg(
        "The scenarios are clearly separated (silhouette {silhouette:.2f}; without groups: {cloud:.2f})."
    ),
    "scenarios.cloud": msg(
        "The scenarios are not clearly separated; paths fill the space between (silhouette {silhouette:.2f}; "
        "without groups: {cloud:.2f})."
    ),
    "surprise.none": msg("Unusual candles: none of the last {candles}."),
    "surprise.some": msg("Unusual candles: {odd} of the last {candles}."),
    "surprise.most": msg(
        "The most unusual one, {time}: {deviation:.1f} standard deviations less likely than expected, with a "
        "higher surprisal than {percentile:.1%} of them."
    ),
    "surprise.mean": msg("Average surprisal {nll:.2f} nats; expected {entropy:.2f}."),
    "surprise.clipped": msg("Candles outside the model's input range: {candles}; they were clipped."),
}
