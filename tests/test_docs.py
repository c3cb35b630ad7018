"""The documents are true: names and options exist, settings are complete, examples run, schemas are current."""

import importlib
import inspect
import re
import shlex
from dataclasses import fields
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from kronos_dashboard.settings import ENVIRONMENT_PREFIX, Settings
from tests.support.documents import MARKDOWN, code_blocks, code_spans
from tests.support.paths import ROOT

DOCS = ROOT / "docs"
CURRENT = [path for path in MARKDOWN if path.name != "CHANGELOG.md"]
"""The changelog also has names that were."""
CLI = DOCS / "cli.md"
FILE_SUFFIXES = (".json", ".mo", ".po", ".pot", ".py", ".toml")
EXAMPLES = ("kronos_dashboard/locale/de/",)
"""Folders that a reader makes."""


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def resolve(dotted: str) -> object:
    """The module, or the attribute of a module, with this name."""
    parts = dotted.split(".")
    for split in range(len(parts), 0, -1):
        try:
            value: object = importlib.import_module(".".join(parts[:split]))
        except ModuleNotFoundError:
            continue
        for name in parts[split:]:
            value = getattr(value, name)
        return value
    raise ModuleNotFoundError(dotted)


@pytest.mark.parametrize("path", CURRENT, ids=name_of)
def test_names_in_code_spans_exist(path):
    missing = []
    for span in code_spans(path):
        match = re.match(r"(?:engine|kronos_dashboard)(?:\.\w+)+(?=$|\()", span)
        try:
            if match and not match[0].endswith(FILE_SUFFIXES):
                resolve(match[0])
        except (ModuleNotFoundError, AttributeError):
            missing.append(span)
    assert missing == []


@pytest.mark.parametrize("path", CURRENT, ids=name_of)
def test_files_in_code_spans_exist(path):
    pattern = re.compile(r"(?:engine|kronos_dashboard|tests|docs|scripts|benchmarks|pages|\.streamlit|\.ci)/[\w./-]*")
    named = [span.split()[0] for span in code_spans(path) if pattern.fullmatch(span.split()[0])]
    assert [name for name in named if not (name.startswith(EXAMPLES) or (ROOT / name).exists())] == []


def test_every_setting_is_documented_with_its_default():
    rows = dict(
        re.findall(rf"^\| `{ENVIRONMENT_PREFIX}(\w+)` \| (.+?) \|", (DOCS / "settings.md").read_text(), re.MULTILINE)
    )
    expected = {
        field.name.upper(): f"`{field.default}`" if field.default != "" else "empty" for field in fields(Settings)
    }
    assert rows == expected


@pytest.mark.parametrize("path", CURRENT, ids=name_of)
def test_environment_variables_in_the_documents_exist(path):
    named = re.findall(rf"{ENVIRONMENT_PREFIX}([A-Z_]+[A-Z])", path.read_text(encoding="utf-8"))
    assert set(named) <= {field.name.upper() for field in fields(Settings)}


@pytest.mark.parametrize("path", CURRENT, ids=name_of)
def test_commands_in_the_documents_have_options_that_exist(path):
    sections = dict(re.findall(r"^## kronos (\w+)\n(.*?)(?=^## |\Z)", CLI.read_text(), re.DOTALL | re.MULTILINE))
    text = "\n".join([*code_blocks(path, r"\w*"), *code_spans(path)]).replace("\\\n", " ")
    unknown = []
    for command, rest in re.findall(r"^(?: {4})?kronos ([a-z]\w*) (.*)$", text, re.MULTILINE):
        assert command in sections, command
        flags = [word.partition("=")[0] for word in shlex.split(rest, comments=True) if word.startswith("--")]
        known = set(re.findall(r"--[\w-]+", sections[command])) | {"--help"}
        unknown += [f"{command} {flag}" for flag in flags if flag not in known]
    assert unknown == []


@pytest.mark.parametrize("path", MARKDOWN, ids=name_of)
def test_python_in_the_documents_compiles(path):
    for block in code_blocks(path, "python"):
        compile(block, path.name, "exec")


@pytest.mark.skipif(
    not (ROOT / "engine/bundled/model/config.json").exists(), reason="the bundled checkpoint is not in this clone"
)
def test_the_python_of_the_api_page_runs(tmp_path, monkeypatch):
    rows, horizon = 600, 8
    index = pd.date_range("2024-01-01", periods=rows, freq="h", tz="UTC")
    closes = 1.2 * np.exp(np.cumsum(0.001 * np.random.default_rng(1).standard_normal(rows)))
    candles = pd.DataFrame({"open": closes, "high": closes * 1.001, "low": closes * 0.999, "close": closes}, index)
    candles.to_csv(tmp_path / "my.csv", index_label="timestamp")
    frame = candles.iloc[:200]
    scope = {"frame": frame, "frames": [frame], "futures": [candles.index[200 : 200 + horizon]]}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    smaller = {"num_paths=100": "num_paths=3", "SamplingConfig(seed=1)": "SamplingConfig(num_paths=3, seed=1)"}
    smaller |= {"end_row=5000": "end_row=500", "horizon=120": "horizon=8"}
    for block in code_blocks(DOCS / "python_api.md", "python"):
        code = block
        for text, replacement in smaller.items():
            code = code.replace(text, replacement)
        exec(compile(code, "python_api.md", "exec"), scope)


def test_the_schemas_are_those_of_the_dataclasses():
    path = DOCS / "schemas" / "generate.py"
    generate = ModuleType("generate")
    exec(compile(path.read_text(encoding="utf-8"), path, "exec"), generate.__dict__)
    for name, make in generate.SCHEMAS.items():
        written = path.with_name(f"{name}.json").read_text(encoding="utf-8")
        assert written == generate.render(make()), "run python docs/schemas/generate.py"


def test_the_tree_of_the_architecture_names_modules_and_folders_that_exist():
    tree = code_blocks(DOCS / "architecture.md")[0]
    package = ROOT
    missing = []
    for line in tree.splitlines():
        folders = re.match(r" *((?:[\w.]+(?:/|\.py)(?:[, ]+|$))+)", line)
        if folders is None:  # modules of the package above
            places = [package / f"{name}.py" for name in line.split()]
        elif line.startswith(" "):
            places = [package / name for name in folders[1].split()]
        else:
            places = [ROOT / name for name in re.findall(r"[^, ]+", folders[1])]
            package = places[0]
        missing += [str(place) for place in places if not place.exists()]
    assert missing == []


def test_every_metric_is_documented():
    from engine import metrics as engine_metrics
    from kronos_dashboard.evaluation import metrics

    documented = {span.rpartition(".")[2] for span in code_spans(DOCS / "metrics.md")}
    functions = {
        name
        for module in (metrics, engine_metrics)
        for name in module.__all__
        if inspect.isfunction(getattr(module, name))
    }
    helpers = {"average_true_range", "band_coverage", "score", "skill", "step_errors"}
    assert functions - helpers <= documented
