"""简体中文: the Forecast page: its window, its controls, the run and the chart."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FORECAST"]

FORECAST: Mapping[str, str] = {
    # how the chart looks
    "Appearance": "外观",
    "Green and red": "绿涨红跌",
    "Red rises": "红涨绿跌",
    "Blue and orange": "蓝与橙",
    "Ink": "水墨",
    "Rising candles hollow": "阳线空心",
    "Logarithmic prices": "对数价格",
    "What came as candles": "实际走势画成K线",
    "Mark candles that surprised the model": "标出令模型意外的K线",
    "How unlikely each of the last candles was to the model, in standard deviations; known after a run.": "最近每根K"
    "线在模型看来有多不可能，以标准差计；运行之后可知。",
    "Sample paths": "采样路径",
    "One path as candles": "一条路径画成K线",
    "Behind the fan": "扇形背后",
    "Nothing": "无",
    "Volatility cone": "波动率锥",
    "Random walk": "随机游走",
    "What you get without a model: prices that only swing as much as they did in the context.": "没有模型时能得到的结"
    "果：价格只是像上下文中那样波动。",
    "Level lines": "价位线",
    "Up to {most} prices with blanks between them.": "最多 {most} 个价格，以空格分隔。",
    "None": "无",
    "All": "全部",
    # model and window
    "Model": "模型",
    "Device": "设备",
    "Best: {device}": "最佳：{device}",
    "Numbers": "数值类型",
    "bfloat16 is faster where the hardware has it, and less exact.": "bfloat16 在支持它的硬件上更快，但精度较低。",
    "Downloads {size} MB the first time.": "首次使用需下载 {size} MB。",
    "Sees up to {count} candles.": "最多可见 {count} 根K线。",
    "The published models are fetched from the Hugging Face hub when they are first asked for.": "已发布的模型会在首"
    "次使用时从 Hugging Face Hub 获取。",
    "Window": "窗口",
    "Context": "上下文",
    "Horizon": "预测步数",
    "Candles the model sees; this one sees at most {most}.": "模型看到的K线；此模型最多可见 {most} 根。",
    "Candles to forecast, at most {most}.": "要预测的K线数，最多 {most} 根。",
    "Together more than the {most} candles that the model sees at once: late steps no longer see the oldest "
    "candles.": "两者之和超过模型一次可见的 {most} 根K线：较后的步将看不到最早的K线。",
    # place of the cutoff
    "Cutoff": "截止",
    "Replay": "回放",
    "Latest": "最新",
    "Replay: the cutoff lies in the past, and what came is hidden until you reveal it. Latest: the context ends at "
    "the last candle.": "回放：截止位置在过去，之后的走势先隐藏，直到您揭示。最新：上下文止于最后一根K线。",
    "Last candle the model sees": "模型看到的最后一根K线",
    "10 bars back": "后退 10 根",
    "1 bar back": "后退 1 根",
    "1 bar on": "前进 1 根",
    "10 bars on": "前进 10 根",
    "To the last window with a truth": "跳到有实际走势的最后一个窗口",
    "{first} → **{cutoff}** (row {row}), then {horizon} bars to {end}": "{first} → **{cutoff}**（第 {row} 行），之后 "
    "{horizon} 根至 {end}",
    "Cutoff **{cutoff}**; the next bars are {first}, {second} … {last}.": "截止于 **{cutoff}**；之后的K线是 {first}、"
    "{second}……{last}。",
    "Calendar: {name}.": "日历：{name}。",
    "Cutoff this many bars before the last candle": "截止于最后一根K线之前的若干根",
    "The first bars of the forecast then lie on candles that are known, so that both can be compared.": "这样预测的前"
    "几根会落在已知的K线上，便于两相对照。",
    # sampling
    "Sampling": "采样",
    "Point": "单点",
    "Distribution": "分布",
    "Custom": "自定义",
    "Temperature 0.6, top-p 0.9: paths near the likeliest one. Their spread is too narrow to trust.": "温度 0.6，"
    "top-p 0.9：靠近最可能走势的路径。它们的散布太窄，不可作准。",
    "Temperature 1, top-p 1: paths as the model believes, so that the bands mean something.": "温度 1，top-p 1：按模"
    "型的看法采样，区间才有意义。",
    "Changed by hand.": "已手动修改。",
    "Paths": "路径数",
    "Sampled futures. More paths: smoother bands, longer wait.": "采样的未来。路径越多，区间越平滑，等待越久。",
    "Seed": "种子",
    "Same seed, same paths.": "种子相同，路径相同。",
    "Another seed": "换一个种子",
    "How paths are drawn": "路径的采样方式",
    "Temperature": "温度",
    "1 draws as the model believes; lower is more timid; 0 always takes the likeliest candle.": "1 表示按模型的看法采"
    "样；更低则更保守；0 总是取最可能的K线。",
    "Top-p": "Top-p",
    "Draw only among the likeliest candles that make up this share of probability; 1 leaves none out.": "只在概率合计"
    "达到此比例的最可能K线中采样；1 表示不舍去。",
    "Top-k": "Top-k",
    "Draw only among so many of the likeliest candles; 0 leaves none out.": "只在最可能的若干根K线中采样；0 表示不舍"
    "去。",
    "Min-p": "Min-p",
    "as the model asks": "按模型的要求",
    "Leave out candles whose probability is below this part of the likeliest one's: about 0.004 keeps sudden leaps out "
    "of the paths; 0 leaves none out. Empty: as the model asks.": "舍去概率不到最可能K线此比例的K线：约 0.004 可使路径"
    "不出现突然的跳变；0 表示不舍去。留空：按模型的要求。",
    "Paths begin": "路径起点",
    "As the model asks": "按模型的要求",
    "At the last close": "最新收盘价",
    "At the model's own level": "模型自身的价位",
    "The model reads candles as tokens, which miss the last close by a part of a one-bar change. Left there, all paths "
    "jump together at the first step; at the last close, the miss, which is known beforehand, is taken off all their "
    "prices. The reference implementation does not shift them.": "模型把K线读成词元，词元与最新收盘价之间有偏差，约为单"
    "根K线变动的几分之一。若从词元的末端开始，所有路径会在第一步一起跳动；若从最新收盘价开始，则从路径的全部价格中扣除"
    "这个事先已知的偏差。参考实现不作平移。",
    "Direction": "方向",
    "Left open (mirrored)": "不定（作镜像）",
    "As the model draws it": "按模型的采样",
    "Left open, every second path is turned upside down at the last close: up and down are equally likely, and the "
    "forecast says how far the price may move, not where to. That is for models whose word on direction is measured to "
    "be worth nothing.": "选“不定（作镜像）”时，每隔一条路径以最新收盘价为轴上下翻转：涨跌机会均等，预测只说明价格可能"
    "变动多远，不说明去向。适用于经实测对方向没有判断力的模型。",
    "Every second path is mirrored at the last close: this forecast says how far the price may move, not which "
    "way.": "每隔一条路径以最新收盘价为轴作镜像：此预测只说明价格可能变动多远，不说明往哪个方向。",
    # the run
    "Run forecast": "运行预测",
    "Run again": "再次运行",
    "Auto": "自动",
    "Run the model by itself once the window and the settings have come to rest.": "窗口和设置停止变动后自动运行模型。",
    "No forecast of this window yet · {estimate}": "此窗口还没有预测 · {estimate}",
    "changed since: run again": "之后有改动：请再次运行",
    "Waiting: {count} ahead of you": "排队中：前面还有 {count} 个",
    "about {time}": "约 {time}",
    "{count} s": "{count} 秒",
    "{count} min": "{count} 分钟",
    "{estimate} (a first guess)": "{estimate}（初步估计）",
    "Downloading {file}: {size} MB": "正在下载 {file}：{size} MB",
    "Getting the model ready …": "正在准备模型……",
    "Getting the model ready…": "正在准备模型……",
    "Sampling step {done} of {total}": "正在采样：第 {done} 步，共 {total} 步",
    "{count} paths, temperature {temperature}, top-p {top_p}, seed {seed}, {begin} · {seconds} s · {model}": "{count} "
    "条路径，温度 {temperature}，top-p {top_p}，种子 {seed}，{begin} · {seconds} 秒 · {model}",
    "starting at the last close": "从最新收盘价开始",
    "starting at the model's own level": "从模型自身的价位开始",
    "starting at the last close, every second mirrored": "从最新收盘价开始，每隔一条作镜像",
    "starting at the model's own level, every second mirrored": "从模型自身的价位开始，每隔一条作镜像",
    "the forecast": "预测",
    "{what} was stopped before it was done: nobody looked at it for {seconds} s, or another tab began one.": "{what}在"
    "完成之前被停止：有 {seconds} 秒没有人查看，或者浏览器的另一个标签页开始了新的运行。",
    "Run it again, and leave the page open.": "请重新运行，并保持页面打开。",
    # what is shown
    "Candles of {symbol} up to {cutoff} UTC and {horizon} steps after": "{symbol} 截至 {cutoff} UTC 的K线及其后 "
    "{horizon} 步",
    "Questions": "问答",
    "Comparison": "对照",
    "Side by side": "并排",
    "Sensitivity": "敏感性",
    "Last close": "最新收盘价",
    "Median after {count} steps": "{count} 步后的中位数",
    "{share} of paths end in": "{share} 的路径终于此范围",
    "End higher": "终点更高",
    "of {count} paths": "共 {count} 条路径",
    "of {count} paths, half mirrored": "共 {count} 条，半数镜像",
    "Play what came, bar by bar": "逐根播放实际走势",
    "Pause": "暂停",
    "+1 bar": "+1 根",
    "+10 bars": "+10 根",
    "Reveal all": "全部揭示",
    "Hide": "隐藏",
}
