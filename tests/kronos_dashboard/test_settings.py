import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from kronos_dashboard.errors import SettingsError
from kronos_dashboard.settings import Settings, settings_schema
from tests.support.paths import ROOT


def test_the_environment_overrides_defaults() -> None:
    found = Settings.from_environment({"KRONOS_DASHBOARD_MAX_UPLOAD_MB": "5", "KRONOS_DASHBOARD_MODEL": "kronos-small"})
    assert (found.max_upload_mb, found.max_upload_bytes, found.model) == (5, 5 * 1024 * 1024, "kronos-small")
    assert found.max_horizon == Settings().max_horizon


@pytest.mark.parametrize("value", ["0", "-3", "many", "1.5", ""])
def test_a_number_out_of_range_is_refused_with_its_name(value: str) -> None:
    with pytest.raises(SettingsError, match=r"(?i)max_paths"):
        Settings.from_environment({"KRONOS_DASHBOARD_MAX_PATHS": value})


def test_bounds_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(SettingsError, match="must not exceed"):
        Settings(min_context=100, max_context=50)


def test_the_server_takes_files_as_large_as_the_settings_do() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["server"]["maxUploadSize"] == Settings().max_upload_mb
    assert config["server"]["address"] == "127.0.0.1"
    assert config["browser"]["gatherUsageStats"] is False


def test_fetched_candles_go_to_the_folder_that_is_named_or_to_the_cache_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Settings.from_environment({"KRONOS_DASHBOARD_CACHE_DIR": str(tmp_path / "candles")})
    assert found.cache_path == tmp_path / "candles"
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Settings().cache_path == tmp_path / "kronos-dashboard"


@pytest.mark.parametrize(
    "gateway", ["http://127.0.0.1:80", "https://localhost", "http://[::1]:8080/", "http://127.9.9.9"]
)
def test_a_gateway_of_feeds_may_be_on_this_machine(gateway: str) -> None:
    assert Settings(feed_proxy_url=gateway).feed_proxy_url == gateway


@pytest.mark.parametrize(
    "gateway",
    [
        "http://10.0.0.1:80",
        "http://example.org",
        "http://127.0.0.1.example.org",
        "http://localhost@example.org",
        "http://",
    ],
)
def test_a_gateway_of_feeds_elsewhere_is_refused(gateway: str) -> None:
    with pytest.raises(SettingsError, match="must be on this machine"):
        Settings(feed_proxy_url=gateway)


def test_a_gateway_of_feeds_must_be_an_address() -> None:
    with pytest.raises(SettingsError, match="http://"):
        Settings(feed_proxy_url="127.0.0.1:80")


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "5"])
def test_a_setting_is_checked_also_when_it_is_made_in_python(value: object) -> None:
    with pytest.raises(SettingsError, match="max_paths must be a whole number of at least 1"):
        Settings(max_paths=value)  # type: ignore[arg-type]


def test_a_json_schema_describes_every_setting() -> None:
    schema = settings_schema()
    assert schema["properties"].keys() == {field.name for field in fields(Settings)}
    assert schema["properties"]["max_paths"]["minimum"] == 1
