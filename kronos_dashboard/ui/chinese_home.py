"""简体中文: the frame of every page, and Home."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["HOME"]

HOME: Mapping[str, str] = {
    # the frame of every page
    "Home": "首页",
    "Data": "数据",
    "Forecast": "预测",
    "something went wrong that was not foreseen ({name}).": "发生了意料之外的错误（{name}）。",
    "Your candles and settings are kept. The details are in the log of the server; please report them.": "您的K线和设"
    "置都已保留。详细信息在服务器日志中，请将其反馈给我们。",
    "The bundled model works without a network.": "内置模型无需网络即可使用。",
    "The bundled model needs no access.": "内置模型不需要访问权限。",
    "Set KRONOS_DASHBOARD_MODEL to bundled, a published name, a hub id or a folder.": "请将 KRONOS_DASHBOARD_MODEL 设"
    "为 bundled、已发布模型的名称、Hub 上的编号或本地文件夹。",
    # what this is
    "Sample many possible futures of a candlestick series and see how far apart they run.": "为一段K线序列采样许多种"
    "可能的未来，看它们会分散到多远。",
    "Bring your own candles": "使用您自己的K线",
    # the model
    "**Model loaded:** {label} · up to {count} candles · `{digest}`": "**模型已加载**：{label} · 最多 {count} 根K线 "
    "· `{digest}`",
    "Loading the model “{name}” …": "正在加载模型“{name}”……",
    "The model “{name}” is not loaded; a forecast will try again and say why.": "模型“{name}”未能加载；运行预测时会重"
    "试，并说明原因。",
    # the samples
    "Forecast {symbol} {interval}": "预测 {symbol} {interval}",
    "The last {count} candles of {symbol}": "{symbol} 最近的 {count} 根K线",
    # how to read it
    "**How to read the fan**": "**怎样看扇形图**",
    "Each **path** is one complete sampled future. The fan is what the model believes, not what will happen.": "每条**"
    "路径**都是一个完整的采样未来。扇形是模型的看法，而不是将要发生的事。",
    "Half of the paths lie in the dark band, 80% in the middle one, 95% in the light one.": "一半的路径落在深色区间内，"
    "80% 落在中间的区间内，95% 落在浅色区间内。",
    "Measured on months it had not seen, {horizons} steps ahead, its 80% band held {low} to {high} of the closes, by "
    "market.": "在模型没有见过的月份里实测（预测 {horizons} 步）：80% 区间包含了 {low} 至 {high} 的收盘价，因市场而"
    "异。",
    "Every second path was mirrored for that: it says how far the price may move, not which way.": "实测时每隔一条路径"
    "作了镜像：模型只说明价格可能变动多远，不说明往哪个方向。",
    "How much of what comes the bands of this model hold has not been measured.": "此模型的区间能包含多少实际走势，未经"
    "实测。",
    "The blue candles are one real path near the middle, never an average.": "蓝色K线是靠近中间的一条真实路径，从不取平"
    "均。",
    "The dotted edge is a random walk as restless as the window: what you get without a model.": "虚线边界是与窗口同样"
    "波动的随机游走：没有模型时能得到的结果。",
    # limits
    "**Limits: what the model did not see**": "**局限：模型没有看到什么**",
    "It sees candles alone: no news, no order book, no other market.": "它只看K线：没有新闻，没有订单簿，没有其他市"
    "场。",
    "It is a **small demo model trained for this project, not the published Kronos**.": "它是**为本项目训练的小型演示模"
    "型，不是已发布的 Kronos**。",
    "In training it has **read the time of most of these samples**: a good fit there proves nothing.": "训练时它**读过"
    "这些样例中的大部分时段**：在那里拟合得好说明不了什么。",
    "It may have read the time of these samples in training: a good fit there proves nothing.": "训练时它可能读过这些样"
    "例的时段：在那里拟合得好说明不了什么。",
    "A fan can be too narrow or too wide; one window that fits proves nothing.": "扇形可能太窄，也可能太宽；一个窗口拟"
    "合得好说明不了什么。",
    "Nothing here is advice to trade.": "这里的任何内容都不是交易建议。",
}
