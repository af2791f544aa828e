"""The connector: ties sign-in, budget, surveys and responses of one account together."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import httpx

from vmo_bridge.plugin import (
    AccessError,
    CheckRow,
    HttpClient,
    Page,
    RawRecord,
    Record,
    Slice,
    SourceError,
    Stream,
    VmoBridgeError,
)
from vmo_bridge_surveymonkey.budget import Budget, Clock, Sleep, utc_now
from vmo_bridge_surveymonkey.client import Client, Gone, SignIn
from vmo_bridge_surveymonkey.flatten import PERSON_FIELDS, Flattener
from vmo_bridge_surveymonkey.moments import moment, second
from vmo_bridge_surveymonkey.normalise import Normaliser
from vmo_bridge_surveymonkey.reader import Place, ResponseReader
from vmo_bridge_surveymonkey.settings import SurveyMonkeySettings
from vmo_bridge_surveymonkey.surveys import Listed, Surveys

QUESTIONS = Stream(name="questions", kinds=("question",), key_field="id")
RESPONSES = Stream(
    name="responses",
    kinds=("feedback", "answer"),
    key_field="id",
    person_fields=PERSON_FIELDS,
)
_OF_SURVEY = ("id", "title", "language", "date_created", "date_modified", "pages")
"""What is kept of a survey's details: counts and addresses would make it new every day."""
_OVERLAP = timedelta(minutes=5)
"""Read again of a survey that others have overtaken: a response may turn up late."""


