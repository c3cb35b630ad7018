"""简体中文: what the importers assume, change and refuse."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FILES"]

FILES: Mapping[str, str] = {
    # refusals that many kinds of file share
    "the file {file} cannot be opened: {error}.": "无法打开文件 {file}：{error}。",
    "there is no file {file}.": "没有文件 {file}。",
    "Check the path.": "请检查路径。",
    "Check path and permissions.": "请检查路径和权限。",
    "the file {file} holds no candles.": "文件 {file} 中没有K线。",
    "the file {file} is larger than the limit of {n} MB.": "文件 {file} 超过 {n} MB 的上限。",
    "the file {file} unpacks to more than {n} MB.": "文件 {file} 解压后超过 {n} MB。",
    "Cut the file, or raise KRONOS_DASHBOARD_MAX_UPLOAD_MB.": "请截短文件，或提高 KRONOS_DASHBOARD_MAX_UPLOAD_MB。",
    "the file {file} has more than {n} rows.": "文件 {file} 超过 {n} 行。",
    "Cut the file.": "请截短文件。",
    "Cut it.": "请截短它。",
    "Correct it.": "请更正。",
    "Export it again.": "请重新导出。",
    "Export the candles again.": "请重新导出K线。",
    "Export the candles as CSV.": "请将K线导出为 CSV。",
    "Export the candles as CSV in UTF-8.": "请将K线导出为 UTF-8 编码的 CSV。",
    "Export the candles as CSV, JSON or Parquet.": "请将K线导出为 CSV、JSON 或 Parquet。",
    "Export plain candles.": "请导出普通的K线。",
    "Export fewer columns, with a header.": "请导出较少的列，并带表头。",
    "Save it again.": "请重新保存。",
    "Save it again, or export the sheet as CSV.": "请重新保存，或将工作表导出为 CSV。",
    "Save time and prices as plain columns.": "请将时间和价格保存为普通列。",
    "Download it again.": "请重新下载。",
    "Unpack it first.": "请先解压。",
    # archives and kinds of files
    "the file {file} is {kind}.": "文件 {file} 是{kind}。",
    "a PDF": " PDF",
    "an HDF5 store": " HDF5 存储",
    "an SQLite database": " SQLite 数据库",
    "a 7z archive": " 7z 压缩包",
    "a RAR archive": " RAR 压缩包",
    "a picture": "图片",
    "a NumPy array": " NumPy 数组",
    "a Python pickle, which is never opened": " Python pickle，此类文件绝不会被打开",
    "Save it as .xlsx or CSV.": "请另存为 .xlsx 或 CSV。",
    "a Zstandard file": " Zstandard 文件",
    "the file {file} is compressed over and over.": "文件 {file} 被反复压缩。",
    "the file {file} is an archive inside an archive.": "文件 {file} 是压缩包中的压缩包。",
    "the file {file} is damaged: it cannot be unpacked as {kind}.": "文件 {file} 已损坏：无法按 {kind} 解压。",
    "the archive {file} is damaged: {error}.": "压缩包 {file} 已损坏：{error}。",
    "the archive {file} holds {n} files.": "压缩包 {file} 中有 {n} 个文件。",
    "Pack at most {n}.": "最多打包 {n} 个。",
    "the archive {file} holds no files.": "压缩包 {file} 中没有文件。",
    "Pack the file with the candles.": "请把含有K线的文件打包。",
    "the file {name} in {file} is encrypted or packed in an unknown way.": "{file} 中的文件 {name} 已加密，或压缩方式"
    "未知。",
    "the file {file} is not a text file.": "文件 {file} 不是文本文件。",
    "The text was read as {name}.": "文本按 {name} 编码读取。",
    # tables
    "the file {file} cannot be read as CSV: it is empty.": "无法将文件 {file} 读作 CSV：文件是空的。",
    "the file {file} cannot be read as CSV: {error}.": "无法将文件 {file} 读作 CSV：{error}。",
    "the file {file} holds no rows of numbers; it begins with {first}.": "文件 {file} 中没有数字行；它的开头是 "
    "{first}。",
    "the file {file} holds no rows of numbers but in comments.": "文件 {file} 的数字行只在注释中。",
    "the file {file} has {n} columns.": "文件 {file} 有 {n} 列。",
    "the file {file} has 0 rows of candles; at least 2 are needed.": "文件 {file} 有 0 行K线；至少需要 2 行。",
    "the file {file} has no plain columns.": "文件 {file} 没有普通列。",
    "the {kind} file {file} cannot be read: {error}.": "无法读取 {kind} 文件 {file}：{error}。",
    "the Feather file {file} is damaged.": "Feather 文件 {file} 已损坏。",
    "the workbook {file} cannot be read: {error}.": "无法读取工作簿 {file}：{error}。",
    "the workbook {file} has more than {n} rows, or too many cells.": "工作簿 {file} 超过 {n} 行，或单元格太多。",
    "the workbook {file} has no sheet with rows of numbers.": "工作簿 {file} 中没有含数字行的工作表。",
    "the file {file} is a web page without a table of candles, not an export.": "文件 {file} 是一个没有K线表格的网页"
    "，而不是导出文件。",
    "Use the site's download button, and look at what the page says (often it wants a login).": "请使用网站的下载按钮"
    "，并查看网页的内容（通常是要求登录）。",
    "the file {file} is JSON, but holds no list of candles.": "文件 {file} 是 JSON，但其中没有K线列表。",
    "the file {file} is JSON, but holds no list of candles; it says {text}.": "文件 {file} 是 JSON，但其中没有K线列表"
    "；它的内容是 {text}。",
    "It must hold a list of objects, a list of lists, or one list per column.": "它必须含有对象列表、列表的列表，或每"
    "列一个列表。",
    "the file {file} is nested too deep.": "文件 {file} 嵌套过深。",
    "the file {file} is no valid JSON: {error}.": "文件 {file} 不是有效的 JSON：{error}。",
    # columns
    "the file {file} lacks the column {wanted}; it has {has}.": "文件 {file} 缺少列 {wanted}；它有 {has}。",
    "the file {file} lacks the columns {wanted}; it has {has}.": "文件 {file} 缺少列 {wanted}；它有 {has}。",
    "the file {file} lacks the column time (or date, timestamp): no column holds dates.": "文件 {file} 缺少时间列（"
    "time、date 或 timestamp）：没有一列含有日期。",
    "the file {file} lacks the column time (or date, timestamp): no column holds dates; it has {has}.": "文件 {file} "
    "缺少时间列（time、date 或 timestamp）：没有一列含有日期；它有 {has}。",
    "A file must have a time column and open, high, low and close; volume and amount are optional.": "文件必须有时间"
    "列和开、高、低、收；成交量和成交额可选。",
    "A line of prices is not enough.": "只有一列价格是不够的。",
    "the file {file} has one price per row, and no open, high and low.": "文件 {file} 每行只有一个价格，没有开盘、最"
    "高和最低。",
    "the file {file} has two columns called {name} that differ: {numbers}.": "文件 {file} 有两个名为 {name} 但内容不"
    "同的列：{numbers}。",
    "Remove or rename one of them, or say which it is, as in --column {example}.": "请删除或重命名其中一列，或用 "
    "--column {example} 指明。",
    "the file {file} has no column {column} for {name}; it has {has}.": "文件 {file} 没有可用作{name}的列 {column}；"
    "它有 {has}。",
    "there is no field {name}.": "没有字段 {name}。",
    "The fields are {names}.": "现有字段：{names}。",
    "the price scale must be a number above 0; got {came}.": "价格比例必须是大于 0 的数；得到的是 {came}。",
    "the interval {text} is none.": "{text} 不是周期。",
    "Write 1m, 5m, 1h, 1d or 1w.": "请写 1m、5m、1h、1d 或 1w。",
    "No column is called {name}; {taken} was taken for it, because its values fit.": "没有名为{name}的列；因数值相符"
    "，采用了 {taken}。",
    "{taken} was taken for the {name} instead of {other}, because it lies between high and low.": "{name}采用了 "
    "{taken} 而不是 {other}，因为它位于最高价与最低价之间。",
    "High and low as named are not the highest and the lowest price; the columns were told by their values.": "名为最"
    "高价和最低价的列并不是最高和最低的价格；已按数值辨认各列。",
    "There are two sets of four prices (bid and ask?); the first was taken.": "有两组四个价格（买价和卖价？）；采用了"
    "第一组。",
    "The names in the header are not known; by the values, {places}.": "无法识别表头中的名称；按数值判断：{places}。",
    "There is no header; by the values, {places}.": "没有表头；按数值判断：{places}。",
    "The names in the header are not known, and the values do not tell open from close for certain; {places} was "
    "assumed.": "无法识别表头中的名称，数值也不足以确定开盘与收盘；假定为：{places}。",
    "There is no header, and the values do not tell open from close for certain; {places} was assumed.": "没有表头，"
    "数值也不足以确定开盘与收盘；假定为：{places}。",
    "open is column {n1}, high is column {n2}, low is column {n3}, close is column {n4}": "开盘第 {n1} 列、最高第 "
    "{n2} 列、最低第 {n3} 列、收盘第 {n4} 列",
    "the file {file} has no header, and no four neighbouring columns look like open, high, low and close.": "文件 "
    "{file} 没有表头，也没有四个相邻的列像开、高、低、收。",
    "Add a header line that names the columns, or name them with --column open=2.": "请加上写明列名的表头，或用 "
    "--column open=2 指明。",
    # times
    "the times of {file} cannot be read: column {column} begins with {first}.": "无法读取 {file} 的时间：列 {column} "
    "的开头是 {first}。",
    "most of the times cannot be read; the first is {first}.": "大部分时间无法读取；第一个是 {first}。",
    "Write times as 2024-01-31 09:30, or as seconds or milliseconds since 1970.": "请将时间写成 2024-01-31 09:30，或 "
    "1970 年以来的秒或毫秒数。",
    "all times lie beyond the years {first} to {last}.": "所有时间都在 {first} 至 {last} 年之外。",
    "Check the time column; numbers are read as seconds to nanoseconds since 1970, by their size.": "请检查时间列；数"
    "字会按大小读作 1970 年以来的秒至纳秒。",
    "the times cannot be read alike: some name their zone or offset from UTC, others (rows {rows}) do not.": "时间的"
    "写法不一致：有些标明了时区或与 UTC 的偏移，其他的（第 {rows} 行）没有。",
    "Write all of them with an offset from UTC, or all without.": "请全部带上与 UTC 的偏移，或全部不带。",
    "the times cannot all stand on the clock of {zone}: {error}": "这些时间无法全部落在 {zone} 的时钟上：{error}",
    "Choose the zone of the file; UTC keeps the hours as they are.": "请选择文件的时区；UTC 会保持钟点不变。",
    "the text {text} is not the name of a time zone.": "{text} 不是时区名称。",
    "The file names its time zone: {zone}.": "文件写明了时区：{zone}。",
    "The times carry no zone; their hours are kept as they are written. Name the zone if it matters.": "时间没有标明"
    "时区；钟点按原样保留。如有影响，请指明时区。",
    "The times carry their offset from UTC; they are shown on the clock of UTC.": "时间带有与 UTC 的偏移；以 UTC 显示"
    "。",
    "The times carry their offset from UTC; they are shown on the clock of {zone}, which has these offsets.": "时间带"
    "有与 UTC 的偏移；以具有这些偏移的 {zone} 显示。",
    "{n} times come twice when clocks are set back; the first was assumed.": "时钟回拨时有 {n} 个时间出现两次；假定为"
    "第一次。",
    "{n} time come twice when clocks are set back; the first was assumed.": "时钟回拨时有 {n} 个时间出现两次；假定为"
    "第一次。",
    "The times are numbers, read as {unit} since 1970 (UTC).": "时间是数字，读作 1970 年以来的{unit}（UTC）。",
    "The times are numbers in different units, read as {unit} since 1970.": "时间是单位不一的数字，读作 1970 年以来的"
    "{unit}。",
    "seconds": "秒",
    "milliseconds": "毫秒",
    "microseconds": "微秒",
    "nanoseconds": "纳秒",
    "The times are numbers, read as days since {day}.": "时间是数字，读作{day}以来的天数。",
    "30 December 1899, as spreadsheets count": " 1899 年 12 月 30 日（按电子表格的方式）",
    "the year 0, as MATLAB counts": "公元 0 年（按 MATLAB 的方式）",
    "4713 BC, as Julian days count": "公元前 4713 年（按儒略日的方式）",
    "1 January 1970": " 1970 年 1 月 1 日",
    "The years have two digits; {short} was read as {year}.": "年份只有两位；{short} 读作 {year}。",
    "There is no row between {day} and {other}; if there should be some, the dates were misread.": "{day} 与 {other} 之"
    "间没有任何行；如果本应有，则日期被误读。",
    "{count} of over {n} times the one before, or under 1 in {m}: decimals or units may change.": "{count}超过前一"
    "行的 {n} 倍，或不足其 {m} 分之一：小数点或单位可能中途改变。",
    "No column is called volume; {name} was taken for it, because its numbers are shortened.": "没有名为成交量的列；因"
    "为 {name} 的数字是缩写，所以采用了它。",
    "Most rows count intervals of {n} seconds since the last row with a time.": "多数行以 {n} 秒为间隔，从上一个有时间"
    "的行算起。",
    "Most rows count intervals since the last row with a time; a minute each was assumed.": "多数行从上一个有时间的行"
    "算起；假定间隔为一分钟。",
    "The rows tell the time of day alone; the day, {day}, was taken from the name of the file.": "各行只有钟点；日期 "
    "{day} 取自文件名。",
    "The dates were read {order}; the other order does not fit all rows.": "日期按{order}读取；另一种顺序不适合所有的"
    "行。",
    "The dates could be read {orders}; {order} was assumed.": "日期可以按{orders}读取；假定为{order}。",
    "day first": "日在前",
    "month first": "月在前",
    "year first": "年在前",
    "day first or month first": "日在前或月在前",
    "day first or year first": "日在前或年在前",
    "month first or year first": "月在前或年在前",
    "The years were read as those of the Republic of China: 113 is 2024.": "年份按民国纪年读取：113 即 2024 年。",
    "The years were read as those of the Buddhist era: 2567 is 2024.": "年份按佛历读取：2567 即 2024 年。",
    "The dates were read as years of two digits, months and days: {first} is {day}.": "日期按两位年份、月、日读取："
    "{first} 即 {day}。",
    "The stamps are the closes of their bars: the first of a session stands one interval after its open, the last at "
    "its close.": "时间是K线的收盘时间：时段内的第一根在开市后一个周期，最后一根在收市时。",
    # exported forecasts
    "the file {file} is a forecast that this app exported ({kind}), and no history of candles.": "文件 {file} 是本应"
    "用导出的预测（{kind}），而不是K线历史。",
    "all its paths": "全部路径",
    "its steps": "逐步数据",
    "its settings": "设置",
    "its settings and candles": "设置和K线",
    "a report": "报告",
    "a table": "表格",
    "Open it on the Forecast page, under Files; {command} makes its numbers again.": "请在预测页面的“文件”中打开；"
    "{command} 可重新得到相同数字。",
    "The lines that say how it was made are gone. Take the file as it was saved.": "其中说明生成方式的行已丢失。请使用"
    "保存时的原文件。",
    # rows
    "the file {file} has {count} of candles; at least 2 are needed.": "文件 {file} 有 {count}K线；至少需要 2 行。",
    "the file {file} has no two usable candles in {count}: {why}": "文件 {file} 的 {count}中没有两根可用的K线：{why}",
    "the file {file} has no two usable candles in {count}:": "文件 {file} 的 {count}中没有两根可用的K线：",
    "{n1} of {n2} rows in {file} have the same time as another row, but other values.": "{file} 的 {n2} 行中有 {n1} "
    "行与其他行时间相同而数值不同。",
    "Split the file if it holds several instruments; if it is intraday, its time of day is missing.": "如果文件含有多"
    "个品种，请拆分；如果是日内数据，则缺少钟点。",
    "{count} with neither time nor prices dropped.": "舍去既无时间也无价格的 {count}。",
    "{count} whose time cannot be read dropped.": "舍去时间无法读取的 {count}。",
    "{count} in which a price is missing or not a finite number dropped.": "舍去价格缺失或不是有限数的 {count}。",
    "{count} in which a price is zero or negative dropped.": "舍去价格为零或负数的 {count}。",
    "{count} in which the high is below or the low above another price dropped.": "舍去最高价低于、或最低价高于其他价"
    "格的 {count}。",
    "The {name} column holds nothing but zeros or blanks; it is taken as absent.": "{name}列全是零或空白；视为没有。",
    "{n} blank cells in the {name} column set to 0.": "{name}列的 {n} 个空白单元格设为 0。",
    "{n} blank cell in the {name} column set to 0.": "{name}列的 {n} 个空白单元格设为 0。",
    "{n} negative numbers in the {name} column set to 0.": "{name}列的 {n} 个负数设为 0。",
    "{n} negative number in the {name} column set to 0.": "{name}列的 {n} 个负数设为 0。",
    "{n1} lines without the {n2} fields of the table left out, such as {example}.": "舍去 {n1} 行不具备表格 {n2} 个字"
    "段的内容，例如 {example}。",
    "{n1} line without the {n2} fields of the table left out, such as {example}.": "舍去 {n1} 行不具备表格 {n2} 个字"
    "段的内容，例如 {example}。",
    "{n} exact duplicates dropped.": "舍去 {n} 个完全重复的行。",
    "{n} exact duplicate dropped.": "舍去 {n} 个完全重复的行。",
    "{count} dropped: another row of that time has the bar in full.": "舍去 {count}：同一时间的另一行含有完整的K线。",
    "{count} with the time of another, but other values, dropped; the first was kept.": "舍去时间相同而数值不同的 "
    "{count}；保留第一行。",
    "The rows are newest first; sorted, oldest first.": "各行从新到旧；已改为从旧到新。",
    "The rows are not in order of time; sorted, oldest first.": "各行没有按时间排列；已改为从旧到新。",
    "The rows are uneven: {text}": "各行间隔不均：{text}",
    "The commonest step between rows is {usual}; {interval} was asked for.": "各行之间最常见的间隔是 {usual}；要求的"
    "是 {interval}。",
    "{share} of the steps between rows are no whole number of {interval}.": "{share} 的行间隔不是 {interval} 的整数倍"
    "。",
    "{n} candles at {interval}, no gaps.": "{n} 根 {interval} K线，没有缺口。",
    "{n1} candles at {interval}, {n2} pauses (closed hours or missing bars, {count} in all).": "{n1} 根 {interval} K"
    "线，{n2} 处停顿（休市或缺失K线，共 {count}）。",
    "{n1} candles at {interval}, {n2} pause (closed hours or missing bars, {count} in all).": "{n1} 根 {interval} K线"
    "，{n2} 处停顿（休市或缺失K线，共 {count}）。",
    "{count} of text in the {name} column, such as {example}, taken as blank.": "{name}列中有 {count}文本，例如 "
    "{example}，视为空白。",
    "{n} cells": "{n} 个单元格的",
    "{n} cell": "{n} 个单元格的",
    "All prices are whole numbers in steps of 100, without a header: taken as ten thousandths and divided.": "所有价"
    "格都是以 100 为步长的整数，且没有表头：视为万分之一并已换算。",
    "A price scale of 1 keeps them.": "将价格比例设为 1 可保持原值。",
    "The prices are whole numbers above a billion, kept as they are; if they count parts of a unit, say the price "
    "scale, such as {scale}.": "价格是十亿以上的整数，按原样保留；如果它们是以小单位计数，请指明价格比例，例如 "
    "{scale}。",
    "Prices divided by {scale}, as asked for.": "已按要求将价格除以 {scale}。",
    # several things in one file
    "There are {n} instruments; {taken} was taken. The others are: {names}.": "有 {n} 个品种；采用了 {taken}。其他的"
    "有：{names}。",
    "There are {n} tables or files; {taken} was taken. The others are: {names}.": "有 {n} 个表或文件；采用了 {taken}"
    "。其他的有：{names}。",
    "There are {n} choices; {taken} was taken. The others are: {names}.": "有 {n} 种选择；采用了 {taken}。其他的有："
    "{names}。",
    "The instrument changes its name ({names}), but no time comes twice; all rows were taken as one series.": "品种的"
    "名称有变化（{names}），但没有重复的时间；所有行视为一个序列。",
    "the file {file} holds {n} instruments with hardly more than one candle each.": "文件 {file} 含有 {n} 个品种，每"
    "个几乎只有一根K线。",
    "A file must hold the history of an instrument, not one day of a market.": "文件必须是某个品种的历史，而不是某个"
    "市场的一天。",
    "the file {file} has no instrument {name}.": "文件 {file} 中没有品种 {name}。",
    "It has {names}.": "它有：{names}。",
    # ticks
    "the file {file} holds ticks (single trades), {n} of them, and no candles.": "文件 {file} 含有 {n} 笔逐笔成交，而"
    "不是K线。",
    "the file {file} holds ticks (single quotes), {n} of them, and no candles.": "文件 {file} 含有 {n} 笔逐笔报价，而"
    "不是K线。",
    "Choose an interval to put them together to, such as {interval}.": "请选择合成的周期，例如 {interval}。",
    "Ticks put together to candles of {interval}.": "已将逐笔数据合成为 {interval} K线。",
    "Ticks put together to candles of {interval}, from mid prices.": "已将逐笔数据按中间价合成为 {interval} K线。",
    "{n} ticks without a time or a price dropped.": "舍去 {n} 笔没有时间或价格的逐笔数据。",
    "{n} tick without a time or a price dropped.": "舍去 {n} 笔没有时间或价格的逐笔数据。",
}
