"""简体中文: the Data page, and the choice of candles in the sidebar."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DATA"]

DATA: Mapping[str, str] = {
    # what Streamlit itself says
    "Upload": "上传",
    "Drop it here": "拖放到此处",
    "Up to {size} MB per file": "每个文件最大 {size} MB",
    "Press Enter to apply": "按回车键应用",
    # ways in
    "**No candles yet.** Drop files of candles on the left, fetch live ones, or open a sample. What was assumed or "
    "found odd is told here, with repairs of one click.": "**还没有K线**。请在左侧放入K线文件、获取实时K线，或打开一"
    "个样例。读取时的假设和发现的异常会显示在这里，一键即可修复。",
    "Add candles": "添加K线",
    "File": "文件",
    "Live": "实时",
    "Sample": "样例",
    "Source: {source}.": "来源：{source}。",
    "Open sample": "打开样例",
    "Files": "文件",
    "CSV, Excel, JSON, Parquet, Feather, also zipped; up to {size} MB and {rows} rows each. Files stay on this "
    "computer.": "CSV、Excel、JSON、Parquet、Feather，也可以是压缩包；每个文件最大 {size} MB、{rows} 行。文件只留在这"
    "台电脑上。",
    "Reading …": "正在读取……",
    "Read": "读取",
    "Open it on the Forecast page": "在预测页面打开",
    "{option} of {file}": "{file} 的{option}",
    # live candles
    "Feed": "数据源",
    "Crypto exchanges": "加密货币交易所",
    "Stocks, indices, FX (Yahoo)": "股票、指数、外汇（Yahoo）",
    "A-shares": "A股",
    "Exchange": "交易所",
    "Reading the list of exchanges …": "正在读取交易所列表……",
    "Symbol": "代码",
    "Find": "查找",
    "Search the symbols of this feed.": "在此数据源中搜索代码。",
    "Searching for {query}": "正在搜索 {query}",
    "No symbol matches “{query}”. Try fewer letters.": "没有与“{query}”匹配的代码。请减少字母再试。",
    "Found for “{query}”": "“{query}”的搜索结果",
    "{count} found: choose one": "找到 {count} 个，请选择",
    "Interval": "周期",
    "Span": "范围",
    "Newest": "最新",
    "Dates": "日期",
    "Candles": "K线",
    "The newest ones.": "最新的若干根。",
    "From": "从",
    "To": "到",
    "Adjusted prices": "复权价格",
    "Without dividends.": "剔除分红的影响。",
    "Fetch": "获取",
    "Asking {where} for {count} candles of {symbol} at {interval}": "正在向 {where} 请求 {symbol} 的 {count} 根 "
    "{interval} K线",
    "Asking {where} for candles of {symbol} at {interval}": "正在向 {where} 请求 {symbol} 的 {interval} K线",
    "Yahoo serves {interval} candles of the last {days} days.": "Yahoo 提供最近 {days} 天的 {interval} K线。",
    "Yahoo serves all its history.": "Yahoo 提供全部历史。",
    "1m goes back 5 trading days; days, weeks and months go back to the listing.": "1m 可回溯 5 个交易日；日线、周线"
    "和月线可回溯到上市之日。",
    "{exchange} serves its newest {count} candles of an interval alone.": "{exchange} 每个周期只提供最新的 "
    "{count} 根K线。",
    "Up to {count} candles, page by page.": "最多 {count} 根K线，逐页获取。",
    "Only closed candles; what was fetched before comes from this computer, also without a network.": "只取已收盘的K"
    "线；以前取过的直接来自这台电脑，没有网络也可以。",
    "Cancel": "取消",
    # the series there are
    "In this session ({count})": "本次会话（{count}）",
    "to {day}": "至 {day}",
    "{count} changed": "{count} 处修改",
    "Rename": "重命名",
    "Name": "名称",
    "The name is also the symbol: it may point at a calendar, as EURUSD or 600519.SS do.": "名称同时也是代码：它可以"
    "指向一个交易日历，例如 EURUSD 或 600519.SS。",
    "Remove": "移除",
    "From this session alone.": "仅从本次会话中移除。",
    # the chosen series
    "{count} candles": "{count} 根K线",
    "clock {clock}": "时区 {clock}",
    "calendar {calendar}": "日历 {calendar}",
    "none found": "未找到",
    "no volume": "无成交量",
    "stamped at the close": "以收盘时间标记",
    "Forecast these": "预测这些K线",
    "All {count} candles of {symbol}": "{symbol} 的全部 {count} 根K线",
    "Checks": "检查",
    "Interval, clock, calendar": "周期、时区、日历",
    "Rows": "数据行",
    "Export and link": "导出与链接",
    "Around row": "所在行附近",
    "Counted from 1.": "从 1 开始计数。",
    "Rows {first} to {last} of {count}; times on the clock {clock}.": "第 {first} 至 {last} 行，共 {count} 行；时间以"
    "时区 {clock} 表示。",
    # how a file was read
    "This file holds more": "此文件还有其他内容",
    "How the file was read": "文件的读取方式",
    "Read again": "重新读取",
    "Keep both": "两者都保留",
    "As one more series.": "另存为一个新序列。",
    "Reading again begins anew: changes made to the candles here are gone then.": "重新读取会从头开始：在这里对K线做"
    "的修改将会丢失。",
    "Instrument": "品种",
    "Sheet or file": "工作表或文件",
    "Length of a candle": "K线周期",
    "Clock of the times": "时间所用的时区",
    "On which clock times without a zone stand.": "没有标明时区的时间以哪个时区为准。",
    "Order of dates": "日期顺序",
    "As the file shows": "按文件所示",
    "Day first (31/12)": "日在前（31/12）",
    "Month first (12/31)": "月在前（12/31）",
    "Ticks are put together to it.": "逐笔数据会合成为此周期。",
    # checks and repairs
    "Nothing is odd about these candles.": "这些K线没有异常。",
    "(row {row})": "（第 {row} 行）",
    "(rows {rows})": "（第 {rows} 行）",
    "Undo": "撤销",
    "Take the last change back.": "撤回最近一次修改。",
    "Undo all": "全部撤销",
    "Changing …": "正在修改……",
    "Candles of {interval} cannot be made coarser.": "{interval} K线无法再合并为更大的周期。",
    "Interval: {interval}. Coarser:": "周期：{interval}。合并为：",
    "Resample": "重采样",
    "Session clock": "交易时区",
    "Hours and weekdays that the model sees are read on it. The bar times stay the instants they are.": "模型看到的小"
    "时和星期以它为准。K线所代表的时刻不变。",
    "Set clock": "设置时区",
    "Calendar": "日历",
    "When the next bars open, and which bars count as missing.": "决定下一根K线何时开始，以及哪些K线算作缺失。",
    "Choose another above to override it.": "可在上方另选一个来替代。",
    # taking along
    "Candles (CSV)": "K线（CSV）",
    "Candles (Parquet)": "K线（Parquet）",
    "Times with their offset from UTC; it can be read again here. No cell can become a formula.": "时间带有与 UTC 的"
    "偏移；可以在这里重新读入。任何单元格都不会变成公式。",
    "The same columns, exact, for pandas and others.": "相同的列，精确无损，供 pandas 等使用。",
    "A file has no link: it stays on this computer.": "文件没有链接：它只留在这台电脑上。",
    "This link opens the same selection: what to ask for, not the candles, and without the changes.": "此链接会打开相"
    "同的选择：它记录的是要请求什么，不含K线本身，也不含修改。",
    # the sidebar
    "Series": "序列",
    "Your own file": "您自己的文件",
    "CSV, Excel, JSON, Parquet and more, with a time and open, high, low, close; volume and amount are optional. "
    "Times without a zone keep their hours. The file stays on this computer.": "CSV、Excel、JSON、Parquet 等，需有时"
    "间和开、高、低、收；成交量和成交额可选。没有时区的时间保持原样。文件只留在这台电脑上。",
    "Live candles, checks and repairs": "实时K线、检查与修复",
    "Your file: {name}": "您的文件：{name}",
    "Fetched: {name}": "已获取：{name}",
}
