"""What the server refuses: foreign hosts, pages of other sites, uploads without a token or beyond the limit."""

from __future__ import annotations

import http.client
import json
import socket
import tomllib
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from kronos_dashboard.settings import Settings
from tests.browser.conftest import ROOT

CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
UPLOAD = "/_stcore/upload_file/{session}/one"
PROTOCOL = ("streamlit", "PLACEHOLDER_AUTH_TOKEN")


def stream(server: str, *, host: str | None = None, origin: str | None = None) -> ClientConnection:
    """The websocket of the app, as a page of that host and origin would open it."""
    at = urlsplit(server)
    return connect(
        f"ws://{host or at.hostname}:{at.port}/_stcore/stream",
        origin=origin or server,  # type: ignore[arg-type]
        subprotocols=list(PROTOCOL),  # type: ignore[arg-type]
        sock=socket.create_connection((at.hostname, at.port)),
        max_size=None,
        proxy=None,
    )


@pytest.fixture
def session(server: str) -> Iterator[str]:
    """A session of the app, by its id."""
    with stream(server) as opened:
        opened.send(BackMsg(rerun_script={"page_name": "Data"}).SerializeToString())
        while True:
            message = ForwardMsg()
            message.ParseFromString(opened.recv(timeout=60))  # type: ignore[arg-type]
            if message.WhichOneof("type") == "new_session":
                break
        yield message.new_session.initialize.session_id


def ask(server: str, method: str, path: str, **headers: str) -> tuple[int, str]:
    """Status and cookie of the answer."""
    with closing(http.client.HTTPConnection(urlsplit(server).netloc, timeout=60)) as connection:
        connection.putrequest(method, path)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        with connection.getresponse() as answer:
            return answer.status, answer.getheader("Set-Cookie") or ""


def token(server: str) -> str:
    return ask(server, "GET", "/_stcore/health")[1].partition("_streamlit_xsrf=")[2].partition(";")[0]


def test_the_app_answers_its_own_page(server: str) -> None:
    with stream(server) as opened:
        assert opened.subprotocol == "streamlit"


def test_a_foreign_host_header_is_refused(server: str) -> None:
    with pytest.raises(InvalidStatus) as refused, stream(server, host="rebound.example"):
        pass
    assert refused.value.response.status_code in (400, 403)


def test_a_page_of_another_site_cannot_open_the_websocket(server: str) -> None:
    with pytest.raises(InvalidStatus) as refused, stream(server, origin="https://other.example"):
        pass
    assert refused.value.response.status_code == 403


def test_an_upload_without_the_token_of_the_page_is_refused(server: str, session: str) -> None:
    assert ask(server, "PUT", UPLOAD.format(session=session), Content_Length="0")[0] == 403


def test_an_upload_beyond_the_limit_is_refused_before_it_is_read(server: str, session: str) -> None:
    value = token(server)
    headers = {"Cookie": f"_streamlit_xsrf={value}", "X_Xsrftoken": value}
    limit = CONFIG["server"]["maxUploadSize"] * 1024 * 1024
    assert ask(server, "PUT", UPLOAD.format(session=session), Content_Length=str(limit + 1), **headers)[0] == 413
    empty = ask(server, "PUT", UPLOAD.format(session=session), Content_Length="0", **headers)
    assert empty[0] == 400, "the token was right, but there was no file"


def test_the_agent_interface_is_closed(server: str) -> None:
    assert ask(server, "POST", "/_stcore/agent/interact", Content_Length="0")[0] in (403, 404, 405)


CLIENT = "/_stcore/bidi-components/kronos_dashboard.client"


@pytest.fixture
def charting(server: str) -> str:
    """The server once a page with charts has run, so that it hands out what they need."""
    with stream(server) as opened:
        opened.send(BackMsg(rerun_script={"page_name": ""}).SerializeToString())
        message = ForwardMsg()
        while message.WhichOneof("type") != "script_finished":
            message.ParseFromString(opened.recv(timeout=60))  # type: ignore[arg-type]
    return server


def body(server: str, path: str) -> tuple[int, bytes]:
    """Status and body of the answer to exactly this path."""
    with closing(http.client.HTTPConnection(urlsplit(server).netloc, timeout=60)) as connection:
        connection.request("GET", path)
        with connection.getresponse() as answer:
            return answer.status, answer.read()


def test_what_charts_need_is_handed_out(charting: str) -> None:
    status, found = body(charting, f"{CLIENT}/component.js")
    assert (status, found) == (200, (ROOT / "kronos_dashboard/charts/client/component.js").read_bytes())


@pytest.mark.parametrize("path", [
    f"{CLIENT}/", f"{CLIENT}/../fan.py", f"{CLIENT}/..%2ffan.py", f"{CLIENT}/%2e%2e/fan.py", f"{CLIENT}/..%5cfan.py",
    f"{CLIENT}/component.js/../../fan.py", f"{CLIENT}//etc/passwd", f"{CLIENT}/%00", f"{CLIENT}/C:%5cboot.ini",
    "/app/static", "/static", "/static/js", "/app/static/../Home.py", "/Home.py", "/.streamlit/config.toml",
    "/../Home.py", "/static/../../../../../etc/passwd", "//etc/passwd", "/_stcore/upload_file/", "/media/../Home.py",
    "/_stcore/component/x/../../Home.py",
])  # fmt: skip
def test_no_other_file_and_no_list_of_files_is_handed_out(charting: str, path: str) -> None:
    status, found = body(charting, path)
    _, front = body(charting, "/")
    assert status >= 300 or found == front, "an unknown address is the front page, which says that there is none"


def test_no_page_around_this_one_may_steer_it(server: str) -> None:
    assert json.loads(body(server, "/_stcore/host-config")[1])["allowedOrigins"] == ["https://nobody.invalid"]


def test_the_cookie_of_the_token_stays_with_this_site(server: str) -> None:
    cookie = ask(server, "GET", "/_stcore/health")[1]
    assert "_streamlit_xsrf" in cookie
    assert "SameSite=Lax" in cookie


def test_the_settings_agree_with_those_of_the_dashboard() -> None:
    assert CONFIG["server"]["maxUploadSize"] == Settings().max_upload_mb
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert CONFIG["browser"]["gatherUsageStats"] is False


def test_every_setting_of_the_server_has_a_reason_beside_it() -> None:
    lines = (ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8").splitlines()
    bare = [line for line in lines if "=" in line.partition("#")[0] and not line.partition("#")[2].strip()]
    assert bare == []
