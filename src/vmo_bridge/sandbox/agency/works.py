"""What development and the yearly survey are made of: demands, issues with edits, answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one field of an issue, with the words before and after."""

    at: datetime
    author: str
    field: str
    old: str
    new: str


@dataclass(slots=True)
class Issue:
    """A piece of development work. ``kind`` is Epic, Story, Bug or Service Request.

    ``demand`` is the number in the issue's own field ("" if it has none); ``rating`` 1 to 5 is
    the satisfaction of a service request (0: not rated).
    """

    kind: str
    project: str
    service: str
    title: str
    text: str
    reporter: str
    assignee: str
    created: datetime
    status: str = "To Do"
    labels: tuple[str, ...] = ()
    parent: Issue | None = None
    demand: str = ""
    rating: int = 0
    comment: str = ""
    edits: list[Edit] = field(default_factory=list)
    key: str = ""

    def moves(self) -> list[Edit]:
        """Its changes of status."""
        return [edit for edit in self.edits if edit.field == "status"]

    def edit(self, at: datetime, author: str, name: str, new: str) -> None:
        """Change ``status``, ``labels``, ``summary`` or ``description``."""
        olds = {
            "status": self.status,
            "labels": " ".join(self.labels),
            "summary": self.title,
            "description": self.text,
        }
        self.edits.append(Edit(at, author, name, olds[name], new))
        match name:
            case "status":
                self.status = new
            case "labels":
                self.labels = tuple(new.split())
            case "summary":
                self.title = new
            case _:
                self.text = new


@dataclass(slots=True)
class Demand:
    """A demand. ``state`` is draft, submitted, screening, approved, completed or rejected.

    ``epic`` is what development made of it; ``told`` says whether the demand names the epic.
    """

    number: str
    title: str
    text: str
    service: str
    portfolio: str
    requester: str
    state: str
    opened: datetime
    decided: datetime | None = None
    epic: Issue | None = None
    told: bool = True


@dataclass(slots=True)
class Voice:
    """One answer to a survey; ``nps`` 0 to 10, ``ces`` 1 to 7 (7 is easy), None if not given."""

    survey: str
    person: str
    department: str
    service: str
    taken: datetime
    nps: int
    ces: int | None
    text: str = ""
    ticket: str = ""
    complete: bool = True
    story: str = ""
    number: str = ""
