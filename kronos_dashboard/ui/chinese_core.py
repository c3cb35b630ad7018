"""简体中文: errors, notes and names of windows, settings, samples, candles, records, questions and the queue."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CORE"]

CORE: Mapping[str, str] = {
    # samples
    "EUR/USD, hourly": "欧元/美元，小时线",
    "Apple, daily": "苹果，日线",
    "Alphabet, daily": "谷歌，日线",
    "Apple, hourly": "苹果，小时线",
    "Apple, by the minute": "苹果，分钟线",
    "Currency pair, {n} hourly candles with volume, all of 2017.": "货币对，{n} 根小时K线，含成交量，2017 年全年。",
    "Stock, {n} daily candles with volume, 2019 to 2024, adjusted for splits.": "股票，{n} 根日K线，含成交量，2019 至"
    " 2024 年，已按拆股调整。",
    "Stock, {n} daily candles with volume, May 2009 to August 2018.": "股票，{n} 根日K线，含成交量，2009 年 5 月至 "
    "2018 年 8 月。",
    "Stock, {n} hourly candles with volume within New York sessions, August 2024 to August 2026.": "股票，{n} 根小时K"
    "线，含成交量，纽约交易时段内，2024 年 8 月至 2026 年 8 月。",
    "Stock, {n} one-minute candles with volume, 29 July to 6 August 2026.": "股票，{n} 根 1 分钟K线，含成交量，2026 "
    "年 7 月 29 日至 8 月 6 日。",
    "there is no sample {name}.": "没有名为 {name} 的样例。",
    "The samples are: {names}.": "现有样例：{names}。",
    # windows
    "a window of {context} + {horizon} candles with its cutoff at row {row} needs rows {first}..{last}; {symbol} has "
    "{n}.": "一个 {context} + {horizon} 根K线、截止于第 {row} 行的窗口需要第 {first} 至 {last} 行；{symbol} 只有 {n} "
    "行。",
    "Move the cutoff, load more history, or shorten the context or the horizon.": "请移动截止位置、加载更多历史，或缩"
    "短上下文或预测步数。",
    "the context must be {least} to {most} candles; got {n}.": "上下文必须为 {least} 至 {most} 根K线；现为 {n}。",
    "the horizon must be 1 to {most} steps; got {n}.": "预测步数必须为 1 至 {most}；现为 {n}。",
    "Choose a length within these bounds.": "请选择此范围内的长度。",
    "Choose a horizon within these bounds.": "请选择此范围内的步数。",
    "a context of {context} candles is wanted; {symbol} has {n}.": "需要 {context} 根K线作为上下文；{symbol} 只有 "
    "{n} 根。",
    "a context of {context} candles before the last {back} is wanted; {symbol} has {n}.": "需要最后 {back} 根之前的 "
    "{context} 根K线作为上下文；{symbol} 只有 {n} 根。",
    "Load more history, or shorten the context.": "请加载更多历史，或缩短上下文。",
    "Load more history.": "请加载更多历史。",
    "the series “{symbol}” has {n} candles; the context is set to {context}.": "序列“{symbol}”有 {n} 根K线；上下文设"
    "为 {context}。",
    "Shorten the context in the sidebar, or load a longer history.": "请在侧栏中缩短上下文，或加载更长的历史。",
    "a baseline needs a context of at least 2 candles; got 1.": "基准至少需要 2 根K线的上下文；现为 1 根。",
    "Lengthen the context.": "请加长上下文。",
    # candles
    "candles need the columns {wanted}; missing: {missing}.": "K线需要这些列：{wanted}；缺少：{missing}。",
    "a price is missing or not a finite number in {rows}.": "{rows}的价格缺失或不是有限的数。",
    "a price is zero or negative in {rows}.": "{rows}的价格为零或负数。",
    "the high is below the low in {rows}.": "{rows}的最高价低于最低价。",
    "the high is below the open or the close in {rows}.": "{rows}的最高价低于开盘价或收盘价。",
    "the low is above the open or the close in {rows}.": "{rows}的最低价高于开盘价或收盘价。",
    "the {name} is negative or not a finite number in {rows}.": "{rows}的{name}为负数或不是有限的数。",
    "row {row}": "第 {row} 行",
    "rows {rows}": "第 {rows} 行",
    "Correct or remove these rows; the file was not changed.": "请更正或删除这些行；文件没有被改动。",
    "an interval needs at least 2 candles; got {n}.": "确定周期至少需要 2 根K线；现为 {n} 根。",
    "candles need an index of UTC bar times; got {came}.": "K线的索引必须是 UTC 时间；得到的是 {came}。",
    "a bar time is missing.": "有一根K线缺少时间。",
    "bar times must increase from row to row; row {row} ({time}) does not.": "K线时间必须逐行递增；第 {row} 行（"
    "{time}）不符。",
    "candles need an interval of more than nothing; got {came}.": "K线周期必须大于零；得到的是 {came}。",
    "the session clock {name} is not the name of a time zone.": "交易时区 {name} 不是有效的时区名称。",
    "Use a name such as America/New_York, Asia/Shanghai or UTC.": "请使用 America/New_York、Asia/Shanghai 或 UTC 这样"
    "的名称。",
    # resampling
    "the interval {text} cannot be read.": "无法识别周期 {text}。",
    "Write 5m, 4h, 1d, 1w, or 1M for a month.": "请写成 5m、4h、1d、1w，月线写 1M。",
    "candles of {have} cannot be made into {want}: {refusal}.": "{have} K线无法合并为 {want}：{refusal}。",
    "months are made of days or of shorter bars": "月线由日线或更短的K线合成",
    "it is no multiple": "不是整数倍",
    "beyond a day, only a week and a month are bars of their own": "超过一天的只支持周线和月线",
    "a day is no multiple of it": "一天不是它的整数倍",
    "Choose one of {names}.": "请从中选择：{names}。",
    "Choose one of no other interval.": "没有其他可选的周期。",
    "{n} candles of {have} hold no whole bar of {want}.": "{n} 根 {have} K线不足以合成一根完整的 {want} K线。",
    "Load more history, or choose a finer interval.": "请加载更多历史，或选择更短的周期。",
    "{n1} candles of {have} were resampled to {n2} of {want} ({calendar}).": "{n1} 根 {have} K线已重采样为 {n2} 根 "
    "{want} K线（{calendar}）。",
    "The first bar ({time}) was left out: {n} of its candles come before the first one.": "第一根K线（{time}）已舍去"
    "：其中 {n} 根在序列开始之前。",
    "The last bar ({time}) was left out: {n} of its candles are not there yet.": "最后一根K线（{time}）已舍去：其中 "
    "{n} 根尚未出现。",
    "The session clock is now {zone}; the bar times are the same instants.": "交易时区现为 {zone}；K线所代表的时刻不"
    "变。",
    # the session
    "a session holds {n} series at most.": "一次会话最多保存 {n} 个序列。",
    "Remove one first.": "请先移除一个。",
    "a session holds {n1} candles at most; with {title} it would be {n2}.": "一次会话最多保存 {n1} 根K线；加上"
    "“{title}”将达到 {n2} 根。",
    "{n1} files are read at once; {n2} were not.": "一次最多读取 {n1} 个文件；有 {n2} 个没有读取。",
    "too many forecasts are waiting already.": "等待中的预测已经太多。",
    "Try again in a minute.": "请一分钟后再试。",
    "cancelled before it began.": "在开始之前已取消。",
    "cancelled before the first step.": "在第一步之前已取消。",
    # links
    "Choose one of the samples on this page.": "请选择本页上的一个样例。",
    "there is no feed {name}.": "没有名为 {name} 的数据源。",
    "The feeds are {names}.": "现有数据源：{names}。",
    "this page fetches at most {n1} candles at once; up to {n2} were asked for.": "本页一次最多获取 {n1} 根K线；请求"
    "的多达 {n2} 根。",
    "Ask for fewer, for a shorter span or for a longer interval. The command fetch has no such limit.": "请减少数量、"
    "缩短范围或使用更长的周期。命令 fetch 没有此限制。",
    "the {name} in this link is no {kind}.": "此链接中的 {name} 无效。",
    "Choose the candles on this page instead.": "请改为在本页选择K线。",
    "this link names no symbol.": "此链接没有写明代码。",
    "the {name} in this link is not a time.": "此链接中的 {name} 不是有效时间。",
    "Write it as in 2024-01-31T09:30Z.": "请写成 2024-01-31T09:30Z 的形式。",
    "the number of candles must be 1 to {most}.": "K线数量必须为 1 至 {most}。",
    "Write it in digits, as in 1000.": "请用数字书写，例如 1000。",
    # settings
    "{name} must be a whole number of at least 1; got {came}.": "{name} 必须是不小于 1 的整数；得到的是 {came}。",
    "model must name a checkpoint; got an empty text.": "model 必须指明一个检查点；得到的是空文本。",
    "feed_gateway must start with http:// or https://; got {came}.": "feed_gateway 必须以 http:// 或 https:// 开头；"
    "得到的是 {came}。",
    "min_context ({least}) must not exceed max_context ({most}).": "min_context（{least}）不得大于 max_context（"
    "{most}）。",
    "{name} must be a whole number; got {came}.": "{name} 必须是整数；得到的是 {came}。",
    "Correct or unset the variable.": "请更正或取消该环境变量。",
    "the type must be one of {names}; got {came}.": "数值类型必须是 {names} 之一；得到的是 {came}。",
    "Leave it out for float32.": "不填则为 float32。",
    "the device {name} is not on this machine; it has: {names}.": "这台机器上没有设备 {name}；可用的有：{names}。",
    "Leave the device out to take the best there is.": "不填则使用最好的可用设备。",
    "coverages are fractions between 0 and 1, at least one; got {came}.": "覆盖率必须是 0 与 1 之间的小数，至少一个；"
    "得到的是 {came}。",
    "0 to {most} paths can be drawn; got {came}.": "可以绘制 0 至 {most} 条路径；得到的是 {came}。",
    "a chart is 200 to 2,000 pixels high; got {came}.": "图表高度为 200 至 2,000 像素；得到的是 {came}。",
    "1 to {most} forecasts can stand side by side; got {came}.": "可以并排显示 1 至 {most} 个预测；得到的是 {came}。",
    "the colours must be one of {names}; got {came}.": "配色必须是 {names} 之一；得到的是 {came}。",
    # sensitivity
    "a grid has 1 to {most} cells; got {contexts} context lengths times {temperatures} temperatures.": "网格有 1 至 "
    "{most} 个单元；得到的是 {contexts} 个上下文长度乘以 {temperatures} 个温度。",
    "Choose fewer of them.": "请减少选择。",
    "every context length and every temperature may stand in a grid once.": "每个上下文长度和每个温度在网格中只能出现"
    "一次。",
    "context lengths must be 2..{most}, which is what the window holds; got {came}.": "上下文长度必须为 2 至 {most}（"
    "窗口所含的数量）；得到的是 {came}。",
    "Start from a window with a longer context.": "请从上下文更长的窗口开始。",
    "a cell has at most {most} paths; got {came}.": "每个单元最多 {most} 条路径；得到的是 {came}。",
    # questions
    "a level must be a price above zero; got {came}.": "价位必须是大于零的价格；得到的是 {came}。",
    "the level {price} is the last close itself, where every path begins.": "价位 {price} 正是最新收盘价，也就是每条"
    "路径的起点。",
    "Choose a level above or below it.": "请选择高于或低于它的价位。",
    "a horizon step must be 1..{most}; got {came}.": "预测步必须为 1 至 {most}；得到的是 {came}。",
    "the level of a value at risk must be above 0.5 and below 1, as 0.95 is; got {came}.": "风险价值的置信水平必须大"
    "于 0.5 且小于 1，例如 0.95；得到的是 {came}。",
    "stop and target must lie on either side of the last close, {last}; got {stop} and {target}.": "止损和目标必须位"
    "于最新收盘价 {last} 的两侧；得到的是 {stop} 和 {target}。",
    "For a long trade the stop lies below and the target above; for a short one the other way round.": "做多时止损在"
    "下、目标在上；做空时相反。",
    "cost must be a fraction of the entry price, 0 to below 1; got {came}.": "成本必须是入场价的一个比例，从 0 到小于"
    " 1；得到的是 {came}。",
    "the recent past must be 1..{most} bars (the context less one); got {came}.": "近期长度必须为 1 至 {most} 根K线（"
    "上下文减一）；得到的是 {came}。",
    "paths and the last close must hold finite prices above zero.": "路径和最新收盘价必须是大于零的有限价格。",
    # records and files of forecasts
    "the run record is not JSON: {error}.": "运行记录不是有效的 JSON：{error}。",
    "a run record is an object with fields; got {came}.": "运行记录应是带字段的对象；得到的是 {came}。",
    "{name} of a run record must be {wanted}; got {came}.": "运行记录的 {name} 必须是 {wanted}；得到的是 {came}。",
    "the sampling of the run record cannot be used: {error}": "无法使用运行记录中的采样设置：{error}",
    "the sampling of a run record has the fields {names}.": "运行记录的采样设置应有这些字段：{names}。",
    "the fields of the run record are not those of version {version}; {told}.": "运行记录的字段与版本 {version} 不符"
    "；{told}。",
    "the run record was changed after it was written: its checksum is {right}, and {wrong} stands in it.": "运行记录"
    "在写出之后被改动过：校验和应为 {right}，其中写的是 {wrong}。",
    "Take the file as it was saved. For a forecast with other settings, name them as options instead.": "请使用保存时"
    "的原文件。若要用其他设置预测，请改为以选项指定。",
    "Take the file as it was saved.": "请使用保存时的原文件。",
    "a run record has a field record_version; there is none.": "运行记录应有字段 record_version；此处没有。",
    "the run record is of version {came}; this program reads version {version}.": "运行记录的版本是 {came}；本程序读"
    "取的是版本 {version}。",
    "Read it with the release that wrote it, or make the forecast again.": "请用写出它的版本来读取，或重新预测。",
    "the run record has the clock {name}, which is not known.": "运行记录中的时区 {name} 无法识别。",
    "cutoff and future of a run record must be times with a zone: {error}.": "运行记录的截止时间和未来时间必须带时区"
    "：{error}。",
    "cutoff and future of a run record must be times with a zone, each after the last.": "运行记录的截止时间和未来时"
    "间必须带时区，且逐个递增。",
    "the run record has a context of {context}, a horizon of {horizon} and {n} bar times; they do not belong "
    "together.": "运行记录的上下文为 {context}、预测步数为 {horizon}，却有 {n} 个时间；三者不相符。",
    "the file must be of the format {format}; got {came}.": "文件格式必须是 {format}；得到的是 {came}。",
    "the file must hold candles with a context and a truth (or null).": "文件必须含有K线的上下文和实际走势（或 null）"
    "。",
    "the record was made from candles with the fingerprint {right}; those in the file have {wrong}. They were "
    "changed after they were written.": "该记录来自指纹为 {right} 的K线；文件中的指纹是 {wrong}。它们在写出之后被改动"
    "过。",
    "the truth in the file does not stand at the bar times of the record.": "文件中的实际走势与记录的K线时间不一致。",
    "the candles in the file cannot be read: {error}": "无法读取文件中的K线：{error}",
    "the paths in the file cannot be read: {error}.": "无法读取文件中的路径：{error}。",
    "there is no line '# record:' on top of the file.": "文件开头没有 '# record:' 一行。",
    "Choose a file as it was exported.": "请选择导出时的原文件。",
    "the file {name} holds no forecast that can be read: {error}.": "文件 {name} 中没有可读取的预测：{error}。",
    "the file {name} cannot be written: {error}.": "无法写入文件 {name}：{error}。",
    "Choose a folder that exists and may be written to.": "请选择一个存在且可写的文件夹。",
    # words and counts that stand inside other sentences
    "open": "开盘价",
    "high": "最高价",
    "low": "最低价",
    "close": "收盘价",
    "volume": "成交量",
    "amount": "成交额",
    "{n} row": "{n} 行",
    "{n} rows": "{n} 行",
    "{n} candle": "{n} 根K线",
    "{n} candles": "{n} 根K线",
    "{n} bar": "{n} 根K线",
    "{n} bars": "{n} 根K线",
    "{n} interval": "{n} 个周期",
    "{n} intervals": "{n} 个周期",
}
