"""Dagster's web page, served by this process behind the door until it is asked to end or a service does.

What lives here: the server. Not here: who is let in (door.py), the services (services.py), the report
(report_server.py).
"""

from __future__ import annotations

import signal
from collections.abc import Collection
from threading import Event, Thread
from typing import TYPE_CHECKING

from orchestration.ui.door import Door
from storage.errors import JourneymartError

if TYPE_CHECKING:
    from dagster import DagsterInstance
    from uvicorn import Server

    from orchestration.ui.services import Services

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOOK_SECONDS = 1.0
_CLOSE_SECONDS = 2
# Milliseconds between two looks of an open page at what is new.
_POLL_MILLISECONDS = 2000


class AskedToEndError(Exception):
    """Somebody asked this process to end: by the keyboard, a signal, or a terminal that closed."""


def end_when_asked() -> None:
    """Let the usual signals end this process by way of an error, so that what it holds is let go in order.

    A shell without job control starts what is in the background deaf to SIGINT; it is to hear it.
    """

    def ask(number: int, _: object) -> None:
        # Once is enough: a second one would break off the letting go.
        for each in _ENDING:
            signal.signal(each, signal.SIG_IGN)
        raise AskedToEndError(signal.Signals(number).name)

    for number in _ENDING:
        signal.signal(number, ask)


def serve_web_page(instance: DagsterInstance, running: Services, host: str, port: int, names: Collection[str]) -> None:
    """Serve the page until this process is asked to end.

    Args:
        instance: Dagster's run history.
        running: Dagster's services; the page ends when one of them does.
        host: Address to listen on.
        port: Its port.
        names: Names by which a browser may call the page.

    Raises:
        AskedToEndError: It was asked to.
        JourneymartError: The port is taken, or a service ended.
    """
    import uvicorn
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import WorkspaceFileTarget
    from dagster_webserver.app import create_app_from_workspace_process_context
    from dagster_webserver.version import __version__

    target = WorkspaceFileTarget([str(running.workspace)])
    with WorkspaceProcessContext(instance, target, version=__version__) as context:
        app = create_app_from_workspace_process_context(context, live_data_poll_rate=_POLL_MILLISECONDS)
        server = uvicorn.Server(
            uvicorn.Config(
                Door(app, names),
                host=host,
                port=port,
                log_level="warning",
                # Open pages hold a connection for as long as they are open.
                timeout_graceful_shutdown=_CLOSE_SECONDS,
            )
        )
        over = Event()
        Thread(target=_end_with_a_service, args=(server, running, over), daemon=True).start()
        try:
            server.run()
        except SystemExit:
            raise JourneymartError(
                f"The web page cannot be served on port {port} of {host}: it is taken, or not this machine's; name "
                "another --port or --host."
            ) from None
        finally:
            over.set()
    raise JourneymartError(
        f"Dagster's service for {running.ended()} ended by itself, and the web page with it; what it said is above: "
        "run `journeymart ui` again."
    )


def _end_with_a_service(server: Server, running: Services, over: Event) -> None:
    while not over.wait(_LOOK_SECONDS):
        if running.ended():
            server.should_exit = True
            return
