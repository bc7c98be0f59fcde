"""The door of the web page: which requests a browser may bring in.

What lives here: an ASGI middleware. Not here: what is behind it (web_page.py), who a person is: that is a proxy's part
(docs/deployment.md).

Dagster's web server answers whoever reaches it, and every page that is open in a person's browser reaches what listens
on that person's machine. So a request is let in only if it is addressed to a name of ours, if the page that sent it is
ours, and, where it may change something, if it is of a kind that a browser sends from no other page without asking
first (the Fetch standard's CORS preflight; nothing here answers one).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""Names by which a browser on this machine may call it."""

_READS = frozenset({"GET", "HEAD"})
# Kinds of content that a form, or a script without permission, cannot send.
_ASKED_FIRST = ("application/json", "application/graphql")
_QUERIES = "/graphql"


class Door:
    """Lets requests through to an application, or refuses them in one sentence.

    Args:
        app: What is behind the door.
        hosts: Names it may be called by, without ports.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        refusal = why_refused(scope, self._hosts)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal})
        else:
            await _refuse(send, refusal)


def why_refused(scope: Scope, hosts: Collection[str]) -> str | None:
    """Why a request may not come in, as one sentence; None: it may.

    Args:
        scope: The request, as ASGI describes it.
        hosts: Names it may be addressed to.
    """
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    address = headers.get("host", "")
    if _name(address) not in hosts:
        return (
            "This page is not called by the name in the address: open it by the address that `journeymart ui` prints, "
            "or name the host in JOURNEYMART_UI_HOSTS."
        )
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != address:
        return "Another page sent this request: do it on this page itself."
    if scope["type"] == "http" and _may_change(scope, headers):
        return "A request that may change something is a POST of application/json."
    return None


def _may_change(scope: Scope, headers: Mapping[str, str]) -> bool:
    """Whether the request may change something, and is of a kind that any page can send."""
    if scope["method"] not in _READS:
        return not headers.get("content-type", "").strip().lower().startswith(_ASKED_FIRST)
    # Dagster runs what stands in the address of a query, changes included, unless it is asked for the page to type it.
    is_query = scope["path"].rstrip("/").endswith(_QUERIES)
    return is_query and "text/html" not in headers.get("accept", "")


def _name(address: str) -> str:
    """The name in `name:port`; an IPv6 address keeps its brackets."""
    return address.rpartition("]")[0] + "]" if address.startswith("[") else address.partition(":")[0].lower()


async def _refuse(send: Send, sentence: str) -> None:
    body = sentence.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
