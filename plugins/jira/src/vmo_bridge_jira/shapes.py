"""What is read of the site's answers: whatever else comes, most names among it, is not decoded.

Most of an issue's JSON is names and addresses that nobody here reads. Skipping them takes half the
time of decoding them, and what is left is nothing that the garbage collector goes through: it took
as long again. Where something odd comes instead of an object it is decoded as what it is, and
judged by who reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from vmo_bridge_jira.site import Site

F = TypeVar("F")
_Plain = str | int | float | bool | None
Odd = list[Any] | _Plain
"""What may come instead of an object."""
OddList = dict[str, Any] | _Plain
"""What may come instead of a list."""


class Part(Struct, gc=False):
    """Another thing that an issue names: its type, its project, its parent."""

    id: Any = None
    key: Any = None
    name: Any = None


class Status(Part, gc=False, rename="camel"):
    """A status with its category."""

    status_category: Part | Odd = None


class User(Struct, gc=False, rename="camel"):
    """What tells a person from others; how people call him is not among it."""

    account_id: Any = None
    key: Any = None
    name: Any = None
    email_address: Any = None


class Link(Struct, gc=False, rename="camel"):
    """A link between two issues, seen from one of them."""

    id: Any = None
    type: Part | Odd = None
    outward_issue: Part | Odd = None
    inward_issue: Part | Odd = None


class Moment(Struct, gc=False, rename="camel"):
    """A moment as service levels give it."""

    epoch_millis: Any = None


class Cycle(Struct, gc=False, rename="camel"):
    """One run of a service level's clock."""

    start_time: Moment | Odd = None
    stop_time: Moment | Odd = None
    breach_time: Moment | Odd = None
    breached: Any = None
    paused: Any = None


class Sla(Struct, gc=False, rename="camel"):
    """A service level of one issue."""

    completed_cycles: list[Cycle | Odd] | OddList = None
    ongoing_cycle: Cycle | Odd = None


class Item(Struct, gc=False, rename="camel"):
    """One field of a change."""

    field: Any = None
    field_id: Any = None
    from_: Any = msgspec.field(default=None, name="from")
    from_string: Any = None
    to: Any = None
    to_string: Any = None


class Entry(Struct, gc=False):
    """One change of an issue; its author is not among it."""

    id: Any = None
    created: Any = None
    items: list[Item | Odd] | OddList = None


class Changelog(Struct, gc=False):
    """The changes of an issue as Data Center gives them."""

    total: Any = msgspec.UNSET
    histories: list[Entry | Odd] | OddList = None


class Issue(Struct, Generic[F], gc=False):
    """One issue; ``fields`` by their ids."""

    id: Any = None
    key: Any = None
    fields: F | Odd = None
    changelog: Changelog | Odd = None

    @property
    def values(self) -> Mapping[Any, Any]:
        """The fields; none where something odd came."""
        return self.fields if isinstance(self.fields, dict) else {}


class SearchAnswer(Struct, Generic[F], gc=False, rename="camel"):
    """The answer of a search, or of a fetch of many issues."""

    issues: list[Issue[F] | Odd] | OddList = None
    total: Any = None
    next_page_token: Any = None
    is_last: Any = None


class IssueChanges(Struct, gc=False, rename="camel"):
    """The changes of an issue as the Cloud gives them."""

    issue_id: Any = None
    change_histories: list[Entry | Odd] | OddList = None


class Changes(Struct, gc=False, rename="camel"):
    """The Cloud's answer about the changes of many issues."""

    issue_change_logs: list[IssueChanges | Odd] | OddList = None
    next_page_token: Any = None


RawIssue = Issue[Any]
Reader = msgspec.json.Decoder[Any]
ANYTHING: Reader = msgspec.json.Decoder()
PLAIN: Reader = msgspec.json.Decoder(SearchAnswer[dict[str, Any]] | Odd)
"""Issues with all that their fields hold."""
ONE: Reader = msgspec.json.Decoder(Issue[dict[str, Any]] | Odd)
CHANGES: Reader = msgspec.json.Decoder(Changes | Odd)

_SYSTEM: dict[str, Any] = {
    "issuetype": Part | Odd, "status": Status | Odd, "project": Part | Odd, "priority": Part | Odd,
    "resolution": Part | Odd, "reporter": User | Odd, "assignee": User | Odd, "parent": Part | Odd,
    "issuelinks": list[Link | Odd] | OddList,
}  # fmt: skip
"""Of Jira's own fields those that hold objects."""


def reader_of(site: Site, asked: list[str]) -> Reader:
    """Decodes what a search of this site gives when it is asked for these fields."""
    shape = dict.fromkeys(asked, Any) | dict.fromkeys(site.roles.slas, Sla | Odd) | _SYSTEM
    fields = TypedDict("Fields", shape, total=False)  # type: ignore[misc]  # known at run time only
    return msgspec.json.Decoder(SearchAnswer[fields] | Odd)
