"""简体中文: a forecast as files, the command that makes it again, and exported files opened again."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["TAKE"]

TAKE: Mapping[str, str] = {
    "**Take it along**": "**带走**",
    "Every file names model, checkpoint, seed, window and versions. No cell can become a formula of a "
    "spreadsheet.": "每个文件都写明模型、检查点、种子、窗口和版本。任何单元格都不会变成电子表格的公式。",
    "What came is not in the files as long as it is hidden.": "只要实际走势仍然隐藏，文件中就不会包含它。",
    "Forecast (CSV)": "预测（CSV）",
    "A row per step: one real path near the middle, the median and quantiles of close, high and low.": "每步一行：靠"
    "近中间的一条真实路径，以及收盘、最高、最低价的中位数和分位数。",
    "All paths (CSV)": "全部路径（CSV）",
    "A row per path and step, {rows} rows.": "每条路径每步一行，共 {rows} 行。",
    "Too large as text: take Parquet instead.": "作为文本太大：请改用 Parquet。",
    "All paths (Parquet)": "全部路径（Parquet）",
    "The same, exact and small, for pandas and others.": "内容相同，精确而小巧，供 pandas 等使用。",
    "Run file (JSON)": "运行文件（JSON）",
    "Settings, seed, model and candles: all that is needed to make the same numbers again.": "设置、种子、模型和K线："
    "重新得到相同数字所需的一切。",
    "Report (HTML)": "报告（HTML）",
    "One page with the chart, the figures and the limits, to read or send; it needs no network.": "一页含有图表、数字"
    "和局限的报告，可供阅读或发送；无需网络。",
    "**Make it again**": "**重新生成**",
    "With the run file in the current folder, this makes the same numbers to the last digit:": "将运行文件放在当前文"
    "件夹，以下命令会得到完全相同的数字：",
    "**Open an exported forecast again**": "**重新打开导出的预测**",
    "An exported file": "导出的文件",
    "CSV, Parquet, JSON or HTML as it was saved here. It stays on this computer.": "在这里保存的 CSV、"
    "Parquet、JSON 或 HTML。文件只留在这台电脑上。",
    "The forecast in the file": "文件中的预测",
    "How it was made": "生成方式",
    "It stands among the forecasts of this session, under Side by side.": "它已列入本次会话的预测，可在“并排”中查看。",
    "The file has no candles, and this session does not hold them: the fan stands alone.": "文件中没有K线，本次会话也"
    "没有：只显示扇形。",
    "The file has quantiles and no paths: the fan stands alone.": "文件中有分位数而没有路径：只显示扇形。",
    "The file has the candles and all settings, not the paths; this command makes them again:": "文件中有K线和全部设"
    "置，没有路径；以下命令可重新生成路径：",
    "The file has the settings alone; the candles are those of this session.": "文件中只有设置；K线来自本次会话。",
    "The file has the settings alone: neither candles nor paths.": "文件中只有设置：没有K线，也没有路径。",
    # facts
    "Source": "来源",
    "Checkpoint": "检查点",
    "Made": "生成时间",
    "{count} candles up to {time}": "截至 {time} 的 {count} 根K线",
    "{count} bars up to {time}": "截至 {time} 的 {count} 根",
    "temperature {heat}, top-p {top_p}, top-k {top_k}, min-p {min_p}, {begin}": "温度 {heat}，top-p {top_p}，top-k "
    "{top_k}，min-p {min_p}，{begin}",
    "not named": "未写明",
    "not known": "未知",
}
