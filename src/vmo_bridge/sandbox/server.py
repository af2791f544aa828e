"""Serves a sandbox directory over HTTP on loopback, in a thread for tests or until a signal."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from vmo_bridge.errors import ConfigError
from vmo_bridge.sandbox.build import ensure_directory
from vmo_bridge.sandbox.replay.log import EventLog
from vmo_bridge.sandbox.servicenow import update_set
from vmo_bridge.sandbox.servicenow.access import User, read_credentials
from vmo_bridge.sandbox.servicenow.app import CUT, make_app
from vmo_bridge.sandbox.servicenow.faults import Faults
from vmo_bridge.sandbox.servicenow.instance import Clock, Instance, utc_now
from vmo_bridge.sandbox.servicenow.writes import apply
from vmo_bridge.sandbox.sides import JiraSide, Sides, SurveySide

HOST = "127.0.0.1"


class Tls(NamedTuple):
    """Files (PEM) of a certificate with its chain, and of its key."""

    cert: Path
    key: Path


class SandboxServer:
    """The sandbox in ``directory``, made first if it is not there; serves while it is entered.

    ``seed`` chooses the agency of a new directory (None: the default one, or whatever stands
    there), ``log`` is replayed instead of an agency. ``port`` 0 takes a free one. ``clock`` says
    what time it is on the instance. ``tls`` makes it https.
    """

    def __init__(
        self,
        directory: Path,
        seed: int | None = None,
        *,
        host: str = HOST,
        port: int = 0,
        faults: Faults | None = None,
        clock: Clock = utc_now,
        log: EventLog | None = None,
        tls: Tls | None = None,
    ) -> None:
        _check_loopback(host)
        self._tls = tls
        self.directory = Path(directory)
        self.faults = faults or Faults()
        ensure_directory(self.directory, seed, log)
        self._instance = Instance(self.directory / "instance.db", clock)
        content = json.loads((self.directory / "credentials.json").read_text())
        self.credentials = read_credentials(content)
        self.client_id = self.credentials.client_id
        self.client_secret = self.credentials.client_secret
        self._host = host
        self._sides = Sides(self._instance, content, self.faults, lambda: self.url)
        self._socket = _bound(host, port)
        self._server = _Server(self._config())
        self._thread: threading.Thread | None = None

    @classmethod
    def start(
        cls,
        directory: Path,
        seed: int | None = None,
        port: int = 0,
        *,
        faults: Faults | None = None,
        clock: Clock = utc_now,
        tls: Tls | None = None,
    ) -> Self:
        """A server that answers already; leave it with ``stop()`` or use it in ``with``."""
        server = cls(directory, seed, port=port, faults=faults, clock=clock, tls=tls)
        return server.__enter__()

    @property
    def url(self) -> str:
        """The address of the instance, e.g. ``http://127.0.0.1:8080``."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{host}:{self._socket.getsockname()[1]}"

    def user(self, name: str) -> User:
        """A user of the instance with password and API key."""
        found = self.credentials.user(name)
        if found is None:
            raise KeyError(name)
        return found

    def auth(self, name: str = "vmo.bridge") -> tuple[str, str]:
        """User name and password, as HTTP clients want them."""
        return name, self.user(name).password

    @property
    def jira(self) -> JiraSide:
        """Addresses, accounts and store of the Jira beside it."""
        if self._sides.jira is None:
            message = (
                f"sandbox {self.directory}: replays a log or was made before there was a Jira; "
                "make a new one"
            )
            raise ConfigError(message)
        return self._sides.jira

    @property
    def surveymonkey(self) -> SurveySide:
        """Address, token and store of the SurveyMonkey beside it."""
        if self._sides.surveymonkey is None:
            message = (
                f"sandbox {self.directory}: replays a log or was made before there were surveys; "
                "make a new one"
            )
            raise ConfigError(message)
        return self._sides.surveymonkey

    # -- running -----------------------------------------------------------------------------

    def run(self, ready: Callable[[str], None] = lambda _: None) -> None:
        """Serve in this thread until ``ask_stop()``; ``ready`` gets the address once it answers."""

        def announce() -> None:
            self._write_state()
            ready(self.url)

        self._server.on_ready = announce
        try:
            asyncio.run(self._server.serve(sockets=[self._socket]))
        finally:
            self._socket.close()
            self._instance.close()
            (self.directory / "sandbox.json").unlink(missing_ok=True)

    def ask_stop(self) -> None:
        """Let ``run`` end; safe in a signal handler."""
        self._server.should_exit = True

    def stop(self) -> None:
        """End a server that runs in the background, and wait for it."""
        self.ask_stop()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        if self._thread is not None:
            return self
        answering = threading.Event()
        self._thread = threading.Thread(
            target=self.run, args=(lambda _: answering.set(),), name="sandbox", daemon=True
        )
        self._thread.start()
        while not answering.wait(0.05):
            if not self._thread.is_alive():
                message = "the sandbox did not start; its thread ended with an error"
                raise RuntimeError(message)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # -- looking inside ----------------------------------------------------------------------

    def rows(self, table: str, query: str = "") -> list[dict[str, str]]:
        """Rows of a table straight from the file; ``query`` is an encoded query."""
        return self._instance.rows(table, query)

    def load(self, table: str, rows: Iterable[Mapping[str, str]]) -> int:
        """Put rows in as they are, past access rules, stamps and write log; returns how many."""
        return self._instance.load(table, (dict(row) for row in rows))

    def change(self, *instructions: Mapping[str, object]) -> None:
        """Write in the name of ``system``: ``{operation, table, sys_id, values}`` each.

        ``operation`` is insert, update or delete; the write log and the deletions note it.
        """
        apply(self._instance, instructions)

    def take_update_set(self, content: bytes) -> int:
        """Import, preview and commit an Update Set as an admin would; how many rows it held."""
        return update_set.take(self._instance, content)

    def write_log(self) -> list[dict[str, Any]]:
        """Every write through the interfaces: id, at, user, table, sys_id, operation, changes."""
        return self._instance.write_log()

    def truth(self) -> dict[str, Any]:
        """The planted stories; of a replay, which log it is."""
        found: dict[str, Any] = json.loads((self.directory / "truth.json").read_text())
        return found

    # -- parts -------------------------------------------------------------------------------

    def _config(self) -> uvicorn.Config:
        app = make_app(self._instance, self.credentials, self.faults, self._sides.mounts)
        return uvicorn.Config(
            app, http=_Cuttable, loop="asyncio", lifespan="off", ws="none", log_config=None,
            access_log=False, server_header=False, timeout_graceful_shutdown=2,
            ssl_certfile=self._tls and str(self._tls.cert),
            ssl_keyfile=self._tls and str(self._tls.key),
        )  # fmt: skip

    def _write_state(self) -> None:
        state = {"url": self.url, "pid": os.getpid()}
        target = self.directory / "sandbox.json"
        fresh = target.with_suffix(".tmp")
        fresh.write_text(json.dumps(state) + "\n")
        fresh.replace(target)