class SurveyMonkey:
    """One SurveyMonkey account: a ``Connector`` that remembers what it has spent and read."""

    def __init__(
        self,
        name: str,
        settings: SurveyMonkeySettings,
        folder: Path,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Clock = utc_now,
        sleep: Sleep = time.sleep,
    ) -> None:
        self.name = name
        self._settings = settings
        limits = {"minute": settings.calls_a_minute, "day": settings.calls_a_day}
        self._budget = Budget(name, limits, clock=clock, sleep=sleep)
        self._http = HttpClient(
            name,
            settings.address,
            auth=SignIn(name, settings, folder),
            timeout=settings.timeout_seconds,
            transport=transport,
            resume_at=self._budget.resume_at,
        )
        self._clock = clock
        self._client = Client(self._http, self._budget, clock)
        self._surveys = Surveys(self._client, settings)
        self._normaliser = Normaliser(name)
        self._memory: MutableMapping[str, str] | None = None
        self._gone: dict[str, str] = {}

    def remember(self, memory: MutableMapping[str, str]) -> None:
        """Go on with the budgets, and read only what has moved since it was read."""
        self._memory = self._budget.memory = memory

    def _known(self, key: str) -> str | None:
        return None if self._memory is None else self._memory.get(key)

    def _note(self, key: str, value: str) -> None:
        """Remember, if somebody keeps it: whoever gave no memory wants everything each time."""
        if self._memory is not None:
            self._memory[key] = value

    @property
    def streams(self) -> Sequence[Stream]:
        """The questions, then what was answered to them."""
        return (QUESTIONS, RESPONSES)

    def check(self) -> Iterable[CheckRow]:
        """Sign-in, the surveys that are meant, the right to responses, the budgets: four calls."""
        what = "sign-in"
        try:
            self._client.get("/v3/users/me")
            yield CheckRow(what=what, state="ok")
            what = QUESTIONS.name
            chosen = self._surveys.chosen()
            if chosen:
                self._surveys.details(chosen[0].id)
            state: Literal["ok", "warning"] = "ok" if chosen else "warning"
            yield CheckRow(what=what, state=state, detail=f"{len(chosen)} surveys")
            what = RESPONSES.name
            filled = [each for each in chosen if each.responses]
            if filled:
                path = f"/v3/surveys/{filled[0].id}/responses/bulk"
                self._client.get(path, {"per_page": "1"})
            detail = f"{sum(each.responses for each in chosen)} responses"
            yield CheckRow(what=what, state="ok" if filled else "warning", detail=detail)
            yield CheckRow(what="budget", state="ok", detail=self._budget.left())
        except VmoBridgeError as error:
            yield CheckRow(what=what, state="failed", detail=str(error))

    def slices(self, stream: Stream, since: datetime | None, until: datetime | None) -> list[Slice]:
        """A slice for each survey that moved since it was read; none, if none did."""
        if stream.name == QUESTIONS.name:
            self._surveys.forget()
            return [Slice(stream=stream.name, since=since, until=until)]
        return [
            Slice(
                stream=stream.name,
                since=self._since(each, since),
                until=until,
                cursor=self._place(each, since).cursor(),
            )
            for each in self._surveys.chosen()
            if self._known(f"responses.{each.id}") != each.print
        ]

    def _since(self, survey: Listed, since: datetime | None) -> datetime | None:
        """Where a survey's own reading ended, if that is earlier than all surveys' together.

        A survey that was never read is read from its beginning, be the others as far as they are.
        """
        if since is None or self._memory is None:
            return since
        mark = self._known(f"newest.{survey.id}")
        return min(since, moment(mark) - _OVERLAP) if mark else None

    def _place(self, survey: Listed, since: datetime | None) -> Place:
        begin = self._since(survey, since)
        return Place(survey.id, second(begin)) if begin else Place(survey.id)

    def read(self, piece: Slice) -> Iterator[Page]:
        """The pages of a slice; a survey that is gone is told when all others are read."""
        if piece.stream == QUESTIONS.name:
            yield from self._read_questions(piece)
            return
        place = Place.of(piece.cursor or "")
        listed = next((each for each in self._surveys.chosen() if each.id == place.survey), None)
        if listed is None:
            self._gone[place.survey] = repr(place.survey)
            return
        try:
            yield from self._read_responses(piece, place)
        except (Gone, AccessError) as error:
            self._miss(listed, error)
        else:
            if self._is_settled(listed):
                self._note(f"responses.{listed.id}", listed.print)

    def _is_settled(self, survey: Listed) -> bool:
        """Whether its last change is so long ago that none of that second can still turn up.

        Until then it is asked once more: another change of the same second, or one committed
        late, moves neither its count nor its date.
        """
        try:
            return moment(survey.modified) + _OVERLAP <= self._clock()
        except (ValueError, OverflowError):
            return True

    def _miss(self, survey: Listed, error: Gone | AccessError) -> None:
        """Note a survey that could not be read; it is told when all others are."""
        reason = f": {error}" if isinstance(error, AccessError) else ""
        self._gone[survey.id] = f"{survey.title!r} ({survey.id}){reason}"

    def _read_responses(self, piece: Slice, place: Place) -> Iterator[Page]:
        flattener = Flattener(self._surveys.details(place.survey), self._settings)
        reader = ResponseReader(self._client, flattener, self._settings.page_size, piece.until)
        for page in reader.pages(place):
            if page.newest:
                self._note(f"newest.{place.survey}", second(page.newest))
            yield page

    def _read_questions(self, piece: Slice) -> Iterator[Page]:
        """The surveys that moved, a page each as it is read: a day may not suffice for all.

        What is remembered says what was read; the cursor, only where nothing is remembered.
        """
        newest: datetime | None = None
        for each in sorted(self._moved(), key=_place):
            place = _place(each)
            if self._memory is None and piece.cursor is not None and place <= piece.cursor:
                continue
            try:
                details = self._surveys.details(each.id)
            except (Gone, AccessError) as error:
                self._miss(each, error)
                continue
            changed = self._changed(each, details)
            if piece.until is not None and changed >= piece.until:
                continue
            # One that was never read may be older than all that was.
            known = self._memory is None or self._known(f"questions.{each.id}") is not None
            self._note(f"questions.{each.id}", each.print)
            if known and piece.since is not None and changed < piece.since:
                continue
            newest = max(newest or changed, changed)
            record = {name: details[name] for name in _OF_SURVEY if name in details}
            yield Page(records=[record], cursor=place, newest=newest)

    def _moved(self) -> list[Listed]:
        return [
            each
            for each in self._surveys.chosen()
            if self._known(f"questions.{each.id}") != each.print
        ]

    def _changed(self, survey: Listed, details: Mapping[str, Any]) -> datetime:
        text = str(details.get("date_modified"))
        try:
            return moment(text)
        except (ValueError, OverflowError):
            raise SourceError(
                f"{self.name}: survey {survey.id}: date_modified is {text!r:.40}, not a date-time"
            ) from None

    def normalise(self, stream: str, record: RawRecord) -> Iterable[Record]:
        """Our records from one survey or response."""
        return self._normaliser.records(stream, record)

    def count(self, stream: Stream) -> int | None:
        """What the list of surveys counts; raises where a survey vanished while it was read."""
        if self._gone:
            names = ", ".join(told for _, told in sorted(self._gone.items()))
            self._gone = {}
            raise SourceError(
                f"{self.name}: deleted while it was read, or not readable: survey {names}; what "
                "was read of it before stays, all other surveys are whole"
            )
        chosen = self._surveys.chosen()
        if stream.name == QUESTIONS.name:
            return len(chosen)
        return sum(each.responses for each in chosen)

    def link(self, stream: str, key: str) -> str:
        """The interface's own address; the pages for people hold ids that lead to respondents."""
        part = "surveys" if stream == QUESTIONS.name else "responses"
        return f"{self._settings.address}/v3/{part}/{key}"

    def close(self) -> None:
        """Close all connections."""
        self._http.close()


def _place(survey: Listed) -> str:
    """Where a survey stands in the order in which surveys are read."""
    return f"{survey.modified}|{survey.id}"
