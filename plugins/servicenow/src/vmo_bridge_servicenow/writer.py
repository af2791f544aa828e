"""Write single records through pysnow: looked up before a create, read back after a write."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vmo_bridge.plugin import (
    AccessError,
    Change,
    Receipt,
    RetryLater,
    SignInError,
    SourceError,
    WriteRefused,
    retry_moment,
)
from vmo_bridge_servicenow import query
from vmo_bridge_servicenow.client import failure

if TYPE_CHECKING:
    import requests
    from pysnow.resource import Resource

    from vmo_bridge_servicenow.auth import SignIn

_TIMEOUT = 60


class RecordWriter:
    """Writes through pysnow, each call with a resource of its own (a shared one leaks queries)."""

    def __init__(self, name: str, url: str, sign_in: SignIn) -> None:
        with warnings.catch_warnings():
            # pysnow says on import that libmagic is missing; we attach no files.
            warnings.simplefilter("ignore")
            import pysnow  # noqa: PLC0415 - slow to import, and only writers need it

        self._name = name
        self._session = _session(name, sign_in)
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
            lambda resource: resource.request("PATCH", path_append=f"/{key}", json=change.values),
            fields=("sys_id",),
        )
        return key

    def create(self, table: str, values: Mapping[str, str]) -> str:
        """Make a new record and return its sys_id."""
        created = self._call(table, lambda resource: resource.create(dict(values)))
        return str(created.one()["sys_id"])

    def read_back(self, change: Change, key: str) -> Receipt:
        """What the record holds now of the fields that were written."""
        row = self.one(change.table, f"sys_id={query.value(key)}", (*change.match, *change.values))
        if row is None:
            raise WriteRefused(
                f"{self._name}: {change.table}/{key} cannot be seen after the write; "
                "it was deleted meanwhile, or the user may not read it"
            )
        names = (*change.match, *change.values)
        stored = {name: str(row[name]) for name in names if name in row}
        return Receipt(key=key, stored=stored, seen_at=datetime.now(tz=UTC))

    def one(self, table: str, where: str, fields: tuple[str, ...]) -> dict[str, Any] | None:
        """The only record that meets an encoded query, or None."""

        def get(resource: Resource) -> Any:
            resource.parameters.exclude_reference_link = True
            return resource.get(query=where, limit=2, fields=["sys_id", *fields])

        rows: list[dict[str, Any]] = self._call(table, get).all()
        if len(rows) > 1:
            raise WriteRefused(
                f"{self._name}: {table}: more than one record meets {where!r:.120}; "
                "remove the double over there, then publish again"
            )
        return rows[0] if rows else None

    def _find(self, change: Change) -> str | None:
        if not change.match:
            raise WriteRefused(f"{self._name}: {change.table}: a new record needs a key of ours")
        where = "^".join(
            f"{query.column(name)}={query.value(text)}" for name, text in change.match.items()
        )
        row = self.one(change.table, where, tuple(change.match))
        if row is None:
            return None
        if any(str(row.get(name)) != text for name, text in change.match.items()):
            # The platform ignored a column it does not know and sent some other record.
            raise WriteRefused(
                f"{self._name}: {change.table}: the instance does not know "
                f"{', '.join(change.match)}; run 'vmo-bridge provision'"
            )
        return str(row["sys_id"])

    def _call(
        self, table: str, call: Callable[[Resource], Any], *, fields: tuple[str, ...] = ()
    ) -> Any:
        """Run one call on a fresh resource; pysnow's and requests' exceptions end here."""
        import pysnow.exceptions  # noqa: PLC0415 - see __init__
        import requests  # noqa: PLC0415 - as above

        resource = self._client.resource(api_path=f"/table/{query.column(table)}", timeout=_TIMEOUT)
        if fields:
            resource.parameters.add_custom({"sysparm_fields": ",".join(fields)})
        try:
            return call(resource)
        except requests.ConnectionError as error:
            raise RetryLater(
                f"{self._name}: the connection broke during a write to {table}; "
                "whether it arrived is looked up on the next run"
            ) from error
        except requests.Timeout as error:
            raise RetryLater(f"{self._name}: no answer in time to a write to {table}") from error
        except (requests.RequestException, pysnow.exceptions.PysnowException) as error:
            raise SourceError(f"{self._name}: {table}: {type(error).__name__}: {error}") from error


def _session(name: str, sign_in: SignIn) -> requests.Session:
    """A requests session that signs each request in, and judges each answer before pysnow does."""
    import requests  # noqa: PLC0415 - slow to import, and only writers need it

    session = requests.Session()
    session.trust_env = False  # a .netrc on the machine must not replace our credentials

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = sign_in.header()
        return request

    def judge(response: requests.Response, *_: object, **__: object) -> None:
        session.cookies.clear()
        _judge(name, sign_in, response)

    session.auth = sign
    session.max_redirects = 0
    session.hooks["response"].append(judge)
    return session


def _judge(name: str, sign_in: SignIn, response: requests.Response) -> None:
    """Raise what an answer means; pysnow would swallow an error inside a 200, and its text."""
    if response.status_code == 401:
        sign_in.forget()
        raise SignInError(f"{name}: a write was refused (401); check user and secret")
    if response.is_redirect:
        raise SignInError(f"{name}: redirects to a sign-in page ({response.status_code})")
    if response.status_code == 429:
        raise RetryLater(f"{name}: limits us (429)", retry_at=retry_moment(response.headers))
    if response.status_code in (502, 503, 504):
        raise RetryLater(f"{name}: answers {response.status_code}; it is down or overloaded")
    try:
        content = response.json() if response.content else {}
    except ValueError as error:
        raise RetryLater(
            f"{name}: answers a web page instead of data (status {response.status_code})"
        ) from error
    if not isinstance(content, dict) or (response.status_code < 400 and "error" not in content):
        return
    refused = failure(name, urlsplit(response.url).path, response.status_code, content)
    if isinstance(refused, (AccessError, SourceError)) and response.status_code < 500:
        raise WriteRefused(str(refused))
    raise refused
