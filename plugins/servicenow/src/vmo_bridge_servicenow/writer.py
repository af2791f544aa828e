"""Write single records through pysnow: looked up before a create, read back after a write."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vmo_bridge.plugin import (
    AccessError,
    Change,
    HourBudget,
    Receipt,
    RetryLater,
    SignInError,
    SourceError,
    WriteRefused,
    is_loopback_url,
    retry_moment,
)
from vmo_bridge_servicenow import query
from vmo_bridge_servicenow.client import failure
from vmo_bridge_servicenow.sweep import moment_of

if TYPE_CHECKING:
    import requests
    from pysnow.resource import Resource

    from vmo_bridge_servicenow.auth import SignIn

_TIMEOUT = 60
STAMP = "sys_updated_on"


class _NotSignedIn(SignInError):
    """Inside only: a 401, which a fresh token may heal."""


class RecordWriter:
    """Writes through pysnow, each call with a resource of its own (a shared one leaks queries)."""

    def __init__(self, name: str, url: str, sign_in: SignIn, budget: HourBudget) -> None:
        with warnings.catch_warnings():
            # pysnow says on import that libmagic is missing; we attach no files.
            warnings.simplefilter("ignore")
            import pysnow  # noqa: PLC0415 - slow to import, and only writers need it

        self._name = name
        self._sign_in = sign_in
        self._session = _session(name, url, sign_in, budget)
        parts = urlsplit(url)
        self._client = pysnow.Client(
            host=parts.netloc, use_ssl=parts.scheme == "https", session=self._session
        )

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def write(self, change: Change) -> str:
        """Make the change and return the record's sys_id.

        A create looks for the record first: an earlier attempt may have arrived without its reply.
        """
        key = change.key or self._find(change)
        if key is None:
            return self.create(change.table, {**change.match, **change.values})
        self._call(
            change.table,
            lambda resource: resource.request(
                "PATCH", path_append=f"/{key}", json=dict(change.values)
            ),
            fields=("sys_id",),
        )
        return key

    def create(self, table: str, values: Mapping[str, str]) -> str:
        """Make a new record and return its sys_id."""
        created = self._call(table, lambda resource: resource.create(dict(values)).one())
        if "sys_id" not in created:
            raise SourceError(f"{self._name}: {table}: the answer to a create has no sys_id")
        return str(created["sys_id"])

    def read_back(self, change: Change, key: str) -> Receipt:
        """What the record holds now of the fields that were written."""
        names = (*change.match, *change.values)
        row = next(iter(self.rows(change.table, {"sys_id": key}, (*names, STAMP))), None)
        if row is None:
            raise WriteRefused(
                f"{self._name}: {change.table}/{key} cannot be seen after the write; "
                "it was deleted meanwhile, or the user may not read it"
            )
        stored = {name: str(row[name]) for name in names if name in row}
        return Receipt(
            key=key,
            stored=stored,
            seen_at=datetime.now(tz=UTC),
            changed_at=moment_of(row.get(STAMP)),
        )

    def remove(self, table: str, key: str) -> None:
        """Delete one record; ``WriteRefused`` if it is not there or may not be deleted."""
        self._call(
            table,
            lambda resource: resource.request("DELETE", path_append=f"/{query.key(key)}"),
        )

    def rows(
        self, table: str, where: Mapping[str, str], fields: Iterable[str] = ()
    ) -> list[dict[str, Any]]:
        """The records (ten at most) whose columns hold these values; ``WriteRefused``."""
        try:
            wanted = "^".join(
                f"{query.column(name)}={query.value(text)}" for name, text in where.items()
            )
        except ValueError as error:
            raise WriteRefused(f"{self._name}: {table}: {error}; rename it") from None

        def get(resource: Resource) -> list[dict[str, Any]]:
            resource.parameters.exclude_reference_link = True
            names = list(dict.fromkeys(("sys_id", *where, *fields)))
            found: list[dict[str, Any]] = resource.get(query=wanted, limit=10, fields=names).all()
            return found

        rows: list[dict[str, Any]] = self._call(table, get)
        for row in rows:
            if any(str(row.get(name)) != text for name, text in where.items()):
                # The platform ignores a column it does not know, and sends any other record.
                raise WriteRefused(
                    f"{self._name}: {table}: the instance does not know (or does not show us) "
                    f"{', '.join(where)}; run 'vmo-bridge provision'"
                )
        return rows

    def _find(self, change: Change) -> str | None:
        if not change.match:
            raise WriteRefused(f"{self._name}: {change.table}: a new record needs a key of ours")
        rows = self.rows(change.table, change.match)
        if len(rows) > 1:
            raise WriteRefused(
                f"{self._name}: {change.table}: more than one record holds "
                f"{dict(change.match)!r:.120}; remove the double over there, then publish again"
            )
        return str(rows[0]["sys_id"]) if rows else None

    def _call(
        self, table: str, call: Callable[[Resource], Any], *, fields: tuple[str, ...] = ()
    ) -> Any:
        """Run one call; a token that was revoked early is answered once with a fresh one."""
        try:
            return self._attempt(table, call, fields)
        except _NotSignedIn:
            if not self._sign_in.renews:
                raise
            return self._attempt(table, call, fields)  # a 401 did nothing: safe to repeat

    def _attempt(self, table: str, call: Callable[[Resource], Any], fields: tuple[str, ...]) -> Any:
        """Run one call on a fresh resource; pysnow's and requests' exceptions end here."""
        import pysnow.exceptions  # noqa: PLC0415 - see __init__
        import requests  # noqa: PLC0415 - as above

        resource = self._client.resource(api_path=f"/table/{query.column(table)}", timeout=_TIMEOUT)
        if fields:
            resource.parameters.add_custom({"sysparm_fields": ",".join(fields)})
        try:
            return call(resource)
        except (
            requests.ConnectionError,
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        ) as error:
            raise RetryLater(
                f"{self._name}: the connection broke during a write to {table}; "
                "whether it arrived is looked up on the next run"
            ) from error
        except requests.Timeout as error:
            raise RetryLater(f"{self._name}: no answer in time to a write to {table}") from error
        except (requests.RequestException, pysnow.exceptions.PysnowException) as error:
            raise SourceError(f"{self._name}: {table}: {type(error).__name__}: {error}") from error


def _session(name: str, url: str, sign_in: SignIn, budget: HourBudget) -> requests.Session:
    """A requests session that signs each request in, and judges each answer before pysnow does."""
    import requests  # noqa: PLC0415 - slow to import, and only writers need it

    session = requests.Session()

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        budget.spend()
        request.headers.update(sign_in.headers())
        return request

    def judge(response: requests.Response, *_: object, **__: object) -> None:
        body = response.content  # to its end, or the connection would be lost with the error
        session.cookies.clear()
        _judge(name, sign_in, response, body)

    # With an auth of its own the session looks into no .netrc; proxies and certificates of the
    # environment hold for writes as they do for reads.
    session.auth = sign
    session.trust_env = not is_loopback_url(url)
    session.max_redirects = 0
    session.hooks["response"].append(judge)
    return session


def _judge(name: str, sign_in: SignIn, response: requests.Response, body: bytes) -> None:
    """Raise what an answer means; pysnow would swallow an error inside a 200, and its text."""
    if response.status_code == 401:
        sign_in.forget(str(response.request.headers.get("Authorization", "")))
        raise _NotSignedIn(f"{name}: a write was refused (401); check user and secret")
    if response.is_redirect:
        raise SignInError(f"{name}: redirects to a sign-in page ({response.status_code})")
    if response.status_code == 429:
        raise RetryLater(f"{name}: limits us (429)", retry_at=retry_moment(response.headers))
    if response.status_code in (502, 503, 504):
        raise RetryLater(f"{name}: answers {response.status_code}; it is down or overloaded")
    try:
        content = response.json() if body else {}
    except ValueError as error:
        raise RetryLater(
            f"{name}: answers a web page instead of data (status {response.status_code})"
        ) from error
    if not isinstance(content, dict):
        raise SourceError(f"{name}: answers {response.status_code} without a reason, no object")
    if response.status_code < 400 and "error" not in content:
        return
    refused = failure(name, urlsplit(response.url).path, response.status_code, content)
    if isinstance(refused, (AccessError, SourceError)) and response.status_code < 500:
        raise WriteRefused(str(refused))
    raise refused
