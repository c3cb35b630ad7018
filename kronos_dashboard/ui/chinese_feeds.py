"""简体中文: what feeds of live candles tell, assume and refuse."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FEEDS"]

FEEDS: Mapping[str, str] = {
    # requests
    "Take one of {names}.": "请从中选择：{names}。",
    "{name} is not the name of an exchange.": "{name} 不是交易所的名称。",
    "Write it as in binance.": "请写成 binance 的形式。",
    "a request needs either a number of candles or a start, not both.": "请求需要K线数量或起始时间，二者取一。",
    "Give one of them.": "请给出其中之一。",
    "the number of candles must be 1 to {most}; got {came}.": "K线数量必须为 1 至 {most}；得到的是 {came}。",
    "the {name} must be a time with its zone; got {came}.": "{name} 必须是带时区的时间；得到的是 {came}。",
    "Add the zone, such as UTC.": "请加上时区，例如 UTC。",
    "the start {start} is after the end {end}.": "起始时间 {start} 晚于结束时间 {end}。",
    "Exchange them.": "请对调两者。",
    "{text} is not the name of an interval.": "{text} 不是周期的名称。",
    "Write a number and a unit: 5m, 1h, 1d, 1w, or 1M.": "请写数字加单位：5m、1h、1d、1w 或 1M。",
    "{symbol} is not a symbol.": "{symbol} 不是有效的代码。",
    "A symbol has 1 to {n} letters, digits and marks, as in BTC/USDT, AAPL or EURUSD=X.": "代码由 1 至 {n} 个字母、数"
    "字和符号组成，例如 BTC/USDT、AAPL 或 EURUSD=X。",
    "no answer came within {n} s.": "{n} 秒内没有收到回应。",
    "Ask for fewer candles, or try later.": "请减少K线数量，或稍后再试。",
    # what came
    "{source} has no closed candles of {symbol} at {interval} {span}.": "{source} 在所求范围内（{span}）没有 "
    "{symbol} 的已收盘 {interval} K线。",
    "{source} has no candles of {symbol} from {start} to {end}.": "{source} 没有 {symbol} 从 {start} 到 {end} 的K线。",
    "from {start} up to {end}": "{start} 至 {end}",
    "from {start} up to now": "{start} 至今",
    "up to {end}": "截至 {end}",
    "up to now": "截至现在",
    "Ask for another span, a longer interval or another symbol.": "请换一个范围、更长的周期或其他代码。",
    "Ask for another span.": "请换一个范围。",
    "Ask for another span or a longer interval.": "请换一个范围或更长的周期。",
    "{n1} candles were asked for, {n2} came; the first is of {time}.": "请求了 {n1} 根K线，得到 {n2} 根；第一根是 "
    "{time}。",
    "The history begins at {time}; {asked} was asked for.": "历史从 {time} 开始；请求的是 {asked}。",
    "{name} serves its newest {n} bars of an interval alone.": "{name} 每个周期只提供最新的 {n} 根K线。",
    "Yahoo serves {interval} candles of the last {n} days alone.": "Yahoo 只提供最近 {n} 天的 {interval} K线。",
    "The clock here is {apart} ahead of the feed's; the feed's clock decides which bars are closed.": "本机时钟比数据"
    "源快 {apart}；以数据源的时钟判断K线是否收盘。",
    "The clock here is {apart} behind the feed's; bars after this clock are left out.": "本机时钟比数据源慢 {apart}；"
    "晚于本机时钟的K线已舍去。",
    "{n} day": "{n} 天",
    "{n} days": "{n} 天",
    "{n} hour": "{n} 小时",
    "{n} hours": "{n} 小时",
    "{n} minute": "{n} 分钟",
    "{n} minutes": "{n} 分钟",
    "{n} second": "{n} 秒",
    "{n} seconds": "{n} 秒",
    "{count} without a time dropped.": "舍去没有时间的 {count}。",
    "The bars did not arrive in order of time; sorted.": "K线没有按时间到达；已排序。",
    "{count} that arrived twice dropped once.": "{count}到达两次，已舍去一次。",
    "{count} arrived again with other values; the later ones hold: {named}": "{count}再次到达且数值不同；以后到的为准"
    "：{named}",
    "{count} without prices dropped: {named}": "舍去没有价格的 {count}：{named}",
    "{count} with impossible values dropped: {named}": "舍去数值不可能的 {count}：{named}",
    "The last bar, which is still forming, is left out: {named}": "最后一根K线尚未收盘，已舍去：{named}",
    "The last {n} bars, still forming, are left out: {named}": "最后 {n} 根K线尚未收盘，已舍去：{named}",
    "{count} after the clock ({time} UTC) refused: {named}": "拒收晚于时钟（{time} UTC）的 {count}：{named}",
    "{times} and {n} more ({zone}).": "{times} 等，另有 {n} 个（{zone}）。",
    "The feed gives no {name} for this symbol.": "数据源没有此代码的{name}。",
    "{count} without {name}; set to 0.": "{count}没有{name}；设为 0。",
    "{n} candle at {interval}, no gaps.": "{n} 根 {interval} K线，没有缺口。",
    "{n1} candles at {interval}, {n2} gaps ({count} missing), the first after {time} UTC.": "{n1} 根 {interval} K线，"
    "{n2} 处缺口（缺失 {count}），第一处在 {time} UTC 之后。",
    "{n1} candles at {interval}, {n2} gap ({count} missing), the first after {time} UTC.": "{n1} 根 {interval} K线，"
    "{n2} 处缺口（缺失 {count}），第一处在 {time} UTC 之后。",
    # the cache
    "{n} candles came from the cache.": "{n} 根K线来自缓存。",
    "{n} candles came from the cache, fetched {ago}.": "{n} 根K线来自缓存，获取于 {ago}。",
    "{span} ago, the newest of {time}": "{span}前，最新一根是 {time}",
    "The cache is in use or cannot be written to; the candles were fetched anew.": "缓存正在使用或无法写入；已重新获"
    "取K线。",
    "The cached candles were too old to be extended; all were fetched anew.": "缓存的K线太旧，无法续接；已全部重新获"
    "取。",
    "The cached candles could not be read; they were removed and fetched anew.": "缓存的K线无法读取；已删除并重新获取"
    "。",
    "The candles could not be kept in the cache: {error}.": "K线无法存入缓存：{error}。",
    "The feed no longer has the candles between {first} and {last} UTC, where the cache ended.": "数据源已不再提供 "
    "{first} 与 {last} UTC 之间、即缓存结束之处的K线。",
    "The feed's history has changed since it was cached (a dividend, a split or a correction); all candles were "
    "fetched anew.": "数据源的历史自缓存以来有变化（分红、拆股或更正）；已全部重新获取。",
    "The candles come from the cache, fetched {ago}.": "K线来自缓存，获取于 {ago}。",
    # exchanges
    "{name} has no candles at {interval}.": "{name} 没有 {interval} K线。",
    "{asked} was read as {symbol}.": "{asked} 按 {symbol} 读取。",
    "{name} has no market {symbol}.": "{name} 没有市场 {symbol}。",
    "Near it: {names}.": "相近的有：{names}。",
    "Search the symbols of {name} for one.": "请在 {name} 的代码中搜索。",
    "{name} answered with something that is no list of candles.": "{name} 的回应不是K线列表。",
    "The answer of {name} cannot be read ({error}).": "无法读取 {name} 的回应（{error}）。",
    "The answer of {name} breaks off.": "{name} 的回应中断。",
    "The answer of {name} is larger than {n} MB.": "{name} 的回应超过 {n} MB。",
    "Try again later, or another exchange.": "请稍后再试，或换一个交易所。",
    "{name} does not serve this symbol: {error}": "{name} 不提供此代码：{error}",
    "Search its symbols.": "请搜索它的代码。",
    "{name} takes no more requests for {n} seconds: too many came from this address.": "{name} 在 {n} 秒内不再接受请"
    "求：来自此地址的请求太多。",
    "{name} takes no more requests for a while: too many came from this address.": "{name} 暂时不再接受请求：来自此地"
    "址的请求太多。",
    "Wait, then ask again.": "请稍等再试。",
    "Wait some minutes, then ask again.": "请等几分钟再试。",
    "{name} refuses requests from this address (status {status}).": "{name} 拒绝来自此地址的请求（状态 {status}）。",
    "It may not serve your country or network; choose another exchange.": "它可能不服务于您所在的国家或网络；请换一个"
    "交易所。",
    "{name} did not answer in time.": "{name} 没有及时回应。",
    "Try again, or check the network.": "请重试，或检查网络。",
    "{name} cannot be reached.": "无法连接到 {name}。",
    "Check the network.": "请检查网络。",
    "{name} answers with status {status}: {error}": "{name} 的回应状态为 {status}：{error}",
    "Try again later.": "请稍后再试。",
    "Try again.": "请重试。",
    "{name} does not give the candles: {error}": "{name} 没有给出K线：{error}",
    "Check symbol and interval.": "请检查代码和周期。",
    "There is no exchange {name}.": "没有交易所 {name}。",
    "Did you mean {names}?": "您是指 {names} 吗？",
    "{name} serves no candles.": "{name} 不提供K线。",
    "Choose another exchange.": "请换一个交易所。",
    "{name} answered with a page instead of data: {title}.": "{name} 回应的是网页而不是数据：{title}。",
    "A login page of the network, a proxy or a block may stand in between; open the exchange in a browser.": "中间可"
    "能有网络登录页、代理或屏蔽；请在浏览器中打开该交易所。",
    "A login page of the network, a proxy or a block may stand in between; try again later.": "中间可能有网络登录页、"
    "代理或屏蔽；请稍后再试。",
    # Yahoo
    "Yahoo has no {interval} candles of {symbol} from {start} to {end}.": "Yahoo 没有 {symbol} 从 {start} 到 {end} 的"
    " {interval} K线。",
    "{symbol} is not a symbol of Yahoo.": "{symbol} 不是 Yahoo 的代码。",
    "Yahoo writes AAPL, BRK-B, ^GSPC, EURUSD=X or BTC-USD.": "Yahoo 的写法是 AAPL、BRK-B、^GSPC、EURUSD=X 或 BTC-USD。",
    "Yahoo serves {interval} candles of the last {n} days alone, from {time} on; asked was {asked}.": "Yahoo 只提供最"
    "近 {n} 天（从 {time} 起）的 {interval} K线；请求的是 {asked}。",
    "the start {start} lies after the end {end}, or before 1900; asked was {asked}.": "起始时间 {start} 晚于结束时间 "
    "{end}，或早于 1900 年；请求的是 {asked}。",
    "Take a later start, or a longer interval (1h: 729 days, 1d: all there is).": "请推后起始时间，或使用更长的周期（"
    "1h：729 天，1d：全部）。",
    "Take a later start, or 1d, which has no limit.": "请推后起始时间，或使用没有限制的 1d。",
    "Prices are adjusted for splits and dividends; each new dividend changes all older prices.": "价格已按拆股和分红"
    "复权；每次新的分红都会改变此前的全部价格。",
    "Prices are adjusted for splits, as Yahoo always does, and not for dividends.": "价格已按拆股调整（Yahoo 一向如此"
    "），未按分红调整。",
    "Yahoo's answer about {symbol} cannot be read.": "无法读取 Yahoo 关于 {symbol} 的回应。",
    "Yahoo answers with status {status}.": "Yahoo 的回应状态为 {status}。",
    "Yahoo takes no more requests for now: too many came from this address.": "Yahoo 暂时不再接受请求：来自此地址的请"
    "求太多。",
    "Yahoo has no candles: {error}.": "Yahoo 没有K线：{error}。",
    "Yahoo's answer is larger than {n} MB.": "Yahoo 的回应超过 {n} MB。",
    "Yahoo cannot be reached, or broke off its answer.": "无法连接到 Yahoo，或其回应中断。",
    "Yahoo answered with something that is no data: a page, or an answer that broke off.": "Yahoo 的回应不是数据：是"
    "网页，或中断的回应。",
    "Yahoo does not answer for {symbol}: {error}": "Yahoo 没有回应 {symbol}：{error}",
    "Yahoo has no symbol {symbol}: {error}.": "Yahoo 没有代码 {symbol}：{error}。",
    "Search for it by company name.": "请按公司名称搜索。",
    # A-shares
    "akshare has no {interval} candles of {code}.": "akshare 没有 {code} 的 {interval} K线。",
    "Check the code and the span.": "请检查代码和范围。",
    "The installed akshare has no {name}.": "已安装的 akshare 没有 {name}。",
    "Update it: pip install -U akshare": "请更新：pip install -U akshare",
    "akshare cannot reach its source ({error}).": "akshare 无法连接到其数据来源（{error}）。",
    "akshare cannot read the answer of its source ({error}).": "akshare 无法读取其数据来源的回应（{error}）。",
    "Check the code; try again later, or update akshare.": "请检查代码；稍后再试，或更新 akshare。",
    "akshare gave no table.": "akshare 没有给出表格。",
    "Try again later, or update akshare.": "请稍后再试，或更新 akshare。",
    "A-shares need akshare, which is not installed.": "A股数据需要 akshare，目前没有安装。",
    "Run: pip install akshare": "请运行：pip install akshare",
    "{symbol} is not the code of an A-share.": "{symbol} 不是A股代码。",
    "Write six digits, as in 600519 or 000001.": "请写六位数字，例如 600519 或 000001。",
    "Volume came in lots of 100 shares (手); it is given in shares.": "成交量原以手（100 股）为单位；已换算为股。",
    "Bars are stamped at their close.": "K线以收盘时间标记。",
    "akshare has no adjusted prices at 1m; these are raw.": "akshare 没有 1m 的复权价格；此为未复权价格。",
    "Prices are adjusted backward from today (qfq); each dividend changes all older ones.": "价格为前复权（qfq）；每"
    "次分红都会改变此前的全部价格。",
    "akshare's table has other columns than expected: {names}.": "akshare 表格的列与预期不符：{names}。",
    "Update akshare: pip install -U akshare": "请更新 akshare：pip install -U akshare",
}
