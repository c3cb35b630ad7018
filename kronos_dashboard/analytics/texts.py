"""What answers say, in English: one template per key, filled with ``str.format``.

Another language is another mapping with the same keys and the same names in braces. Chances and returns are fractions,
which the formats turn into percent.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ENGLISH"]

ENGLISH: Mapping[str, str] = {
    "error.chance": "(Sampling error: {low:.1%} to {high:.1%} at {confidence:.0%} confidence, {num_paths:,} paths.)",
    "error.price": "(Sampling error: {low:,.6g} to {high:,.6g} at {confidence:.0%} confidence, {num_paths:,} paths.)",
    "error.fraction": "(Sampling error: {low:.2%} to {high:.2%} at {confidence:.0%} confidence, {num_paths:,} paths.)",
    "error.bars": "(Sampling error: {low:.0f} to {high:.0f} bars at {confidence:.0%} confidence, {num_paths:,} paths.)",
    "error.unbounded": "(The sampling error cannot be bounded with so few paths: {num_paths:,}.)",
    "up": "{chance:.1%} of the paths close above {last_close:,.6g} at step {step}.",
    "up.flat": "{share:.1%} close exactly there.",
    "touch.above": "{chance:.1%} of the paths rise to {level:,.6g} within {horizon} bars.",
    "touch.below": "{chance:.1%} of the paths fall to {level:,.6g} within {horizon} bars.",
    "touch.close": "{chance:.1%} close there or beyond at the last step.",
    "hit": "Of the {hits:,} paths that touch {level:,.6g}, half have done so after {bars:.0f} bars.",
    "hit.never": "{share:.1%} do not touch it within {horizon} bars.",
    "hit.none": "No path touches {level:,.6g} within {horizon} bars.",
    "trade.long": "Long: {target_first:.1%} of the paths reach the target {target:,.6g} first, {stop_first:.1%} the "
    "stop {stop:,.6g}, {neither:.1%} neither within {horizon} bars.",
    "trade.short": "Short: {target_first:.1%} of the paths reach the target {target:,.6g} first, {stop_first:.1%} the "
    "stop {stop:,.6g}, {neither:.1%} neither within {horizon} bars.",
    "trade.profit": "On average that gives {profit:+.2%} ({price:+,.6g} per unit); stop and target break even when the "
    "target comes first in {break_even:.1%} of the cases.",
    "trade.both": "Paths in which one bar touches both: {paths:,}. The order is not known; they count as stopped.",
    "range": "The paths cover {median:,.6g} from highest high to lowest low within {horizon} bars ({fraction:.2%}; "
    "median; mean {mean:,.6g}).",
    "range.middle": "Half of them stay below {high:,.6g}, and half above {low:,.6g}.",
    "range.far": "One in twenty goes above {high:,.6g}, one in twenty below {low:,.6g}.",
    "drawdown.long": "Held long for {horizon} bars, the worst fall from a high close is {median:.2%} (median; mean "
    "{mean:.2%}).",
    "drawdown.short": "Held short for {horizon} bars, the worst rise from a low close is {median:.2%} (median; mean "
    "{mean:.2%}).",
    "drawdown.far": "One path in twenty loses more than {drawdown:.2%} so.",
    "drawdown.run_up": "The best run the other way is {run_up:.2%} (median).",
    "tail.long": "Long up to step {step}: the loss stays within {var:.2%} in {level:.0%} of the cases (value at risk).",
    "tail.short": "Short up to step {step}: the loss stays within {var:.2%} in {level:.0%} of the cases (value at "
    "risk).",
    "tail.shortfall": "Beyond it the mean loss is {shortfall:.2%} (expected shortfall).",
    "tail.few": "Paths that lie there: {beyond}. Fewer than {wanted} are too few to rely on; draw more paths.",
    "volatility.year": "Volatility of the paths: {paths:.1%} a year (median); of the last {bars} bars: {recent:.1%}.",
    "volatility.bar": "Volatility of the paths: {paths:.3%} a bar (median); of the last {bars} bars: {recent:.3%}.",
    "volatility.higher": "{chance:.1%} of the paths are more volatile than that.",
    "volatility.parkinson.year": "By highs and lows (Parkinson): {paths:.1%} a year beside {recent:.1%}.",
    "volatility.parkinson.bar": "By highs and lows (Parkinson): {paths:.3%} a bar beside {recent:.3%}.",
    "scenarios": "The paths fall into {count} groups.",
    "scenarios.one": "{share:.1%} end near {end:,.6g} ({change:+.2%}).",
    "scenarios.same": "All paths are the same; they end at {end:,.6g} ({change:+.2%}).",
    "scenarios.clear": "The groups lie apart (silhouette {silhouette:.2f}; a cloud without groups gives {cloud:.2f}).",
    "scenarios.cloud": "The groups are slices of one cloud: as many paths lie in between (silhouette {silhouette:.2f}; "
    "a cloud without groups gives {cloud:.2f}).",
    "surprise.none": "Candles that stand out to the model: none of the last {candles}.",
    "surprise.some": "Candles that stand out to the model: {odd} of the last {candles}.",
    "surprise.most": "The least expected one, of {time}, lies {deviation:.1f} standard deviations off and "
    "surprised more than {percentile:.1%} of them.",
    "surprise.mean": "On average a candle cost {nll:.2f} nats where the model expected {entropy:.2f}.",
    "surprise.clipped": "Candles beyond what the model can see: {candles}; they look calmer to it than they were.",
}
