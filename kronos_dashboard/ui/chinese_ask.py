"""简体中文: questions to a forecast, and their answers as cards."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ASK"]

ASK: Mapping[str, str] = {
    "Read off {count} sampled paths of {steps} bars. An interval says how far the draw alone may have moved a "
    "number; how far the model itself is off, no number of paths tells.": "读自 {count} 条采样路径，每条 {steps} 根K"
    "线。区间只说明采样本身会让数字偏离多少；模型自身偏离多少，再多路径也看不出来。",
    "Some paths fall to zero or below, where returns mean nothing: they answer no questions.": "有些路径跌到零或以下"
    "，收益率没有意义：无法回答问题。",
    # numbers
    "{low} to {high} ({level} interval, {count} paths)": "{low} 至 {high}（{level} 区间，{count} 条路径）",
    "Below each: its {level} interval, {count} paths.": "各数字下方：其 {level} 区间，{count} 条路径。",
    "{count} paths: too few for an interval": "{count} 条路径：太少，无法给出区间",
    "{low} to {high}": "{low} 至 {high}",
    # direction
    "**Up or down?**": "**涨还是跌？**",
    "Closes above {price} after {step} bars": "{step} 根后收于 {price} 之上",
    "Share of the sampled paths whose close lies above the last known close.": "收盘价高于最新已知收盘价的采样路径所"
    "占的比例。",
    "{share} close exactly there.": "{share} 恰好收在该处。",
    "Chance to close higher, step by step": "逐步收得更高的概率",
    "Chance to close higher after each bar; shaded: its interval; dotted: one half.": "每根K线之后收得更高的概率；阴"
    "影：其区间；虚线：一半。",
    "After how many bars": "多少根之后",
    "up": "上涨",
    # levels
    "**Does it get there, and when?**": "**会到那里吗？何时？**",
    "Level": "价位",
    "Rises to {price} within {steps} bars": "{steps} 根内涨到 {price}",
    "Falls to {price} within {steps} bars": "{steps} 根内跌到 {price}",
    "Share of the paths of which a high or a low reaches the level.": "最高价或最低价到达该价位的路径所占的比例。",
    "{share} close there or beyond after the last bar.": "{share} 在最后一根收于该处或更远。",
    "No path touches it.": "没有路径触及。",
    "Half of those that touch it do so within {count} bars ({low} to {high}; {paths} paths touch it).": "触及的路径中"
    "有一半在 {count} 根内触及（{low} 至 {high}；{paths} 条路径触及）。",
    "Half of those that touch it do so within {count} bars ({paths} paths touch it: too few for an interval).": "触及"
    "的路径中有一半在 {count} 根内触及（{paths} 条路径触及：太少，无法给出区间）。",
    "Curve: chance to have touched it by each bar, by highs and lows.": "曲线：到每根K线为止已触及的概率，按最高与最"
    "低价计。",
    "Chance to have touched the level, step by step": "逐步触及该价位的概率",
    "touched": "已触及",
    "A price must lie above zero; got {level}. The last close is {last}.": "价格必须大于零；得到的是 {level}。最新收"
    "盘价是 {last}。",
    "{level} is too far from the last close, {last}, to be asked about.": "{level} 离最新收盘价 {last} 太远，无法询问"
    "。",
    "That is the last close itself, {last}, where every path begins. Go above or below it.": "这正是最新收盘价 {last}"
    "，每条路径的起点。请取其上或其下。",
    # stop and target
    "**Stop or target first?**": "**先到止损还是目标？**",
    "Position": "方向",
    "Long": "做多",
    "Short": "做空",
    "Stop": "止损",
    "Target": "目标",
    "Target first": "先到目标",
    "Stop first": "先到止损",
    "Long: the stop must lie below the last close, {last}, and the target above it.": "做多：止损必须低于最新收盘价 "
    "{last}，目标必须高于它。",
    "Short: the stop must lie above the last close, {last}, and the target below it.": "做空：止损必须高于最新收盘价 "
    "{last}，目标必须低于它。",
    "Neither: {share} ({low} to {high}); such a path is closed after the last bar.": "两者都没有：{share}（{low} 至 "
    "{high}）；这样的路径在最后一根平仓。",
    "On average {profit} per trade, {price} a unit: {interval}.": "平均每笔 {profit}，每单位 {price}：{interval}。",
    "Without costs it breaks even when the target comes first in {share} of the trades that end at either.": "不计成"
    "本时，在止于两者之一的交易中有 {share} 先到目标即可盈亏相抵。",
    "{count} paths touch both within one bar; they count as stopped.": "{count} 条路径在同一根K线内触及两者；按止损计"
    "。",
    # range
    "**How far does it move?**": "**会波动多大？**",
    "Highest high less lowest low, {steps} bars": "最高价减最低价，{steps} 根",
    "That is {share} of the last close; on average {mean}.": "相当于最新收盘价的 {share}；平均 {mean}。",
    "Half of the paths stay below {high}, half stay above {low}.": "一半的路径保持在 {high} 之下，一半保持在 {low} 之"
    "上。",
    "One in twenty goes above {high}, one in twenty below {low}.": "二十条中有一条升破 {high}，一条跌破 {low}。",
    # risk
    "**What can go wrong?**": "**会出什么问题？**",
    "Median over the paths.": "各路径的中位数。",
    "Maximum drawdown": "最大回撤",
    "Worst loss on the way by closes: median path.": "途中按收盘价计的最大亏损：居中的路径。",
    "Maximum run-up": "最大浮盈",
    "Best gain on the way by closes: median path.": "途中按收盘价计的最大盈利：居中的路径。",
    "One path in twenty draws down more than {share}.": "二十条路径中有一条回撤超过 {share}。",
    "Value at risk 95%": "95% 风险价值",
    "In 95 of 100 cases the loss at the end is no larger.": "100 次中有 95 次，终点的亏损不会更大。",
    "Expected shortfall 95%": "95% 预期损失",
    "Mean loss in the 5 of 100 cases beyond it.": "超出它的 100 次中 5 次的平均亏损。",
    "A negative loss is a gain.": "亏损为负即盈利。",
    ":orange[Only {count} paths lie that far out: draw more paths before relying on it.]": ":orange[只有 {count} 条路"
    "径到那么远：请先采样更多路径再作依据。]",
    # volatility
    "**Calm or restless?**": "**平静还是动荡？**",
    "a bar": "每根",
    "a year": "每年",
    "Volatility of the paths, {unit}": "路径的波动率，{unit}",
    "Of the last {count} bars: {recent}. The paths have {ratio} times that.": "最近 {count} 根：{recent}。路径是它的 "
    "{ratio} 倍。",
    "More volatile than that": "波动更大的比例",
    "By highs and lows (Parkinson): {paths} beside {recent}.": "按最高与最低价计（Parkinson）：{paths}，近期为 "
    "{recent}。",
    # scenarios
    "**Which stories do the paths tell?**": "**路径讲了哪些故事？**",
    "Lines: one real path from the middle of each group, wider where there are more. Dotted: last close.": "线：每组"
    "中间的一条真实路径，路径越多线越粗。虚线：最新收盘价。",
    "One path of each group": "每组一条路径",
    "Upper": "上",
    "Middle": "中",
    "Lower": "下",
    "ends near {price} ({change})": "终于 {price} 附近（{change}）",
    "All paths are the same: they end at {price} ({change}).": "所有路径都相同：终于 {price}（{change}）。",
    "The groups lie further apart than those of a cloud that has none.": "各组之间比没有分组的点云分得更开。",
    "The groups are slices of one cloud: as many paths lie in between.": "各组只是同一片点云的切片：中间也有同样多的"
    "路径。",
    # surprise
    "**Which recent candles surprised the model?**": "**最近哪些K线让模型意外？**",
    "Stand out among the last {count} candles": "最近 {count} 根K线中异常的",
    "3 or more standard deviations less likely than the model's own candles. Nothing is sampled here.": "比模型自己的"
    "K线不可能 3 个标准差以上。此处不做采样。",
    "A candle cost {cost} nats on average; the model expected {expected}.": "平均每根K线的代价为 {cost} 纳特；模型预"
    "期为 {expected}。",
    "Candle": "K线",
    "Change": "涨跌",
    "Deviations": "标准差",
    "Not measured for this forecast.": "此预测没有测量。",
    "One half by construction, but for the draw: every second path is mirrored.": "除采样误差外必然是一半：每隔一条路"
    "径作了镜像。",
    "The paths lean neither way: which comes first follows from how far off stop and target lie.": "路径不偏向任何一方"
    "：哪个先到，取决于止损与目标各离多远。",
    "The groups lie apart, which may come of mirroring every second path alone.": "各组相距较远，可能只是因为每隔一条路"
    "径作了镜像。",
    "{count} of them lie beyond what the model can see; to it they look calmer.": "其中 {count} 根超出模型的视野；在"
    "它看来更平静。",
}
