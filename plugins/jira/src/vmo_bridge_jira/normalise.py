"""From a raw issue or field to our records; what cannot be one is refused with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from vmo_bridge.plugin import (
    Answer,
    Feedback,
    Initiative,
    Link,
    Question,
    RawRecord,
    Record,
    SlaOutcome,
    Ticket,
)
from vmo_bridge_jira.history import History
from vmo_bridge_jira.moments import EPOCH
from vmo_bridge_jira.raw import Raw
from vmo_bridge_jira.settings import JiraSettings
from vmo_bridge_jira.site import SATISFACTION
from vmo_bridge_jira.words import DONE_STATES, INITIATIVE_TYPES, words_of

SURVEY = "Jira Service Management satisfaction"
_ENDED = ("closed", "canceled")


class Normaliser:
    """Turns raw records of one source into records."""

    def __init__(self, source: str, settings: JiraSettings) -> None:
        self._source = source
        self._services = {key.casefold(): name for key, name in settings.services.items()}
        self._sla_targets = settings.sla_fields
        self._numbers = re.compile(settings.number_pattern)
        self._words = words_of(settings)

    def records(self, stream: str, record: RawRecord) -> Iterable[Record]:
        """The records of one raw one; ``RecordError`` names the field and what is wrong with it."""
        raw = Raw(record)
        return list(self._questions(raw) if stream == "fields" else self._issue(raw))

    def _questions(self, raw: Raw) -> Iterator[Record]:
        """The rating and its comment, for a satisfaction field; its scale has always been so."""
        number = raw.need("id")
        if raw.text("custom") != SATISFACTION:
            return
        common: dict[str, Any] = {
            "source": self._source,
            "updated_at": EPOCH,
            "survey_ref": f"{self._source}/satisfaction",
            "survey": SURVEY,
        }
        yield Question(
            ref=f"{self._source}/{number}",
            id=f"{self._source}:question:{number}",
            text="How satisfied were you with the service?",
            datatype="scale",
            scale_min=1,
            scale_max=5,
            **common,
        )
        yield Question(
            ref=f"{self._source}/{number}-comment",
            id=f"{self._source}:question:{number}-comment",
            text="What would you like to say about it?",
            datatype="string",
            **common,
        )

    def _issue(self, raw: Raw) -> Iterator[Record]:
        issue = _Issue(self._source, raw, self._words.type(raw.need("type")))
        history = History(raw, issue.type, self._words)
        state = self._words.state(issue.type, raw.need("status"), raw.text("status_category"))
        done_at = raw.time("resolutiondate") or history.done_at
        if state not in DONE_STATES and state != "other":
            done_at = None  # many workflows keep the moment when an issue is opened again
        if issue.type in INITIATIVE_TYPES:
            yield self._initiative(raw, issue, state, done_at)
        else:
            yield self._ticket(raw, issue, state, done_at, history)
        yield from history.spans(issue)
        yield from self._links(raw, issue)
        yield from self._feedback(raw, issue, done_at)
        yield from self._sla_outcomes(raw, issue)

    def _initiative(
        self, raw: Raw, issue: _Issue, state: str, done_at: datetime | None
    ) -> Initiative:
        person = raw.text("assignee") or raw.text("reporter")
        return Initiative(
            **issue.base(issue.type),
            **issue.text(),
            type=issue.type,
            state=state,
            original_state=raw.need("status"),
            service_name=self._service(raw),
            parent_ref=issue.ref(raw.text("parent")),
            owner_ref=issue.ref(person),
            opened_at=raw.need_time("created"),
            closed_at=done_at,
        )

    def _ticket(
        self, raw: Raw, issue: _Issue, state: str, done_at: datetime | None, history: History
    ) -> Ticket:
        return Ticket(
            **issue.base(issue.type),
            **issue.text(),
            type=issue.type,
            original_type=raw.need("type"),
            state=state,
            original_state=raw.need("status"),
            priority=self._words.priority(raw.text("priority")),
            original_priority=raw.text("priority"),
            service_name=self._service(raw),
            requester_ref=issue.ref(raw.text("reporter")),
            parent_ref=issue.ref(raw.text("parent")),
            opened_at=raw.need_time("created"),
            resolved_at=None if state == "canceled" else done_at,
            closed_at=done_at if state in _ENDED else None,
            reopen_count=history.reopen_count,
            close_code=raw.text("resolution"),
        )

    def _service(self, raw: Raw) -> str | None:
        project = raw.text("project")
        return raw.text("service") or self._services.get((project or "").casefold())

    def _links(self, raw: Raw, issue: _Issue) -> Iterator[Link]:
        """By the demand field, by the text (another number than the field's), by issue links."""
        named = (raw.text("demand") or "").strip()
        number = self._numbers.search(named)
        named = number[0] if number else named
        if named:
            yield Link(**issue.part("link", f"field-{named}"), from_ref=issue.base_ref,
                       to_number=named, named_in="field")  # fmt: skip
        text = f"{raw.text('summary') or ''}\n{raw.text('description') or ''}"
        told = dict.fromkeys(match[0] for match in self._numbers.finditer(text))
        for number_told in told:
            if number_told and number_told != named:
                yield Link(**issue.part("link", f"text-{number_told}"), from_ref=issue.base_ref,
                           to_number=number_told, named_in="text")  # fmt: skip
        for link in raw.parts("links") or ():
            yield Link(**issue.part("link", link.need("id")), from_ref=issue.base_ref,
                       to_ref=issue.ref(link.need("issue")), named_in="link")  # fmt: skip

    def _feedback(self, raw: Raw, issue: _Issue, done_at: datetime | None) -> Iterator[Record]:
        """Jira keeps no invitations, and when the answer came only where it has a field for it."""
        rating, comment = raw.number("satisfaction"), raw.text("satisfaction_comment")
        answered_at = raw.time("satisfaction_date") or done_at or issue.updated_at
        if rating is None:
            return
        question = raw.need("satisfaction_field")
        feedback = Feedback(
            **issue.part("feedback"),
            number=raw.need("key"),
            survey_ref=f"{self._source}/satisfaction",
            survey=SURVEY,
            person_ref=issue.ref(raw.text("reporter")),
            contact=raw.text("reporter_email"),
            ticket_ref=issue.base_ref,
            state="answered",
            original_state="answered",
            answered_at=answered_at,
        )
        yield feedback
        yield Answer(
            **issue.part("answer", "rating"),
            feedback_ref=feedback.ref,
            question_ref=f"{self._source}/{question}",
            value=rating,
            scale_min=1,
            scale_max=5,
        )
        if comment:
            yield Answer(
                **issue.part("answer", "comment"),
                feedback_ref=feedback.ref,
                question_ref=f"{self._source}/{question}-comment",
                text=comment,
            )

    def _sla_outcomes(self, raw: Raw, issue: _Issue) -> Iterator[SlaOutcome]:
        for cycle in raw.parts("slas") or ():
            name, number = cycle.need("name"), cycle.number("number")
            ended_at = cycle.time("stop")
            paused = cycle.flag("paused")
            yield SlaOutcome(
                **issue.part("sla", f"{cycle.need('field')}-{number or 0:.0f}"),
                ticket_ref=issue.base_ref,
                name=name,
                target=self._sla_targets.get(name),
                stage="completed" if ended_at else "paused" if paused else "in_progress",
                breached=cycle.flag("breached"),
                started_at=cycle.time("start"),
                ended_at=ended_at,
                due_at=cycle.time("due"),
            )


class _Issue:
    """What the records of one issue have in common."""

    def __init__(self, source: str, raw: Raw, type_: str) -> None:
        self.type = type_
        self.updated_at = raw.need_time("updated")
        self._source = source
        self._raw = raw
        self._id, self._key = raw.need("id"), raw.need("key")
        self.base_ref = f"{source}/{self._id}"

    def base(self, kind: str) -> dict[str, Any]:
        """What the record of the issue itself carries."""
        return {
            "ref": self.base_ref,
            "id": f"{self._source}:{kind}:{self._key}",
            "source": self._source,
            "updated_at": self.updated_at,
        }

    def part(self, kind: str, name: str = "") -> dict[str, Any]:
        """What a record carries that is made of a part of the issue."""
        tail = f"{kind}-{name}" if name else kind
        return {
            "ref": f"{self.base_ref}-{tail}",
            "id": f"{self._source}:{kind}:{self._key}{f':{name}' if name else ''}",
            "source": self._source,
            "updated_at": self.updated_at,
        }

    def text(self) -> dict[str, Any]:
        """Number and texts."""
        return {
            "number": self._key,
            "title": self._raw.text("summary"),
            "description": self._raw.text("description"),
        }

    def ref(self, key: str | None) -> str | None:
        """The ref of another record of the source."""
        return f"{self._source}/{key}" if key else None
