"""The one table of names: what columns of candles are called, in several languages."""

from __future__ import annotations

__all__ = ["ADJUSTED", "ALIASES", "BLOCKED", "DAY_FIRST", "DECORATION"]

ALIASES: dict[str, tuple[str, ...]] = {
    "datetime": (
        "open time", "open timestamp", "time open", "opening time", "start time", "candle_date_time_utc",
        "period start", "window start", "candle begin time", "kline start time", "begin time", "bar start", "datetime",
        "timestamp", "timestamps", "date time", "date/time", "bar time", "time stamp", "candle time", "start", "begin",
        "from", "bucket", "tradetime", "时间戳", "日期时间", "交易时间", "开盘时间", "日時", "일시", "datum/zeit",
        "datum zeit", "date gmt", "gmt time", "utc time", "utc", "time utc", "local time", "datetime utc",
        "timestamp utc", "time period start", "open date", "дата время", "дата и время", "fecha hora", "fecha/hora",
        "data hora", "data/hora", "date heure", "date et heure", "zeitstempel", "zeitpunkt", "marca de tiempo",
        "horodatage", "snapped_at", "at",
    ),
    "date": (
        "date", "day", "trade date", "trading date", "trading day", "session date", "business date", "price date",
        "dates", "dt", "d", "yyyymmdd", "dtyyyymmdd", "ymd", "datestamp", "date of trade", "date dd/mm/yyyy",
        "as of date", "effective date", "timestamp date", "日期", "交易日期", "交易日", "日付", "年月日", "取引日",
        "날짜", "일자", "거래일", "날자", "년/월/일", "datum", "tag", "handelstag", "дата", "день", "fecha", "día",
        "fecha de cotización", "jour", "date de cotation", "séance", "data", "dia", "data do pregão", "data pregao",
        "giorno", "tarih", "dato", "päivämäärä", "dátum", "tanggal", "ngày", "วันที่", "日期 date", "stck bsop date",
        "stck_bsop_date", "bsop_date", "xymd", "trddt", "datadate", "quote date", "quote_date", "exchange date",
        "calendar date", "tradedate", "日付け", "時間", "日期时间 date", "ημερομηνία", "תאריך", "التاريخ", "تاریخ",
        "วันเดือนปี", "päiväys", "pvm", "data sesji", "ngày giao dịch", "datum obchodu", "date de séance", "month",
        "week", "quarter", "period", "month ending", "week ending", "week of",
    ),
    "time": (
        "time", "hour", "hhmm", "hhmmss", "time of day", "clock", "t", "tm", "minute", "时间", "時間", "时刻", "時刻",
        "시간", "시각", "zeit", "uhrzeit", "время", "hora", "heure", "ora", "saat", "timestamp time", "tid", "czas",
        "godzina", "stck cntg hour", "mdentrytime", "entry time", "trade time of day", "heure locale", "uhr", "時間帯",
        "bar time of day",
    ),
    "epoch": (
        "unix", "unixtime", "unix timestamp", "unix time", "epoch", "epoch time", "epoch ms", "timestamp ms",
        "timestamp unix", "time ms", "ts", "mts", "id", "start at", "ms", "timestamp_ms",
    ),
    "endtime": (
        "close time", "close timestamp", "end time", "endtime", "end", "closetime", "time close", "timestamp end",
        "to", "time period end", "period end", "close date", "bar end", "收盘时间",
    ),
    "open": (
        "open", "o", "op", "opn", "opening", "open price", "opening price", "first", "first price", "start price",
        "price open", "px_open", "open last", "px open", "day open", "今开", "开盘", "开盘价", "今开盘", "开", "開盤",
        "開盤價", "始値", "始値(円)", "寄付", "시가", "eröffnung", "eröffnungskurs", "erster", "anfangskurs", "start",
        "otwarcie", "kurs otwarcia", "открытие", "откр", "откр.", "цена открытия", "цена откр.", "apertura",
        "precio apertura", "apert", "abertura", "preço de abertura", "abert", "ouverture", "ouv", "premier",
        "cours d'ouverture", "açılış", "opening kurs", "åbning", "öppning", "avaus", "nyitó", "pembukaan", "mở cửa",
        "otvoreni", "prvni", "opvarw", "openingskoers", "aber", "abe", "preabe", "开盘价 open", "mở", "primo",
        "ouvert", "stck_oprc", "oprc", "opnprc", "openprc", "prcod", "eröffn.", "eröffn", "ouv.", "öppen", "openingpx",
        "opening px", "px open price", "openen", "åben", "開市", "開市價", "άνοιγμα", "פתיחה", "שער פתיחה", "الافتتاح",
        "افتتاح", "เปิด", "ราคาเปิด", "відкриття", "відкр.", "відкр", "отваряне", "otevření", "otvorenie", "apertură",
        "deschidere", "nyitóár", "otvaranje", "atidarymas", "avauskurssi", "first trade price", "firsttradeprice",
        "开盘价(元)", "開盤價(元)", "giá mở cửa", "harga pembukaan", "dibuka", "açılış fiyatı", "eröffnungspreis",
        "open trade price", "first trade",
    ),
    "high": (
        "high", "h", "hi", "highest", "high price", "max", "maximum", "day high", "price high", "px_high",
        "highest price", "最高", "最高价", "高", "最高價", "高値", "高値(円)", "고가", "hoch", "tageshoch", "höchst",
        "höchstkurs", "höchster", "hochkurs", "najwyzszy", "najwyższy", "kurs max", "kurs maksymalny", "максимум",
        "макс", "макс.", "наибольшая цена", "цена максимальная", "высшая", "máximo", "maximo", "precio máximo", "máx",
        "máx.", "máxima", "maxima", "preço máximo", "haut", "plus haut", "le plus haut", "+ haut",
        "cours le plus haut", "massimo", "yüksek", "en yüksek", "højeste", "høy", "högst", "hög", "högstakurs", "ylin",
        "maximális", "tertinggi", "cao nhất", "hoogste", "premax", "tagesmax", "cao", "prix haut", "stck_hgpr", "hgpr",
        "hiprc", "askhi", "prchd", "highpx", "high px", "hoog", "hoogste koers", "høj", "ylin kurssi", "υψηλό", "גבוה",
        "שער גבוה", "שער יומי גבוה", "الأعلى", "مرتفع", "สูงสุด", "ราคาสูงสุด", "найвища", "nejvyšší", "najvyššia",
        "maxim", "legmagasabb", "najviša", "high trade price", "最高价(元)", "最高價(元)", "giá cao nhất",
        "harga tertinggi", "en yüksek fiyat", "max.", "hög kurs", "plus haut jour",
    ),
    "low": (
        "low", "l", "lo", "lowest", "low price", "min", "minimum", "day low", "price low", "px_low", "lowest price",
        "最低", "最低价", "低", "最低價", "安値", "安値(円)", "저가", "tief", "tagestief", "tiefst", "tiefstkurs",
        "tiefster", "tiefkurs", "najnizszy", "najniższy", "kurs min", "kurs minimalny", "минимум", "мин", "мин.",
        "наименьшая цена", "цена минимальная", "низшая", "mínimo", "minimo", "precio mínimo", "mín", "mín.", "mínima",
        "minima", "preço mínimo", "bas", "plus bas", "le plus bas", "+ bas", "cours le plus bas", "düşük", "en düşük",
        "laveste", "lav", "lägst", "låg", "lägstakurs", "alin", "minimális", "terendah", "thấp nhất", "laagste",
        "premin", "tagesmin", "thấp", "prix bas", "stck_lwpr", "lwpr", "loprc", "bidlo", "prcld", "lowpx", "low px",
        "laag", "laagste koers", "alin kurssi", "χαμηλό", "נמוך", "שער נמוך", "שער יומי נמוך", "الأدنى", "منخفض",
        "ต่ำสุด", "ราคาต่ำสุด", "найнижча", "nejnižší", "najnižšia", "minim", "legalacsonyabb", "najniža",
        "low trade price", "最低价(元)", "最低價(元)", "giá thấp nhất", "harga terendah", "en düşük fiyat", "min.",
        "låg kurs", "plus bas jour", "мін", "мін.",
    ),
    "close": (
        "close", "c", "cl", "cls", "closing", "close price", "closing price", "close/last", "price close", "px_close",
        "end price", "day close", "收盘", "收盘价", "收", "收盤", "收盤價", "終値", "終値(円)", "종가", "schluss",
        "schlusskurs", "schlußkurs", "schluss kurs", "zamkniecie", "zamknięcie", "kurs zamkniecia", "закрытие", "закр",
        "закр.", "цена закрытия", "cierre", "precio cierre", "fechamento", "preço de fechamento", "clôture", "cloture",
        "clot", "cours de clôture", "chiusura", "kapanış", "lukning", "lukke", "slutkurs", "stängning",
        "stängningskurs", "sluitkoers", "slotkoers", "slutt", "päätös", "päätöskurssi", "záró", "penutupan",
        "đóng cửa", "preult", "fech", "last", "px_last", "last price", "closing kurs", "letzter", "ultimo", "último",
        "última", "dernier", "letzter kurs", "trade price", "price", "precio", "preis", "prix", "preço", "prezzo",
        "koers", "kurs", "цена", "价格", "現在値", "最新价", "현재가", "价", "şimdi", "terakhir", "lần cuối", "cours",
        "settle", "settlement price", "settle price", "结算价", "last close", "mid price", "nav", "收盘价 close",
        "đóng", "最新價", "terminación", "dern", "stck_clpr", "clpr", "clsprc", "prccd", "prc", "closingpx",
        "closing px", "zuletzt", "senaste", "seneste", "sluttkurs", "ostatnio", "viimeisin", "luk", "slot", "laatste",
        "收市", "收市價", "κλείσιμο", "τελευταία", "שער", "שער נעילה", "סגירה", "الإغلاق", "الأخير", "ราคาปิด",
        "ล่าสุด", "ปิด", "закриття", "ост.", "остання", "zavření", "zatvorenie", "închidere", "záróár", "zatvaranje",
        "päätöskurssi eur", "last trade price", "lasttradeprice", "收盘价(元)", "收盤價(元)", "giá đóng cửa",
        "harga penutupan", "kapanış fiyatı", "ditutup", "uždarymas", "dernier cours", "laatste koers",
    ),
    "volume": (
        "volume", "vol", "v", "vol.", "trade volume", "traded volume", "total volume", "share volume", "shares",
        "shares traded", "no. of shares", "no of shares", "number of shares", "stuecke", "stücke", "stück", "stk",
        "quantity", "qty", "total trade quantity", "total traded quantity", "traded quantity", "tottrdqty",
        "ttl_trd_qnty", "tick volume", "tickvol", "tick_volume", "real volume", "base volume", "volume base",
        "volumefrom", "volume from", "base asset volume", "candle_acc_trade_volume", "volume lots", "contracts",
        "turnover shares", "size", "成交量", "成交股数", "成交股數", "总手", "总量", "现手", "手数", "量", "出来高",
        "売買高", "거래량", "umsatz stück", "umsatz", "volumen", "handelsvolumen", "wolumen", "объем", "объём",
        "объем торгов", "volúmen", "volume de titres", "titres", "titres échangés", "volumes", "quantidade",
        "volume negociado", "qtde", "hacim", "omsætning", "omsättning", "volym", "antal", "määrä", "forgalom",
        "volume totale", "kl", "khối lượng", "capitali", "nb de titres", "negociado", "títulos", "titulos", "volumul",
        "量(股)", "volume btc", "volume eth", "volume traded", "acml_vol", "turnovervol", "成交数量",
        "nombre de titres", "quantité", "交易量", "wol.", "wol", "obj.", "obj", "objem", "об'єм", "объем торгов шт",
        "όγκος", "όγκ.", "όγκ", "נפח", "מחזור", "حجم", "الحجم", "ปริมาณ", "dnshrtrd", "cshtrd", "totalvolumetraded",
        "total volume traded", "成交量(股)", "成交量(千股)", "成交量(手)", "成交股", "mængde", "vaihto", "hacim lot",
        "kl khớp lệnh", "kl giao dịch", "tick qty", "tickqty", "last traded volume", "volume(shares)", "handelsvolym",
        "kpl", "forgalom db", "количество", "hac.", "об.", "वॉल्यूम", "obujam", "apimtis", "objem obchodů",
    ),
    "amount": (
        "amount", "turnover", "money", "quote volume", "quote asset volume", "volumeto", "volume to", "volume usdt",
        "volume usd", "volume currency", "traded value", "total turnover", "turnover value", "trade value",
        "value traded", "quote_asset_volume", "vol_ccy_quote", "volccyquote", "candle_acc_trade_price", "tottrdval",
        "turnover lacs", "turnover rs cr", "dollar volume", "notional", "quoteassetvolume", "quote_volume", "amt",
        "total traded value", "acml_tr_pbmn", "volume quote", "成交额", "成交金额", "金额", "总金额", "成交額",
        "成交金額", "売買代金", "거래대금", "umsatz eur", "umsatz €", "efectivo", "importe", "volume financeiro",
        "volume r$", "capitaux", "valeur", "оборот", "obrót", "obrot", "montant", "giá trị", "value", "turnover_rs",
        "turnover usd", "volume in usd", "volume_usd", "omsætning dkk", "cost", "volume notional", "notional volume",
        "dnvaltrd", "totalturnover", "total turnover value", "成交额(元)", "成交金額(元)", "gt khớp lệnh", "obrót pln",
        "turnover eur", "gt", "value traded usd", "quote qty",
    ),
    "symbol": (
        "symbol", "ticker", "code", "ts code", "order book id", "instrument", "stock", "stock code", "security",
        "name", "sym", "pair", "market", "coin", "asset", "secid", "security code", "isin", "series", "figi",
        "股票代码", "代码", "证券代码", "股票名称", "名称", "证券名称", "简称", "合约", "合约代码", "品种", "銘柄",
        "コード", "銘柄コード", "종목코드", "종목명", "종목", "kod", "wkn", "isin code", "инструмент", "тикер",
        "código", "codigo", "codneg", "contract", "underlying", "company", "product", "act_symbol", "instrument id",
        "instrument_id", "tradingsymbol", "trading symbol", "product_id", "ric", "exchange symbol", "asset id",
        "securities code", "s", "stkcd", "permno", "tic", "证券", "銘柄名", "ativo", "papel", "acción",
        "valeur mobilière", "titulo negociado", "株式コード", "증권코드",
    ),
    "bid": (
        "bid", "bid price", "bidprice", "best bid", "买价", "买一价",
    ),
    "ask": (
        "ask", "ask price", "askprice", "offer", "best ask", "卖价", "卖一价",
    ),
}  # fmt: skip
"""Field -> names, likeliest first."""

