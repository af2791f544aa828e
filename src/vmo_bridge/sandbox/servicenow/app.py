"""The instance as a web application: API, record pages, and the sandbox's switchboard."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from vmo_bridge.sandbox.servicenow.access import Credentials
from vmo_bridge.sandbox.servicenow.faults import Faults
from vmo_bridge.sandbox.servicenow.form import Pages
from vmo_bridge.sandbox.servicenow.gateway import Gateway
from vmo_bridge.sandbox.servicenow.instance import Instance
from vmo_bridge.sandbox.servicenow.replies import Dropped, Reply, Request

#: Key of the ASGI scope under which the server puts a function that cuts the connection.
CUT = "vmo_sandbox.cut"

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_Endpoint = Callable[[HttpRequest], Awaitable[Response]]


def make_app(
    instance: Instance,
    credentials: Credentials,
    faults: Faults,
    mounts: Iterable[tuple[str, Callable[[Request], Reply]]] = (),
) -> Starlette:
    """The whole application; ``mounts`` are other interfaces under paths of their own."""
    gateway = Gateway(instance, credentials, faults)
    pages = Pages(instance)
    return Starlette(
        routes=[
            Route("/__sandbox__/faults", _endpoint(_Switchboard(faults).answer), methods=_METHODS),
            Route("/oauth_token.do", _endpoint(gateway.token), methods=_METHODS),
            Route("/api/{rest:path}", _endpoint(gateway.answer), methods=_METHODS),
            *(
                Route(f"{prefix}/{{rest:path}}", _endpoint(answer), methods=_METHODS)
                for prefix, answer in mounts
            ),
            Route("/{rest:path}", _endpoint(pages.answer), methods=["GET", "HEAD"]),
        ]
    )


def _endpoint(answer: Callable[[Request], Reply]) -> _Endpoint:
    async def endpoint(http: HttpRequest) -> Response:
        request = Request(
            http.method,
            http.url.path,
            http.url.query,
            f"{http.url.scheme}://{http.headers.get('host', 'localhost')}",
            http.headers,
            await http.body(),
        )
        try:
            reply = await run_in_threadpool(answer, request)
            return await run_in_threadpool(_response, reply)
        except Dropped:
            cut: Callable[[], None] = http.scope[CUT]
            cut()
            return Response(status_code=500)

    return endpoint


def _response(reply: Reply) -> Response:
    content = reply.content()
    headers = dict(reply.headers)
    if content:
        headers["Content-Type"] = reply.media_type
    return Response(content, reply.status, headers)


class _Switchboard:
    """Turns faults on (POST one or a list), shows (GET) and clears (DELETE) them. Loopback only."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def answer(self, request: Request) -> Reply:
        if request.method == "DELETE":
            self._faults.clear()
        elif request.method == "POST":
            try:
                wanted = json.loads(request.body)
                for each in wanted if isinstance(wanted, list) else [wanted]:
                    self._faults.set(**each)
            except (ValueError, TypeError) as error:
                return Reply(400, {"error": str(error)})
        return Reply(200, {"faults": self._faults.active()})
