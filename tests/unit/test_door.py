"""The door of the web page: what a browser may bring in. Not here: Dagster behind it (tests/e2e/test_web_page.py)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.ui.door import LOOPBACK, why_refused

NAMES = {*LOOPBACK, "cx.acme.example"}


def request(method: str = "GET", path: str = "/", kind: str = "http", **headers: str) -> dict:
    """A request as ASGI describes it; header names have underscores for dashes."""
    said = {"host": "127.0.0.1:3000", **headers}
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in said.items()]
    return {"type": kind, "path": path, "headers": raw, **({"method": method} if kind == "http" else {})}


@pytest.mark.parametrize(
    "asked",
    [
        request(),
        request(host="localhost:3000"),
        request(host="[::1]:3000"),
        request(host="cx.acme.example", origin="https://cx.acme.example"),
        request("HEAD"),
        request("GET", "/graphql", accept="text/html,application/xhtml+xml"),
        request("POST", "/graphql", content_type="application/json", origin="http://127.0.0.1:3000"),
        request("POST", "/graphql", content_type="application/json; charset=utf-8"),
        request(kind="websocket", path="/graphql", origin="http://127.0.0.1:3000"),
        # A program that is no browser names no origin.
        request(kind="websocket", path="/graphql"),
    ],
)
def test_the_page_itself_and_programs_are_let_in(asked: dict) -> None:
    assert why_refused(asked, NAMES) is None


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:3001", "http://localhost:3000"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_what_another_page_sends_is_refused(origin: str, kind: str) -> None:
    refusal = why_refused(request("POST", kind=kind, origin=origin, content_type="application/json"), NAMES)
    assert refusal is not None
    assert refusal.startswith("Another page")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:3000", "", "[::2]:3000"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_name_that_was_made_to_point_here_is_refused(host: str, kind: str) -> None:
    refusal = why_refused(request(kind=kind, host=host, origin=f"http://{host}"), NAMES)
    assert refusal is not None
    assert "JOURNEYMART_UI_HOSTS" in refusal


@given(
    st.sampled_from(["POST", "PUT", "DELETE", "PATCH"]),
    st.sampled_from(["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]),
    st.sampled_from(["/graphql", "/report_asset_check/a", "/"]),
)
def test_a_change_of_a_kind_that_a_form_can_send_is_refused(method: str, content_type: str, path: str) -> None:
    assert why_refused(request(method, path, content_type=content_type), NAMES) is not None


@pytest.mark.parametrize("path", ["/graphql", "/graphql/", "/behind/a/proxy/graphql"])
def test_a_query_in_an_address_is_refused_since_it_may_be_a_change(path: str) -> None:
    assert why_refused(request("GET", path, accept="*/*"), NAMES) is not None