def serve(
    directory: Path,
    *,
    seed: int | None = None,
    log: EventLog | None = None,
    host: str = HOST,
    port: int = 0,
    tls: Tls | None = None,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve ``directory`` until SIGTERM or SIGINT; ``ready`` gets the address once it answers."""
    server = SandboxServer(directory, seed, host=host, port=port, log=log, tls=tls)
    before = {
        number: signal.signal(number, lambda *_: server.ask_stop())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        server.run(ready)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Server(uvicorn.Server):
    """Tells when it answers, and leaves signals to whoever runs it."""

    on_ready: Callable[[], None] = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_ready()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]  # uvicorn's is a generator
        return nullcontext()


class _Cuttable(H11Protocol):
    """HTTP/1.1 whose connection a fault may cut without a reply."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        app = self.app

        async def cuttable(scope: Any, receive: Any, send: Any) -> None:
            scope[CUT] = self.transport.abort
            await app(scope, receive, send)

        self.app = cuttable


def _check_loopback(host: str) -> None:
    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        message = f"sandbox host: {host!r} is not a loopback address; use 127.0.0.1"
        raise ConfigError(message)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio only switches Nagle off (40 ms a reply) where the socket says that it is TCP.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        message = f"sandbox port: {host}:{port} cannot be used ({error.strerror}); choose another"
        raise ConfigError(message) from error
    return found
