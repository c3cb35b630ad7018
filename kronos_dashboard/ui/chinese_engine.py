"""简体中文: what the engine refuses, and what it remarks on a forecast."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ENGINE"]

ENGINE: Mapping[str, str] = {
    "bundled (small, not the published model)": "内置（小型，不是已发布的模型）",
    "a model given in Python": "由 Python 给出的模型",
    # forecasts
    "The last candle lies {n1} standard deviations from the mean of the context; the model sees it cut to {n2}, so "
    "the forecast starts from a price that is nearer the mean than the last close.": "最后一根K线距上下文均值 {n1} 个"
    "标准差；模型看到的被截到 {n2}，因此预测的起点比最新收盘价更接近均值。",
    "The last candle lies {n1} standard deviations from the mean of the context; the model sees it cut to {n2}, so "
    "the shape of the paths is that of a smaller move.": "最后一根K线距上下文均值 {n1} 个标准差；模型看到的被截到 "
    "{n2}，因此路径的形状对应于较小的变动。",
    "stopped as asked after {n1} of {n2} decode steps; nothing was kept.": "已按要求在第 {n1} 步（共 {n2} 步）停止；"
    "没有保留任何结果。",
    # sampling
    "num_paths must be 1..{most}; got {came}.": "路径数必须为 1 至 {most}；得到的是 {came}。",
    "temperature must be 0 (greedy) or {least} to {most}; got {came}.": "温度必须为 0（贪心）或 {least} 至 {most}；得"
    "到的是 {came}。",
    "top_p must be above 0 and at most 1, or None; got {came}.": "top_p 必须大于 0 且不超过 1，或为 None；得到的是 "
    "{came}。",
    "top_k must be at least 1, or None for off; got {came}.": "top_k 必须不小于 1，或为 None（关闭）；得到的是 {came}"
    "。",
    "min_p must be 0 to below 1, or None; got {came}.": "min_p 必须不小于 0 且小于 1，或为 None；得到的是 {came}。",
    "from_last_close must be true, false or None; got {came}.": "from_last_close 必须为 true、false 或 None；得到的是 "
    "{came}。",
    "mirrored must be true, false or None; got {came}.": "mirrored 必须为 true、false 或 None；得到的是 {came}。",
    "seed must be 0..2**63 - 1; got {came}.": "种子必须为 0 至 2**63 - 1；得到的是 {came}。",
    "max_context must be at least 2; got {came}.": "max_context 必须不小于 2；得到的是 {came}。",
    "dtype must be torch.float32 or torch.bfloat16; got {came}.": "dtype 必须是 torch.float32 或 torch.bfloat16；得到"
    "的是 {came}。",
    "column must be one of {names}; got {came}.": "列必须是 {names} 之一；得到的是 {came}。",
    # candles
    "{name} must have the columns open, high, low and close; missing: {missing}. It has: {has}.": "{name} 必须有 open"
    "、high、low、close 列；缺少：{missing}。它有：{has}。",
    "{name} has no rows; at least one candle is needed.": "{name} 没有任何行；至少需要一根K线。",
    "{name} must have each column once; {twice} comes more than once. Drop the others.": "{name} 的每一列只能出现一次"
    "；{twice} 出现多次。请删除多余的列。",
    "{name} must hold numbers in {columns}: {error}.": "{name} 的 {columns} 列必须是数字：{error}。",
    "{name} must hold finite numbers; column {column} has {n} that are not, the first at row {row} ({time}): "
    "{value}. Fill or remove those candles.": "{name} 必须是有限的数；列 {column} 有 {n} 个不是，第一个在第 {row} 行"
    "（{time}）：{value}。请填补或删除这些K线。",
    "{name} must be a DataFrame; got {came}.": "{name} 必须是 DataFrame；得到的是 {came}。",
    "{name} must be in order of time, oldest first; it is newest first. Call .sort_index() on it.": "{name} 必须按时"
    "间从旧到新；现在是从新到旧。请调用 .sort_index()。",
    "{name} must have each bar time once; {n} come again, the first is {time}.": "{name} 的每个K线时间只能出现一次；"
    "有 {n} 个重复，第一个是 {time}。",
    "the future of {name} must begin after its last bar, {last}; it begins at {first}.": "{name} 的未来时间必须在最后"
    "一根K线 {last} 之后；它从 {first} 开始。",
    "the future of {name} must have 1..{most} bar times (the horizon); got {came}.": "{name} 的未来时间必须有 1 至 "
    "{most} 个（预测步数）；得到的是 {came}。",
    "{name} must have at least {least} rows before the {n1} that are judged; it has {n2} rows. Give more history, or "
    "judge fewer candles.": "{name} 在被评判的 {n1} 根之前至少要有 {least} 行；它有 {n2} 行。请提供更多历史，或减少评"
    "判的K线。",
    "last must be 1..{most} candles (this model sees {n}); got {came}.": "last 必须为 1 至 {most} 根K线（此模型可见 "
    "{n} 根）；得到的是 {came}。",
    "{name} must be indexed by bar time (a DatetimeIndex); its index is a {came}.": "{name} 必须以K线时间（"
    "DatetimeIndex）为索引；现在是 {came}。",
    "{name} must be a DataFrame indexed by bar time (a DatetimeIndex).": "{name} 必须是以K线时间（DatetimeIndex）为索"
    "引的 DataFrame。",
    "{name} must have its bar times in order, oldest first, each once. Call .sort_index() on it.": "{name} 的K线时间"
    "必须从旧到新，且各出现一次。请调用 .sort_index()。",
    "{name} has {n} empty bar times (NaT). Remove those rows.": "{name} 有 {n} 个空的K线时间（NaT）。请删除这些行。",
    "{name} must be in order of time, oldest first; {time} comes after a later bar. Call .sort_index().": "{name} 必"
    "须按时间从旧到新；{time} 排在更晚的K线之后。请调用 .sort_index()。",
    "the future of {name} must be a DatetimeIndex of bar times; got {came}.": "{name} 的未来时间必须是 DatetimeIndex"
    "；得到的是 {came}。",
    "{name} and its future must both have a time zone or both have none; got {past} and {future}.": "{name} 与其未来"
    "时间必须都带时区或都不带；得到的是 {past} 和 {future}。",
    # where checkpoints come from
    'there is no {kind} called "{name}", and no such folder. Known names: {names}; or give a folder that holds '
    'config.json and model.safetensors, or a hub id ("owner/name").': "没有名为“{name}”的{kind}，也没有这样的文件夹"
    "。已知名称：{names}；也可以给出含有 config.json 和 model.safetensors 的文件夹，或 Hub 编号（“owner/name”）。",
    'there is no {kind} called "{name}", and no such folder. Did you mean "{near}"? Known names: {names}; or '
    'give a folder that holds config.json and model.safetensors, or a hub id ("owner/name").': "没有名为“{name}”的"
    "{kind}，也没有这样的文件夹。您是指“{near}”吗？已知名称：{names}；也可以给出含有 config.json 和 "
    "model.safetensors 的文件夹，或 Hub 编号（“owner/name”）。",
    "model": "模型",
    "tokenizer": "分词器",
    "{name} is a file; give the folder that holds it and its config.json.": "{name} 是文件；请给出含有它及其 "
    "config.json 的文件夹。",
    "{folder} has no tokenizer/config.json beside its model. Pass tokenizer= (models of the published geometry take "
    '"kronos-tokenizer-base" or "kronos-tokenizer-2k"), or put both in tokenizer/ and model/.': "{folder} 的模型"
    "旁没有 tokenizer/config.json。请传入 tokenizer=（已发布结构的模型使用 “kronos-tokenizer-base” 或 "
    "“kronos-tokenizer-2k”），或将两者放在 tokenizer/ 和 model/ 中。",
    "{folder} has no {name}.": "{folder} 中没有 {name}。",
    '"{name}" is a {came}, and a {wanted} is wanted. Published {kinds}: {names}.': "“{name}”是{came}，需要的是"
    "{wanted}。已发布的有：{names}。",
    # the hub
    "{wanted} is not in the local cache, and offline mode is on. Switch it off (HF_HUB_OFFLINE) to download it once, "
    "or give a local folder that holds config.json and model.safetensors.": "{wanted} 不在本地缓存中，且处于离线模式"
    "。请关闭离线模式（HF_HUB_OFFLINE）下载一次，或给出含有 config.json 和 model.safetensors 的本地文件夹。",
    "{wanted} is not in the local cache, and offline mode is on (HF_HUB_OFFLINE).": "{wanted} 不在本地缓存中，且处于"
    "离线模式（HF_HUB_OFFLINE）。",
    "{wanted} could not be had from {host} ({error}). Check the network and any proxy, set HF_ENDPOINT to a mirror, "
    "or give a local folder that holds config.json and model.safetensors.": "无法从 {host} 取得 {wanted}（{error}）。"
    "请检查网络和代理，将 HF_ENDPOINT 设为镜像，或给出含有 config.json 和 model.safetensors 的本地文件夹。",
    "{host} refuses access to {repo} (HTTP {status}). Accept the repository's terms on its page if it has some, and "
    "set HF_TOKEN to a valid token of an account that may read it.": "{host} 拒绝访问 {repo}（HTTP {status}）。如仓库"
    "有条款，请在其页面上接受，并将 HF_TOKEN 设为有读取权限的账户的有效令牌。",
    "{host} knows no repository {repo}, or it is private. Check the spelling (owner/name); for a private one set "
    "HF_TOKEN.": "{host} 没有仓库 {repo}，或它是私有的。请检查拼写（owner/name）；私有仓库请设置 HF_TOKEN。",
    "there is no {wanted} on {host}. A Kronos checkpoint has config.json and model.safetensors (pickled weights such "
    "as pytorch_model.bin are not read); check the repository, the revision and the subfolder.": "{host} 上没有 "
    "{wanted}。Kronos 检查点应有 config.json 和 model.safetensors（不读取 pytorch_model.bin 之类的 pickle 权重）；请"
    "检查仓库、版本和子文件夹。",
    "{wanted} arrived with the wrong size from {host}: {error} Try again.": "从 {host} 收到的 {wanted} 大小不符："
    "{error} 请重试。",
    "{wanted} could not be stored: {error}. Check the free space and the rights of the cache.": "无法保存 {wanted}："
    "{error}。请检查剩余空间和缓存目录的权限。",
    "{wanted} is {n1} bytes; at most {n2} are believed.": "{wanted} 有 {n1} 字节；最多接受 {n2} 字节。",
    "{wanted} should have SHA-256 {right} but has {wrong}: it was damaged or replaced on the way from {host}. The "
    "file was removed from the cache; try again, and if it comes back wrong try another mirror (HF_ENDPOINT).": ""
    "{wanted} 的 SHA-256 应为 {right}，实际为 {wrong}：它在来自 {host} 的途中损坏或被替换。该文件已从缓存中删除；请重"
    "试，若仍不对请换一个镜像（HF_ENDPOINT）。",
    # what a checkpoint holds
    "{source} could not be read: {error}. Check the rights of its files.": "无法读取 {source}：{error}。请检查其文件"
    "的权限。",
    "{file} is not a whole safetensors file ({error}): it was cut short, or is something else. Delete it and fetch "
    "or save the checkpoint again.": "{file} 不是完整的 safetensors 文件（{error}）：它被截断，或是别的东西。请删除后"
    "重新获取或保存检查点。",
    "{file} holds values that are not finite, in {names}. Training has diverged or the file is damaged; take an "
    "earlier checkpoint.": "{file} 中的 {names} 含有非有限的值。训练已发散或文件已损坏；请使用更早的检查点。",
    "{file} of {source} is that of a {came}, and a {wanted} is wanted. Give the {other} by itself.": "{source} 的 "
    "{file} 属于{came}，需要的是{wanted}。请单独给出{other}。",
    "{file} of {source} is that of a {came}, and a {wanted} is wanted. Give the {other} by itself (tokenizer=).": ""
    "{source} 的 {file} 属于{came}，需要的是{wanted}。请单独给出{other}（tokenizer=）。",
    "{file} is {n1} bytes; a config.json has at most {n2}.": "{file} 有 {n1} 字节；config.json 最多 {n2} 字节。",
    "{file} should hold an object with the settings, not a {came}.": "{file} 应当是含有设置的对象，而不是 {came}。",
    "{name} wants the keys {keys}; missing: {missing}, unknown: {unknown}. Check that this config.json belongs to "
    "this kind of checkpoint.": "{name} 需要这些键：{keys}；缺少：{missing}，未知：{unknown}。请确认此 config.json 属"
    "于这类检查点。",
    "{file} is not JSON ({error}). Fetch or save the checkpoint again.": "{file} 不是 JSON（{error}）。请重新获取或保"
    "存检查点。",
    "the tensors do not fit this {kind}'s configuration. {findings}. Check that config.json and model.safetensors "
    "belong together and to a Kronos checkpoint.": "张量与此{kind}的配置不符：{findings}。请确认 config.json 与 "
    "model.safetensors 相配，且属于 Kronos 检查点。",
    "the configuration asks for {n1} blocks; at most {n2} are believed.": "配置要求 {n1} 个模块；最多接受 {n2} 个。",
    "the model reads tokens of {model} bits and the tokenizer makes tokens of {tokenizer}. Take the tokenizer that "
    "the model was trained with.": "模型读取 {model} 位的令牌，而分词器产生 {tokenizer} 位的令牌。请使用与模型一同训"
    "练的分词器。",
}
