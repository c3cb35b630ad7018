"""The declared session-state keys: unique, typed by their default, and the only ones the app uses."""

from __future__ import annotations

import ast
from pathlib import Path

from streamlit.testing.v1 import AppTest

from kronos_dashboard.ui import state
from tests.support.paths import ROOT

KEYS = [key for key in vars(state).values() if isinstance(key, state.StateKey)]
FAMILIES = [key for key in vars(state).values() if isinstance(key, state.KeyFamily)]
UI = sorted((ROOT / "kronos_dashboard" / "ui").rglob("*.py"))


def test_no_two_keys_share_a_name_or_a_prefix() -> None:
    names, prefixes = [key.name for key in KEYS], [family.prefix for family in FAMILIES]
    assert len(set(names)) == len(names)
    assert len(set(prefixes)) == len(prefixes)
    assert not [name for name in names if name.startswith(tuple(prefixes))]
    assert not [one for one in prefixes for other in prefixes if one != other and one.startswith(other)]


def test_only_persisted_keys_and_families_survive_a_reload() -> None:
    names = ["seed", "run_error", "cutoff_row_abc", "cutoff", "result_tabs_en_all", 7]
    assert state.persisted_names(names) == ["seed", "cutoff_row_abc"]


def test_mutable_defaults_are_not_shared_between_sessions() -> None:
    assert state.RESULTS.make_default() is not state.RESULTS.make_default()
    assert state.SERIES.make_default() is not state.SERIES.make_default()
    for key in (*KEYS, *FAMILIES):
        default = key.make_default()
        if default is not None and not isinstance(default, str | int | float | tuple):
            assert key.make_default() is not default, key


def test_a_key_reads_its_default_stores_and_removes() -> None:
    def page() -> None:
        import streamlit as st

        from kronos_dashboard.ui import state

        assert (state.SEED.get(), state.SEED.is_set()) == (0, False)
        assert state.SEED.ensure() == 0
        assert st.session_state["seed"] == 0
        state.SEED.set(7)
        assert state.SEED.pop() == 7
        assert not state.SEED.is_set()
        state.SEED.clear()
        assert state.SERIES.ensure() is state.SERIES.ensure()
        row = state.CUTOFF_ROW.of("abc", 1)
        assert (row.name, row.get(), row.persisted) == ("cutoff_row_abc_1", None, True)

    assert not AppTest.from_function(page).run().exception


def test_no_other_module_names_a_key_as_a_string() -> None:
    names = {key.name for key in KEYS}
    found = {
        f"{path.name}: {node.value.value}"
        for path in UI
        if path != Path(state.__file__)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword)
        and node.arg == "key"
        and isinstance(node.value, ast.Constant)
        and node.value.value in names
    }
    assert found == set()
