"""What answers say, in 简体中文: the keys and the names in braces of ``texts.ENGLISH``."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CHINESE"]

CHINESE: Mapping[str, str] = {
    "error.chance": "（抽样误差：在 {confidence:.0%} 置信度下为 {low:.1%} 至 {high:.1%}，{num_paths:,} 条路径。）",
    "error.price": "（抽样误差：在 {confidence:.0%} 置信度下为 {low:,.6g} 至 {high:,.6g}，{num_paths:,} 条路径。）",
    "error.fraction": "（抽样误差：在 {confidence:.0%} 置信度下为 {low:.2%} 至 {high:.2%}，{num_paths:,} 条路径。）",
    "error.bars": "（抽样误差：在 {confidence:.0%} 置信度下为 {low:.0f} 至 {high:.0f} 根K线，{num_paths:,} 条路径。）",
    "error.unbounded": "（路径太少，无法界定抽样误差：{num_paths:,} 条。）",
    "up": "{chance:.1%} 的路径在第 {step} 步收于 {last_close:,.6g} 之上。",
    "up.flat": "{share:.1%} 恰好收在该处。",
    "touch.above": "{chance:.1%} 的路径在 {horizon} 根K线内涨到 {level:,.6g}。",
    "touch.below": "{chance:.1%} 的路径在 {horizon} 根K线内跌到 {level:,.6g}。",
    "touch.close": "{chance:.1%} 在最后一步收于该处或更远。",
    "hit": "在触及 {level:,.6g} 的 {hits:,} 条路径中，有一半在 {bars:.0f} 根K线之内触及。",
    "hit.never": "{share:.1%} 在 {horizon} 根K线内没有触及。",
    "hit.none": "没有路径在 {horizon} 根K线内触及 {level:,.6g}。",
    "trade.long": "做多：{target_first:.1%} 的路径先到目标 {target:,.6g}，{stop_first:.1%} 先到止损 {stop:,.6g}，"
    "{neither:.1%} 在 {horizon} 根K线内两者都没有到。",
    "trade.short": "做空：{target_first:.1%} 的路径先到目标 {target:,.6g}，{stop_first:.1%} 先到止损 {stop:,.6g}，"
    "{neither:.1%} 在 {horizon} 根K线内两者都没有到。",
    "trade.profit": "平均结果为 {profit:+.2%}（每单位 {price:+,.6g}）；当 {break_even:.1%} 的情况先到目标时，止损与目"
    "标盈亏相抵。",
    "trade.both": "同一根K线内两者都触及的路径：{paths:,} 条。先后不得而知，按止损计。",
    "range": "路径在 {horizon} 根K线内从最高到最低的幅度为 {median:,.6g}（{fraction:.2%}；中位数；均值 {mean:,.6g}）。",
    "range.middle": "一半的路径保持在 {high:,.6g} 之下，一半保持在 {low:,.6g} 之上。",
    "range.far": "二十条中有一条升破 {high:,.6g}，一条跌破 {low:,.6g}。",
    "drawdown.long": "做多持有 {horizon} 根K线，从最高收盘价起的最大回撤为 {median:.2%}（中位数；均值 {mean:.2%}）。",
    "drawdown.short": "做空持有 {horizon} 根K线，从最低收盘价起的最大反弹为 {median:.2%}（中位数；均值 {mean:.2%}）。",
    "drawdown.far": "二十条路径中有一条因此损失超过 {drawdown:.2%}。",
    "drawdown.run_up": "反方向的最好走势为 {run_up:.2%}（中位数）。",
    "tail.long": "做多至第 {step} 步：在 {level:.0%} 的情况下损失不超过 {var:.2%}（风险价值）。",
    "tail.short": "做空至第 {step} 步：在 {level:.0%} 的情况下损失不超过 {var:.2%}（风险价值）。",
    "tail.shortfall": "超出之后的平均损失为 {shortfall:.2%}（预期损失）。",
    "tail.few": "落在那里的路径有 {beyond} 条。少于 {wanted} 条不足为凭；请采样更多路径。",
    "volatility.year": "路径的波动率：每年 {paths:.1%}（中位数）；最近 {bars} 根K线为 {recent:.1%}。",
    "volatility.bar": "路径的波动率：每根K线 {paths:.3%}（中位数）；最近 {bars} 根K线为 {recent:.3%}。",
    "volatility.higher": "{chance:.1%} 的路径波动更大。",
    "volatility.parkinson.year": "按最高与最低价计（Parkinson）：每年 {paths:.1%}，近期为 {recent:.1%}。",
    "volatility.parkinson.bar": "按最高与最低价计（Parkinson）：每根K线 {paths:.3%}，近期为 {recent:.3%}。",
    "scenarios": "路径分为 {count} 组。",
    "scenarios.one": "{share:.1%} 终于 {end:,.6g} 附近（{change:+.2%}）。",
    "scenarios.same": "所有路径都相同；终于 {end:,.6g}（{change:+.2%}）。",
    "scenarios.clear": "各组彼此分开（轮廓系数 {silhouette:.2f}；没有分组的点云为 {cloud:.2f}）。",
    "scenarios.cloud": "各组只是同一片点云的切片：中间也有同样多的路径（轮廓系数 {silhouette:.2f}；没有分组的点云为 "
    "{cloud:.2f}）。",
    "surprise.none": "模型眼中异常的K线：最近 {candles} 根中没有。",
    "surprise.some": "模型眼中异常的K线：最近 {candles} 根中有 {odd} 根。",
    "surprise.most": "最出乎意料的一根在 {time}，偏离 {deviation:.1f} 个标准差，其意外程度超过其中的 {percentile:.1%}"
    "。",
    "surprise.mean": "平均每根K线的代价为 {nll:.2f} 纳特，模型预期为 {entropy:.2f}。",
    "surprise.clipped": "超出模型视野的K线：{candles} 根；它们在模型看来比实际平静。",
}
