"""Write values to issues that are there: our property, mapped fields, and what stands beside.

The property ``vmo.value`` holds a JSON object; it needs no screen and moves nothing else of the
issue. Our members are texts in it, the members of others are left alone. A link to a demand and a
comment stand beside the issue: each takes calls of its own, and only where it is named.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from vmo_bridge.plugin import (
    AccessError,
    Change,
    Difference,
    Receipt,
    RetryLater,
    SourceError,
    TargetTable,
    WriteRefused,
)
from vmo_bridge_jira import comments, links, moments
from vmo_bridge_jira.client import JiraClient
from vmo_bridge_jira.flatten import shown
from vmo_bridge_jira.limits import Limits
from vmo_bridge_jira.site import JiraField, read_fields

if TYPE_CHECKING:
    from vmo_bridge_jira.library import Library

log = logging.getLogger(__name__)

PROPERTY = "vmo.value"
TABLES = ("issue", "epic")
_PREFIX = f"{PROPERTY}."
_LONGEST = 32_768
_MANY = 100
_AS_TEXT = ("string", "date", "datetime", "any")


class _Beside(Protocol):
    """Something of ours that stands beside an issue, as a text; empty where it is not."""

    def read(self, key: str) -> str: ...

    def write(self, key: str, text: str) -> None: ...


class IssueWriter:
    """Reads and writes values of single issues; makes none."""

    def __init__(
        self, client: JiraClient, library: Library, limits: Limits, *, cloud: bool
    ) -> None:
        self._limits = limits
        self._name = client.name
        self._client = client
        self._library = library
        self._cloud = cloud
        self._known: list[JiraField] | None = None
        self._beside: Mapping[str, _Beside] = {
            links.FIELD: links.DemandLink(library, client.http.url),
            comments.FIELD: comments.SignalComment(library, client.http.url),
        }
        self._told: set[str] = set()

    def current(
        self, table: str, field_: str, keys: Sequence[str], names: Sequence[str]
    ) -> dict[str, dict[str, str]]:
        """What the issues hold, by id; in bulk on the Cloud, one by one on Data Center."""
        if table not in TABLES or field_ != "sys_id":
            raise AccessError(
                f"{self._name}: Jira has no place {table!r} with records found by {field_!r}; "
                f"values are written to {' and '.join(TABLES)}, by id"
            )
        wanted = [key for key in dict.fromkeys(keys) if _is_id(key)]
        found = {}
        for issue in self._bulk(wanted, names) if self._cloud else self._singly(wanted, names):
            key = str(issue.get("id"))
            if key in wanted:
                found[key] = {"sys_id": key, **self._values(issue, names)}
        return found

    def write(self, change: Change) -> str:
        """Make the change; a repeated one finds its values there and changes nothing more."""
        key = self._key(change.table, change.key)
        issue = self._read(key, [*change.values])
        fields = {
            self._id(name): self._converted(name, text)
            for name, text in change.values.items()
            if self._is_field(name)
        }
        members = {
            name.removeprefix(_PREFIX): text
            for name, text in change.values.items()
            if name.startswith(_PREFIX)
        }
        merged = self._merged(issue.raw, members) if members else None
        if fields:
            # The site may call itself by another address than we do; ours is the one we trust.
            issue.self = f"{self._client.http.url}/rest/api/2/issue/{key}"
            self._refused(lambda: issue.update(fields=fields), key)
        if merged is not None:
            self._refused(lambda: self._library.add_issue_property(key, PROPERTY, merged), key)
        beside = {name: text for name, text in change.values.items() if name in self._beside}
        self._write_beside(key, beside, alone=not fields and merged is None)
        return key

    def read_back(self, change: Change, key: str) -> Receipt:
        """What the issue holds now of the values that were written."""
        issue = self._read(self._key(change.table, key), [*change.values], "updated")
        stored = self._values(issue.raw, [*change.values])
        return Receipt(
            key=key,
            stored=stored,
            seen_at=datetime.now(tz=UTC),
            changed_at=_updated(issue.raw),
        )

    def field(self, name: str) -> JiraField | None:
        """A field by its id or its only name."""
        if self._known is None:
            self._known = read_fields(self._library, self._name)
        by_id = [each for each in self._known if each.id == name]
        found = by_id or [each for each in self._known if each.name.casefold() == name.casefold()]
        return found[0] if len(found) == 1 else None

    def absent(self, tables: Sequence[TargetTable]) -> list[Difference]:
        """Fields that the site does not have, or has several of under that name."""
        detail = "the site has no such field, or several of that name; name it by its id"
        return [
            Difference(what=f"{table.table}.{column.name}", state="missing", detail=detail)
            for table in tables
            for column in table.columns
            if self.field(column.name) is None
        ]

    # -- reading -----------------------------------------------------------------------------

    def _bulk(self, keys: Sequence[str], names: Sequence[str]) -> Iterable[dict[str, Any]]:
        path = "/rest/api/2/issue/bulkfetch"
        for start in range(0, len(keys), _MANY):
            body = {
                "issueIdsOrKeys": list(keys[start : start + _MANY]),
                "fields": self._ids(names), "properties": [PROPERTY],
            }  # fmt: skip
            content = self._client.mapping(self._client.post(path, body), path)
            yield from content.get("issues") or ()

    def _singly(self, keys: Sequence[str], names: Sequence[str]) -> Iterable[dict[str, Any]]:
        for key in keys:
            try:
                yield self._library.issue(
                    key, fields=",".join(self._ids(names)), properties=PROPERTY
                ).raw
            except AccessError:
                continue  # it is not there, or not visible: absent

    def _read(self, key: str, names: Sequence[str], *fields: str) -> Any:
        asked = ",".join([*self._ids(names), *fields])
        return self._refused(lambda: self._library.issue(key, fields=asked, properties=PROPERTY))

    def _ids(self, names: Iterable[str]) -> list[str]:
        """The fields to ask for; asking for none would give all."""
        own = (self.field(name) for name in names if self._is_field(name))
        return [each.id for each in own if each is not None] or ["summary"]

    def _is_field(self, name: str) -> bool:
        return name not in self._beside and not name.startswith(_PREFIX)

    def _values(self, issue: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
        """In our notation; what the issue does not have is absent, what is empty is empty."""
        held = issue.get("fields") or {}
        kept = (issue.get("properties") or {}).get(PROPERTY, {})
        found = {}
        for name in names:
            if name.startswith(_PREFIX):
                if isinstance(kept, dict):
                    found[name] = notation(kept.get(name.removeprefix(_PREFIX)))
                continue
            if name in self._beside:
                text = self._read_beside(str(issue.get("id")), name)
                found |= {} if text is None else {name: text}
                continue
            own = self.field(name)
            if own is not None and own.id in held:
                found[name] = notation(held[own.id])
        return found

    def _read_beside(self, key: str, name: str) -> str | None:
        """What stands beside an issue; None where the site does not show it, which is told once."""
        try:
            return self._beside[name].read(key)
        except (AccessError, SourceError) as error:
            if name not in self._told:
                log.warning("%s: %s: %s", self._name, name, error)
            self._told.add(name)
            return None

    # -- writing -----------------------------------------------------------------------------

    def _write_beside(self, key: str, texts: Mapping[str, str], *, alone: bool) -> None:
        """What is refused here does not undo what was written before: the read-back tells it."""
        for name, text in texts.items():
            try:
                self._refused(partial(self._beside[name].write, key, text), key)
            except WriteRefused as error:
                if alone:
                    raise
                log.warning("%s: issue %s: %s: %s", self._name, key, name, error)
            alone = False

    def _key(self, table: str, key: str | None) -> str:
        if table not in TABLES:
            raise WriteRefused(f"{self._name}: Jira has no place {table!r}")
        if key is None or not _is_id(key):
            raise WriteRefused(
                f"{self._name}: {table}: no issue is made, and {key!r:.40} is the id of none; "
                "values are written to issues that are there"
            )
        return key

    def _merged(
        self, issue: Mapping[str, Any], members: Mapping[str, str]
    ) -> dict[str, Any] | None:
        """What the property should hold; None where it does already."""
        kept = (issue.get("properties") or {}).get(PROPERTY, {})
        if not isinstance(kept, dict):
            raise WriteRefused(
                f"{self._name}: issue {issue.get('key')}: its property {PROPERTY} holds something "
                "of somebody else; remove it over there"
            )
        merged = {**kept, **members}
        if len(json.dumps(merged)) > _LONGEST:
            raise WriteRefused(
                f"{self._name}: issue {issue.get('key')}: the property {PROPERTY} would be longer "
                f"than the {_LONGEST} characters that Jira keeps"
            )
        return None if merged == kept else merged

    def _id(self, name: str) -> str:
        found = self.field(name)
        if found is None:
            raise WriteRefused(
                f"{self._name}: the site has no field {name!r}, or several of that name; "
                f"mend connectors.{self._name}.value_fields"
            )
        return found.id

    def _converted(self, name: str, text: str) -> Any:
        """A value as a field of its type takes it; an empty text empties the field."""
        found = self.field(name)
        kind = found.type if found else ""
        if kind == "option":
            return {"value": text} if text else None
        if kind in _AS_TEXT:
            return text or None
        if kind != "number":
            raise WriteRefused(
                f"{self._name}: field {name!r} is of type {kind!r}; "
                "values go into number, text and selection fields"
            )
        try:
            number = float(text) if text else None
        except ValueError:
            number = math.nan
        if number is not None and not math.isfinite(number):
            raise WriteRefused(
                f"{self._name}: field {name!r} takes numbers, {text!r:.40} is none; "
                "map this value to a text field"
            )
        return number

    def _refused(self, call: Callable[[], Any], key: str = "") -> Any:
        """Run one call; what the site refuses is told in its own words.

        So is a limit on writes to this one issue (its ``key``): the others need not wait for it.
        """
        try:
            return call()
        except RetryLater as error:
            if not self._limits.closed_issue(key):
                raise
            raise WriteRefused(f"{error}; the next publish tries issue {key} again") from error
        except (AccessError, SourceError) as error:
            raise WriteRefused(str(error)) from error


def _updated(issue: Mapping[str, Any]) -> datetime | None:
    """When an issue last changed, as the connector's ``changed_at`` has it."""
    try:
        moment = moments.moment((issue.get("fields") or {}).get("updated"))
    except ValueError:
        return None
    return moment.replace(microsecond=0)


def _is_id(key: str) -> bool:
    return key.isascii() and key.isdigit()


def notation(value: Any) -> str:
    """A value as plain text: ``12``, ``87.5``, ``true``; empty for none."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return shown(value) or ""
