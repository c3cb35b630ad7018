"""简体中文: a forecast beside what came, forecasts side by side, and the grid of settings."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["COMPARE"]

COMPARE: Mapping[str, str] = {
    # beside what came
    "What comes is not known yet, so this forecast cannot be scored. Below: how wide it is.": "之后的走势尚不可知，因"
    "此无法评分。下面是它的宽度。",
    "What came is hidden. Reveal candles to see how the forecast did; until then nothing of it is used.": "实际走势已"
    "隐藏。揭示K线即可看到预测的表现；在此之前不会用到它。",
    "Errors of the median and CRPS of all paths in price units, over the {steps} bars that are revealed; lower is "
    "better. MAPE: mean error as a share of the price. CRPS of a single line is its mean error.": "在已揭示的 "
    "{steps} 根K线上，中位数的误差和全部路径的 CRPS，以价格为单位；越低越好。MAPE：平均误差占价格的比例。单条线的 "
    "CRPS 即其平均误差。",
    "Only {steps} bars are revealed: too few to say who came nearer.": "只揭示了 {steps} 根K线：太少，说不出谁更接近。",
    "The random walk met every one of these bars exactly; there is nothing to compare with.": "随机游走与这些K线完全"
    "一致；没有可比之处。",
    "Over these {steps} bars the model's paths lay nearer to what came than a random walk's: CRPS {ratio} times as "
    "large.": "在这 {steps} 根K线上，模型的路径比随机游走更接近实际：CRPS 是其 {ratio} 倍。",
    "Over these {steps} bars the model's paths lay about as near to what came as a random walk's: CRPS {ratio} times "
    "as large.": "在这 {steps} 根K线上，模型的路径与随机游走差不多接近实际：CRPS 是其 {ratio} 倍。",
    "Over these {steps} bars the model's paths lay further from what came than a random walk's: CRPS {ratio} times "
    "as large.": "在这 {steps} 根K线上，模型的路径比随机游走离实际更远：CRPS 是其 {ratio} 倍。",
    "One window says little: its bars hang together, so that either may win by luck. Only many windows tell skill "
    "from luck.": "一个窗口说明不了什么：其中的K线彼此相关，谁赢都可能是运气。只有很多窗口才能分清能力与运气。",
    "With {count} paths the scores of the model are rough.": "只有 {count} 条路径，模型的评分较粗略。",
    "CRPS beside the random walk": "与随机游走相比的 CRPS",
    "Below 1: the model's paths lay nearer.": "小于 1：模型的路径更接近。",
    "Last close stays": "保持最新收盘价",
    "Past trend goes on": "延续过去趋势",
    "**Error by step**": "**逐步误差**",
    "Absolute error of the median, step by step": "中位数的逐步绝对误差",
    "**Steps inside the bands**": "**落在区间内的步数**",
    "Share of steps inside each band": "落在各区间内的步数占比",
    "{share} of the {steps} bars closed inside the 80% band.": "{steps} 根K线中有 {share} 收在 80% 区间内。",
    "{share} of the {steps} bars closed inside the 80% band: it was wide here.": "{steps} 根K线中有 {share} 收在 80% "
    "区间内：此处区间偏宽。",
    "{share} of the {steps} bars closed inside the 80% band: it was too narrow here, or the move an unusual one.": ""
    "{steps} 根K线中有 {share} 收在 80% 区间内：此处区间太窄，或走势不寻常。",
    "**How wide the bands are**": "**区间有多宽**",
    "Ratio": "比值",
    "Mean over the steps of the band that holds this share of the paths, price units. Narrow is good only where it "
    "holds.": "包含此比例路径的区间在各步上的平均宽度，以价格为单位。只有在站得住时，窄才是好的。",
    # the seam
    "**The first bar**": "**第一根K线**",
    "First close of the median, in typical moves": "中位数的首个收盘价，以典型变动计",
    "A typical move from close to close is {price}.": "收盘到收盘的典型变动是 {price}。",
    "First open, in typical jumps from the last close": "首个开盘价离最新收盘价，以典型跳空计",
    "First open, in typical ranges from the last close": "首个开盘价离最新收盘价，以典型振幅计",
    "Median path; a typical jump between close and next open is {price}.": "居中的路径；收盘到次开盘的典型跳空是 "
    "{price}。",
    "In this series a bar usually opens where the last one closed.": "此序列中，K线通常开在前一根的收盘处。",
    "What came opened {count} of these units away.": "实际开盘偏离了 {count} 个单位。",
    "Of the paths as they were drawn: the mirrored ones begin as far on the other side.": "仅就未作镜像的路径而言：镜像"
    "路径的起点在另一侧同样远处。",
    "Paths may begin at the last close instead: choose that under How paths are drawn.": "也可以让路径从最新收盘价开"
    "始：请在“路径的采样方式”中选择。",
    ":orange[The forecast breaks off from the last candle.] Read its first steps with care.": ":orange[预测与最后一根"
    "K线脱节。]请谨慎看待最初几步。",
    "The forecast goes on from the last candle without a break.": "预测与最后一根K线衔接，没有脱节。",
    # side by side
    "Forecasts of this session": "本次会话的预测",
    "No forecast yet. Each one you run is kept here for comparison.": "还没有预测。您运行的每一个都会保留在这里以供比"
    "较。",
    "Choose at least one forecast.": "请至少选择一个预测。",
    "There is one forecast so far. Run another seed, temperature, context or model to set it beside this one.": "目前"
    "只有一个预测。请换种子、温度、上下文或模型再运行一个，与它并排。",
    "Up to four; new ones join by themselves.": "最多四个；新的会自动加入。",
    "{number}: {what}": "{number}：{what}",
    "seed {seed}": "种子 {seed}",
    "Forecast {letter} after its last candles": "预测 {letter} 及其之前的K线",
    "These are of different series: each chart has a price scale of its own.": "它们属于不同的序列：每张图有自己的价"
    "格刻度。",
    "Median at the end": "终点的中位数",
    "at the last close": "最新收盘价",
    "at the model's own level": "模型自身的价位",
    "left open: mirrored": "不定：作镜像",
    "as drawn": "按采样",
    "Every second path is mirrored, so that “End higher” says nothing: {names}.": "每隔一条路径作了镜像，“终点更高”说明"
    "不了什么：{names}。",
    "from the last close": "相对最新收盘价",
    "80% of paths end from": "80% 的路径终于：自",
    "80% of paths end up to": "80% 的路径终于：至",
    "CRPS": "CRPS",
    "over bars": "所用K线数",
    "off": "关闭",
    "hidden": "已隐藏",
    "not known yet": "尚不可知",
    # the grid
    "The same cutoff, forecast with shorter contexts and other temperatures. An answer that turns with these choices "
    "is a trait of the settings rather than of the market.": "同一截止位置，用更短的上下文和其他温度来预测。随这些选"
    "择而变的答案，是设置的特性，而不是市场的。",
    "Context lengths": "上下文长度",
    "Temperatures": "温度",
    "Paths per cell": "每格路径数",
    "More paths: surer cells, a longer wait.": "路径越多，每格越可靠，等待越久。",
    "Run {count} forecasts": "运行 {count} 个预测",
    "Choose at least one context length and one temperature.": "请至少选择一个上下文长度和一个温度。",
    "A grid has at most {count} cells.": "网格最多有 {count} 格。",
    "Cancel the grid": "取消网格",
    "Step {done} of {total} over all cells": "第 {done} 步，全部共 {total} 步",
    "Show": "显示",
    "Chance to end higher": "终点更高的概率",
    "Median return at the end": "终点收益率的中位数",
    "the grid": "网格",
    ":orange[{done} of {count} cells were done when it was stopped.]": ":orange[停止时已完成 {count} 格中的 {done} "
    "格。]",
    "Width of the 80% band at the end": "终点 80% 区间的宽度",
    "Jump at the first open, in typical ranges": "首个开盘价的跳空，以典型振幅计",
    "{paths} paths a cell, top-p {top_p}, seed {seed}, {begin}, {seconds} s. Nothing of what came is used.": "每格 "
    "{paths} 条路径，top-p {top_p}，种子 {seed}，{begin}，{seconds} 秒。没有用到实际走势。",
    "One cell: a chance of {high} to end higher, and a median return of {last}.": "一格：终点更高的概率为 {high}，收"
    "益率中位数为 {last}。",
    "One cell: the 80% band at the end is {high} wide. Every second path is mirrored, so that it leans neither up nor "
    "down.": "一格：终点 80% 区间的宽度为 {high}。每隔一条路径作了镜像，因此不偏上也不偏下。",
    "Every second path is mirrored, so that no cell leans up or down; what hangs on these choices is how far the price "
    "may move: the 80% band at the end is {low} to {high} wide.": "每隔一条路径作了镜像，因此各格都不偏上也不偏下；随这"
    "些选择而变的是价格可能变动多远：终点 80% 区间的宽度为 {low} 至 {high}。",
    "The chance to end higher runs from {low} to {high}, no further than the draw alone explains, and the median "
    "return from {first} to {last}, always on one side: the answer hardly hangs on these choices.": "终点更高的概率从"
    " {low} 到 {high}，没有超出采样本身能解释的范围；收益率中位数从 {first} 到 {last}，始终在同一侧：答案几乎不取决于"
    "这些选择。",
    "The chance to end higher runs from {low} to {high}, no further than the draw alone explains; the median return "
    "runs from {first} to {last} and changes its side: there is no clear direction to rely on.": "终点更高的概率从 "
    "{low} 到 {high}，没有超出采样本身能解释的范围；收益率中位数从 {first} 到 {last}，改变了方向：没有可以依靠的明确"
    "方向。",
    "The chance to end higher runs from {low} to {high}, further than the draw explains; the median return stays on "
    "one side, {first} to {last}: the strength of the answer hangs on these choices, its direction does not.": "终点"
    "更高的概率从 {low} 到 {high}，超出采样能解释的范围；收益率中位数保持在同一侧，从 {first} 到 {last}：答案的强弱取"
    "决于这些选择，方向则不然。",
    "The chance to end higher runs from {low} to {high}, further than the draw explains, and the median return turns "
    "from {first} to {last}: the direction is a matter of these choices.": "终点更高的概率从 {low} 到 {high}，超出采"
    "样能解释的范围；收益率中位数从 {first} 转到 {last}：方向取决于这些选择。",
}
