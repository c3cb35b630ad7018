"""简体中文: calendars and what they say of coming bars; what the doctor finds and mends."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["MARKET"]

MARKET: Mapping[str, str] = {
    # calendars
    "found from the bar times": "根据K线时间自动识别",
    "learned from the file's own bar times": "从文件自身的K线时间学得",
    "around the clock, seven days a week": "全天候，每周七天",
    "currency week (Sunday 17:00 to Friday 17:00 in New York)": "外汇交易周（纽约时间周日 17:00 至周五 17:00）",
    "New York Stock Exchange and Nasdaq": "纽约证券交易所与纳斯达克",
    "Shanghai and Shenzhen": "上海与深圳",
    "Hong Kong": "香港",
    "Tokyo": "东京",
    "London": "伦敦",
    "Frankfurt (Xetra)": "法兰克福（Xetra）",
    "Paris": "巴黎",
    "Mumbai (BSE and NSE)": "孟买（BSE 与 NSE）",
    "Chicago futures (CME)": "芝加哥期货（CME）",
    "Eurex futures": "欧洲期货（Eurex）",
    "Toronto": "多伦多",
    "Sydney": "悉尼",
    "Seoul": "首尔",
    "Taipei": "台北",
    "Singapore": "新加坡",
    "São Paulo (B3)": "圣保罗（B3）",
    "Zurich": "苏黎世",
    "Amsterdam": "阿姆斯特丹",
    "Milan": "米兰",
    "Madrid": "马德里",
    "Brussels": "布鲁塞尔",
    "Lisbon": "里斯本",
    "Stockholm": "斯德哥尔摩",
    "Copenhagen": "哥本哈根",
    "Oslo": "奥斯陆",
    "Helsinki": "赫尔辛基",
    "Vienna": "维也纳",
    "Warsaw": "华沙",
    "Istanbul": "伊斯坦布尔",
    "Johannesburg": "约翰内斯堡",
    "Kuala Lumpur": "吉隆坡",
    "Jakarta": "雅加达",
    "Bangkok": "曼谷",
    "Wellington": "惠灵顿",
    "Mexico City": "墨西哥城",
    "{n1} of its last {n2} bars stand where this calendar has them": "最近 {n2} 根K线中有 {n1} 落在此日历的时间上",
    "the symbol {symbol} points at it": "代码 {symbol} 指向它",
    "the session clock is {zone}": "交易时区是 {zone}",
    "chosen by you; it expects {n} of the bars there are": "由您选择；现有K线中有 {n} 符合它",
    "its stamps read as a broker's clock, {zone} + {n} h": "时间按经纪商时钟读取：{zone} + {n} 小时",
    "its stamps read as {zone} time": "时间按 {zone} 读取",
    "a calendar needs at least 2 candles; got {n}.": "识别日历至少需要 2 根K线；现为 {n} 根。",
    "the bar times of {symbol} follow no daily pattern, so the next ones cannot be told.": "{symbol} 的K线时间没有按"
    "日的规律，因此无法推断之后的时间。",
    "Choose a cutoff in the past (replay), or load candles at a regular interval.": "请把截止位置放在过去（回放），或"
    "加载周期规则的K线。",
    "the calendar {code} gives {n1} bar times after {time}; {n2} are wanted.": "日历 {code} 在 {time} 之后只给出 "
    "{n1} 个K线时间；需要 {n2} 个。",
    "Choose another calendar, or a shorter horizon.": "请选择其他日历，或减少预测步数。",
    "there is no calendar {code}.": "没有日历 {code}。",
    "Use auto, 24/7, fx, learned, or the code of an exchange such as XNYS, XLON, XSHG.": "请使用 auto、24/7、fx、"
    "learned，或交易所代码，例如 XNYS、XLON、XSHG。",
    "the calendar {code} cannot be built.": "无法生成日历 {code}。",
    "Choose another calendar, or learned.": "请选择其他日历，或 learned。",
    "Future bar times go on {name} ({reason}).": "未来的K线时间按“{name}”延续（{reason}）。",
    "Future bar times follow the sessions found in the file: {habit}.": "未来的K线时间遵循文件中发现的交易时段："
    "{habit}。",
    "Holidays are not known.": "节假日未知。",
    "Closed on {days}, as the file is.": "与文件一致，{days} 休市。",
    "Future bar times follow the {name}: {reason}.": "未来的K线时间遵循{name}：{reason}。",
    "Future bar times follow {name} ({code}), holidays and half days included: {reason}.": "未来的K线时间遵循{name}（"
    "{code}），已计入节假日和半日市：{reason}。",
    "Holidays after {day} are not known yet.": "{day} 之后的节假日尚不可知。",
    "the file's own rhythm ({zone})": "文件自身的节奏（{zone}）",
    # what is odd about bar times
    "Missing bars": "缺失K线",
    "{count} expected by the calendar ({name}), {share} of all, are missing, in {places}: {named}. The model takes "
    "the bars beside a gap for neighbours.": "按日历（{name}）应有的K线缺了 {count}，占全部的 {share}，位于 {places}"
    "：{named}。模型会把缺口两侧的K线当作相邻的。",
    "{count} expected by the calendar ({name}), {share} of all, is missing, in {places}: {named}. The model takes "
    "the bars beside a gap for neighbours.": "按日历（{name}）应有的K线缺了 {count}，占全部的 {share}，位于 {places}"
    "：{named}。模型会把缺口两侧的K线当作相邻的。",
    "{count} expected by the calendar ({name}), {share} of all, are missing, in {places}: {named}. The model takes "
    "the bars beside a gap for neighbours. Some may be holidays, which this calendar does not know.": "按日历（{name}"
    "）应有的K线缺了 {count}，占全部的 {share}，位于 {places}：{named}。模型会把缺口两侧的K线当作相邻的。其中有些可能"
    "是节假日，此日历并不知道。",
    "{count} expected by the calendar ({name}), {share} of all, is missing, in {places}: {named}. The model takes "
    "the bars beside a gap for neighbours. Some may be holidays, which this calendar does not know.": "按日历（{name}"
    "）应有的K线缺了 {count}，占全部的 {share}，位于 {places}：{named}。模型会把缺口两侧的K线当作相邻的。其中有些可能"
    "是节假日，此日历并不知道。",
    "one place": "一处",
    "{n} places": "{n} 处",
    "{n} bars from {time}": "从 {time} 起 {n} 根",
    "{n} bar from {time}": "从 {time} 起 {n} 根",
    "Mixed intervals": "周期混杂",
    "{n} candles ({share}) follow the one before sooner than the usual {interval}. The series seems to mix "
    "intervals, or bars that overlap.": "有 {n} 根K线（{share}）与前一根的间隔短于通常的 {interval}。该序列似乎混有不"
    "同周期，或有重叠的K线。",
    "Bars outside the sessions": "交易时段之外的K线",
    "{n1} of the last {n2} candles stand where {name} has no bar. Such stamps may come from another session, or from "
    "a clock that was set wrong.": "最近 {n2} 根K线中有 {n1} 根落在“{name}”没有K线的时间。它们可能来自其他时段，或时"
    "区设置有误。",
    "Candles from the future": "来自未来的K线",
    "The last candle is stamped {time}, after now ({now} UTC). The stamps may stand on another clock than the one "
    "they are read on.": "最后一根K线的时间是 {time}，晚于现在（{now} UTC）。这些时间可能属于另一个时区。",
    "The session clock": "交易时区",
    "The bars suit {name}; its stamps are hours of {zone}. The session clock is {clock}; on it the model reads "
    "minute and hour.": "这些K线符合“{name}”；其时间是 {zone} 的钟点。交易时区是 {clock}，模型按它读取分钟和小时。",
    "The bars suit {name}; its stamps are instants, and {zone} is its clock. The session clock is {clock}; on it the "
    "model reads minute and hour.": "这些K线符合“{name}”；其时间是绝对时刻，它的时区是 {zone}。交易时区是 {clock}，模"
    "型按它读取分钟和小时。",
    "Stamped at the close": "以收盘时间标记",
    "The stamps look like the closes of their bars. They stay as they are: the model knows such files.": "这些时间看"
    "起来是K线的收盘时间。它们保持不变：模型认识这样的文件。",
    "No regular bar times": "没有规则的K线时间",
    "The bar times of {symbol} follow no calendar and no daily pattern: gaps cannot be told, and the next bars "
    "neither. Only replay works.": "{symbol} 的K线时间不符合任何日历，也没有按日的规律：无法判断缺口，也无法推断之后"
    "的K线。只能使用回放。",
    # the end of the series
    "The last bar is still forming": "最后一根K线尚未收盘",
    "The candle of {time} had not closed at {now} UTC: its high, low, close and volume are not final, and the model "
    "would take them for a whole bar.": "{time} 的K线在 {now} UTC 时尚未收盘：最高、最低、收盘和成交量都还会变，而模"
    "型会把它当成完整的K线。",
    "The series ended a while ago": "序列在一段时间前已结束",
    "The last candle is of {time}; {n} bars have opened since. A forecast of the latest window is of a past that "
    "others know; replay is not concerned.": "最后一根K线是 {time}；此后又有 {n} 根K线。对最新窗口的预测是别人已经知"
    "道的过去；回放不受影响。",
    "The last candle is of {time}; more than {n} bars have opened since. A forecast of the latest window is of a "
    "past that others know; replay is not concerned.": "最后一根K线是 {time}；此后又有超过 {n} 根K线。对最新窗口的预"
    "测是别人已经知道的过去；回放不受影响。",
    "The last candle is out of the model's sight": "最后一根K线超出模型的视野",
    "The last candle lies {n1} standard deviations from the mean of the last {n2} candles.": "最后一根K线距最近 {n2} "
    "根的均值 {n1} 个标准差。",
    "The model sees at most {n}: it would begin from another price, and the forecast would jump.": "模型最多看到 {n} "
    "个标准差：它会从另一个价格开始，预测会出现跳跃。",
    "With a context of {n} candles it would be within.": "把上下文设为 {n} 根即可落在视野之内。",
    "Wait for a few more candles, or read the forecast from its first bar on.": "请再等几根K线，或从预测的第一根开始"
    "看。",
    "Few candles": "K线较少",
    "The series has {n1} candles of {interval}: a context of {context} needs {n2} more; shorten it, or load more "
    "history.": "该序列有 {n1} 根 {interval} K线：{context} 的上下文还需 {n2} 根；请缩短上下文，或加载更多历史。",
    "The series has {n1} candles of {interval}: replay with {context} + {horizon} needs {n2} more, or load more "
    "history.": "该序列有 {n1} 根 {interval} K线：以 {context} + {horizon} 回放还需 {n2} 根；也可加载更多历史。",
    # prices and volume
    "Flat stretches": "价格不动的区段",
    "{n1} candles in one stretch stay at one price, the longest for {n3} candles.": "有 {n1} 根K线（一段）停在同一"
    "价格，最长 {n3} 根。",
    "{n1} candles in {n2} stretches stay at one price, the longest for {n3} candles.": "有 {n1} 根K线（{n2} 段）停在"
    "同一价格，最长的一段有 {n3} 根。",
    "They have no volume: perhaps hours without trade were filled.": "它们没有成交量：可能是用来填补无交易的时段。",
    "They make the series look calmer than the market is.": "它们使序列看起来比市场平静。",
    "Repeated candles": "重复的K线",
    "{n} candles are the same as the one before in every column. A market does not do that; the source repeated "
    "itself.": "有 {n} 根K线的每一列都与前一根相同。市场不会如此，是数据源重复了。",
    "Looks like a split": "疑似拆股",
    "Prices change level as they do at a split: {named}. Over such a jump the model sees a crash or a rally that "
    "nobody had.": "价格像拆股那样换了一个水平：{named}。经过这样的跳跃，模型会看到并不存在的暴跌或暴涨。",
    "{many} for 1 at {time}": "{time} 1 拆 {many}",
    "1 for {many} at {time}": "{time} {many} 合 1",
    "Outliers": "异常值",
    "{n} candles leave their neighbours far behind and are not seen again: wrong ticks, or a moment without a "
    "market. One such price widens the scale on which the model sees the whole context.": "有 {n} 根K线远远偏离相邻的"
    "K线，且不再出现：可能是错误报价，或一时没有市场。一个这样的价格就会拉宽模型看待整个上下文的尺度。",
    "{n} candle leaves its neighbours far behind and is not seen again: wrong ticks, or a moment without a market. "
    "One such price widens the scale on which the model sees the whole context.": "有 {n} 根K线远远偏离相邻的K线，且"
    "不再出现：可能是错误报价，或一时没有市场。一个这样的价格就会拉宽模型看待整个上下文的尺度。",
    "Coarse prices": "价格过粗",
    "The smallest step between closes is {step}, {share} of the price: the source rounded it. Returns smaller than "
    "that are lost, and candles look flat or repeated. A source with more decimals helps.": "收盘价之间的最小变动是 "
    "{step}，占价格的 {share}：数据源做了舍入。更小的涨跌会丢失，K线会显得不动或重复。请换用小数位更多的数据源。",
    "Tiny prices": "价格极小",
    "Prices are around {price}. This engine scales with them; the published code adds 0.00001 to their spread and "
    "would lose most of it. Look that the source gives enough decimals.": "价格约为 {price}。本引擎会按其缩放；已发布"
    "的代码会在其波动上加 0.00001，从而丢失大部分信息。请确认数据源给出足够的小数位。",
    "No volume": "没有成交量",
    "The series has no volume. The model is shown zeros, as it was trained for such series.": "该序列没有成交量。模型"
    "看到的是零，训练时对此类序列也是如此。",
    "Volume is zero in every candle: it is not known, rather than nothing.": "每根K线的成交量都是零：是未知，而不是没"
    "有成交。",
    "Candles without volume": "没有成交量的K线",
    "{n1} of {n2} candles moved without any volume, {n3} of them among the last {n4}. The source lost it.": "{n2} 根K"
    "线中有 {n1} 根价格变动却没有成交量，其中 {n3} 根在最近 {n4} 根之内。是数据源丢失了。",
    "Constant volume": "成交量不变",
    "Volume is {n} in each of the last candles: it tells the model nothing.": "最近每根K线的成交量都是 {n}：它对模型"
    "没有意义。",
    # repairs
    "Leave out the forming bar": "舍去未收盘的K线",
    "Fill the gaps with flat candles": "用平盘K线填补缺口",
    "Keep the longest stretch without a break": "只保留最长的连续区段",
    "Leave out the flat stretches": "舍去价格不动的区段",
    "Leave out the repeated candles": "舍去重复的K线",
    "Adjust the history for the split": "按拆股调整历史",
    "Cut the outliers back to their neighbours": "将异常值收回到相邻范围",
    "Go without volume": "不使用成交量",
    "Set the session clock": "设置交易时区",
    "Read the stamps as closes": "将时间视为收盘时间",
    "there is no fix {name}.": "没有名为 {name} 的修复。",
    "The fixes are: {names}.": "现有修复：{names}。",
    "Nothing was changed: {what}.": "没有改动：{what}。",
    "there are no {what}": "没有{what}",
    "all candles are {what}": "全部都是{what}",
    "forming bars": "未收盘的K线",
    "flat candles": "不动的K线",
    "repeated candles": "重复的K线",
    "no bar is missing": "没有缺失的K线",
    "the series has no break": "序列没有间断",
    "no two candles follow each other without a break": "没有任何两根K线是连续的",
    "no split is seen": "没有发现拆股",
    "no outlier is seen": "没有发现异常值",
    "the outliers lie within the range of the candles beside": "异常值在相邻K线的范围之内",
    "there is no volume": "没有成交量",
    "the stamps cannot all stand on the clock of {zone}": "这些时间无法全部落在 {zone} 的时钟上",
    "the stamps are read as closes": "时间已被视为收盘时间",
    "{n} forming bars left out.": "已舍去 {n} 根未收盘的K线。",
    "{n} forming bar left out.": "已舍去 {n} 根未收盘的K线。",
    "{n} flat candles left out.": "已舍去 {n} 根不动的K线。",
    "{n} flat candle left out.": "已舍去 {n} 根不动的K线。",
    "{n} repeated candles left out.": "已舍去 {n} 根重复的K线。",
    "{n} repeated candle left out.": "已舍去 {n} 根重复的K线。",
    "{n} missing bars were filled with flat candles at the last close.": "已用上一收盘价的平盘K线填补 {n} 根缺失的K线"
    "。",
    "The longest stretch without a break was kept: {n} candles, {first} to {last}.": "已保留最长的连续区段：{n} 根K线"
    "，{first} 至 {last}。",
    "Prices before {which} were adjusted, and volume with them: {named}.": "已调整{which}之前的价格及成交量：{named}。",
    "a split": "拆股",
    "{n} splits": " {n} 次拆股",
    "{n} outliers were cut back to the range of the candles beside.": "已将 {n} 个异常值收回到相邻K线的范围。",
    "{n} outlier was cut back to the range of the candles beside.": "已将 {n} 个异常值收回到相邻K线的范围。",
    "Volume and amount are no longer used.": "不再使用成交量和成交额。",
    "The session clock is now {zone}, and the stamps are read as its hours.": "交易时区现为 {zone}，时间按其钟点读取。",
    "The stamps are now read as the closes of their bars.": "时间现在被视为K线的收盘时间。",
    "{first} Then: {more}": "{first}然后：{more}",
}