DECORATION = frozenset({
    "aud", "bar", "brl", "cad", "candle", "candlestick", "cena", "chf", "cny", "col", "cours", "cr", "currency",
    "daily", "data", "day", "eth", "eur", "gbp", "historical", "history", "idx", "in", "inr", "jpy", "kline", "krw",
    "kurs", "lac", "lacs", "level", "market", "mid", "n", "no", "of", "ohlc", "ohlcv", "points", "precio", "preco",
    "price", "prices", "pts", "px", "quote", "quotes", "rate", "rates", "rmb", "rs", "session", "stock", "the",
    "total", "trade", "traded", "trades", "unit", "units", "us", "usd", "usdt", "value",
})  # fmt: skip
"""Words that may stand beside a listed name without changing what it means."""

BLOCKED = frozenset({
    "52", "52w", "adj", "adjclose", "adjusted", "after", "atp", "atr", "average", "avg", "avgprice", "band", "buy",
    "change", "change%", "changes", "chg", "circuit", "count", "date", "day30", "deliv", "deliverable",
    "deliverables", "delta", "diff", "dividend", "dividends", "ema", "factor", "forecast", "freq", "fut", "future",
    "gap", "ha", "heikin", "hl2", "hlc3", "hours", "implied", "interest", "lag", "limit", "limits", "log", "lower",
    "ma", "macd", "max5", "min5", "month", "norm", "normalized", "number", "ohlc4", "oi", "openint", "pct", "perc",
    "percent", "pivot", "pre", "pre-market", "pred", "predicted", "prediction", "premarket", "prev", "previous",
    "prior", "ratio", "ret", "return", "returns", "rolling", "rsi", "scaled", "sell", "settlement", "shift", "signal",
    "sma", "split", "splits", "spread", "std", "stdev", "taker", "target", "tax", "time", "timestamp", "upper", "var",
    "variance", "vwap", "wap", "week52", "weekday", "weighted", "wma", "year", "yesterday", "ytd",
})  # fmt: skip
"""A word of these in a name makes it something else: "Adj Close", "Prev. Open", "close_time"."""

ADJUSTED = frozenset({"adj", "adjusted"})
"""Words for prices changed after the fact; taken when there are no others."""

DAY_FIRST = frozenset({
    "data", "datadopregao", "datahora", "dateetheure", "dateheure", "dato", "datum", "datumzeit", "dia", "fecha",
    "fechadecotizacion", "fechahora", "giorno", "jour", "ngay", "paiva", "pvm", "seance", "tag", "tanggal", "tarih",
    "zeitstempel", "ημερομηνια", "дата", "день", "תאריך", "التاريخ", "วนท",
})  # fmt: skip
"""Names of columns (plain) from where nobody writes the month first."""
