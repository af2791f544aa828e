"""What sources give: the one model of tickets, feedback and the people around them.

Every record of a source carries two names: ``ref``, the source's own key (``helpdesk/5f3c…``), by
which records of one source refer to each other; and ``id``, the readable one for people
(``helpdesk:incident:INC0010023``). Records are frozen and have no behaviour. Times are aware UTC
datetimes. ``None`` means *not known*, never zero and never false. The platform's own words stand
beside ours (``state`` and ``original_state``).
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What every record of a source carries."""

    kind: ClassVar[str]

    ref: str
    """The source's own key, unique in the store: ``<connector>/<key>``."""
    id: str
    """The readable id: ``<connector>:<type>:<number or key>``."""
    source: str
    """The name of the connector in the configuration."""
    updated_at: datetime
    """When the source last changed it, by the source's clock."""


class UserGroup(Record, frozen=True, kw_only=True):
    """A group of users that IT serves (a department, a bureau)."""

    kind: ClassVar[str] = "user_group"

    name: str
    headcount: int | None = None
    parent_ref: str | None = None


class Person(Record, frozen=True, kw_only=True):
    """A user, by keyed pseudonym; ``name`` is empty unless the configuration allows it."""

    kind: ClassVar[str] = "person"

    name: str | None = None
    contact: str | None = None
    """Pseudonym of the e-mail address: by it people are recognised across sources."""
    user_group_ref: str | None = None
    active: bool | None = None


class Team(Record, frozen=True, kw_only=True):
    """A group of IT people that works on tickets."""

    kind: ClassVar[str] = "team"

    name: str


class Service(Record, frozen=True, kw_only=True):
    """A service that IT offers."""

    kind: ClassVar[str] = "service"

    name: str
    active: bool | None = None


class Choice(Record, frozen=True, kw_only=True):
    """What people read for a stored word: the label of a state, the name of a catalog item."""

    kind: ClassVar[str] = "choice"

    table: str
    field: str
    value: str
    label: str


class Ticket(Record, frozen=True, kw_only=True):
    """A unit of IT work: incident, request, problem, change, bug, story, a talk with the desk."""

    kind: ClassVar[str] = "ticket"

    type: str
    """incident, request, problem, change, bug, story, task or interaction (a call, chat or visit);
    theirs is ``original_type``."""
    original_type: str
    number: str
    title: str | None = None
    description: str | None = None
    state: str
    """new, in_progress, on_hold, resolved, closed, canceled or other."""
    original_state: str
    priority: int | None = None
    """1 (critical) to 5 (planning)."""
    original_priority: str | None = None
    category: str | None = None
    subcategory: str | None = None
    service_ref: str | None = None
    service_name: str | None = None
    """Where the source knows the service by name only, it is found among all sources by it."""
    team_ref: str | None = None
    requester_ref: str | None = None
    user_group_ref: str | None = None
    """Only where the source names it on the ticket; else the requester's group counts."""
    problem_ref: str | None = None
    parent_ref: str | None = None
    opened_at: datetime
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    reopen_count: int | None = None
    reassignment_count: int | None = None
    made_sla: bool | None = None
    business_seconds: int | None = None
    """From open to resolved within business hours, as the source counts them."""
    calendar_seconds: int | None = None
    close_code: str | None = None
    close_notes: str | None = None
    channel: str | None = None


class Span(Record, frozen=True, kw_only=True):
    """A stretch of a ticket's or initiative's history in which one field kept one value."""

    kind: ClassVar[str] = "span"

    ticket_ref: str
    """The ticket, or the initiative (a demand, an epic)."""
    field: str
    """``team`` or ``state``."""
    value_ref: str | None = None
    """For ``team``: the team's ref."""
    value: str | None = None
    """For ``state``: our word for it; for ``team``: its name where the source gives it."""
    original_value: str | None = None
    """The platform's own word."""
    started_at: datetime
    ended_at: datetime | None = None


class SlaOutcome(Record, frozen=True, kw_only=True):
    """One service level agreement as it ran on one ticket."""

    kind: ClassVar[str] = "sla_outcome"

    ticket_ref: str
    name: str | None = None
    target: str | None = None
    """``resolution`` or ``response``."""
    stage: str | None = None
    """in_progress, paused, completed, canceled or breached."""
    breached: bool | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    due_at: datetime | None = None


class Question(Record, frozen=True, kw_only=True):
    """A question of a survey, with the scale it is asked on."""

    kind: ClassVar[str] = "question"

    survey_ref: str | None = None
    survey: str | None = None
    """What people call the survey."""
    text: str
    datatype: str | None = None
    scale_min: float | None = None
    scale_max: float | None = None


class Feedback(Record, frozen=True, kw_only=True):
    """One survey sent to one person: invited, and perhaps answered; or what one said unasked.

    What it is about and who says it is given by ref where the source has the record itself, else
    by name, number or contact; then it is found among the records of all sources.
    """

    kind: ClassVar[str] = "feedback"

    number: str
    survey_ref: str | None = None
    survey: str | None = None
    """What people call the survey."""
    person_ref: str | None = None
    contact: str | None = None
    """Pseudonym of the respondent's e-mail address."""
    ticket_ref: str | None = None
    ticket_number: str | None = None
    service_ref: str | None = None
    """Only where the survey itself is about a service; else the ticket's service counts."""
    service_name: str | None = None
    user_group_name: str | None = None
    tied_by: str | None = None
    """What gave names and numbers: ``hidden field``, ``custom variable``, ``column``."""
    state: str
    """invited, answered, expired or canceled."""
    original_state: str
    invited_at: datetime | None = None
    """Empty where the source keeps no invitations: then no response rate is known."""
    answered_at: datetime | None = None


class Answer(Record, frozen=True, kw_only=True):
    """What one person answered to one question, on the scale it was asked on then."""

    kind: ClassVar[str] = "answer"

    feedback_ref: str
    question_ref: str
    value: float | None = None
    text: str | None = None
    scale_min: float | None = None
    """Empty: the scale of the question as it stood when it was answered."""
    scale_max: float | None = None


class Initiative(Record, frozen=True, kw_only=True):
    """A demand, project, epic or improvement: work to change something."""

    kind: ClassVar[str] = "initiative"

    type: str
    """demand, epic, project or improvement."""
    number: str
    title: str | None = None
    description: str | None = None
    state: str
    """draft, submitted, approved, in_progress, done, rejected or other."""
    original_state: str
    service_ref: str | None = None
    service_name: str | None = None
    """As for tickets: found by name."""
    parent_ref: str | None = None
    owner_ref: str | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None


class Idea(Record, frozen=True, kw_only=True):
    """A proposal nobody has decided on yet."""

    kind: ClassVar[str] = "idea"

    number: str
    title: str | None = None
    state: str
    original_state: str
    submitter_ref: str | None = None
    opened_at: datetime | None = None


class Link(Record, frozen=True, kw_only=True):
    """One record names another, perhaps one of another source: a demand its epic."""

    kind: ClassVar[str] = "link"

    from_ref: str
    to_ref: str | None = None
    to_number: str | None = None
    """Where only a number is named: it is looked for among the records of all sources."""
    named_in: str
    """``field``, ``link`` or ``text``."""


RECORD_TYPES: tuple[type[Record], ...] = (
    UserGroup,
    Person,
    Team,
    Service,
    Choice,
    Ticket,
    Span,
    SlaOutcome,
    Question,
    Feedback,
    Answer,
    Initiative,
    Idea,
    Link,
)
"""Every kind of record, in the order in which a reader meets them."""
