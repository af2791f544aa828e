"""Answers to the yearly survey and to a small poll, the planted ones included."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from vmo_bridge.sandbox.agency import calendar
from vmo_bridge.sandbox.agency.model import Ticket
from vmo_bridge.sandbox.agency.organisation import IT_DEPARTMENT, Organisation
from vmo_bridge.sandbox.agency.plot import Cell, Plot
from vmo_bridge.sandbox.agency.stage import Stage
from vmo_bridge.sandbox.agency.wishes import GRUMBLE, NEW_AND_GOOD, PRAISE
from vmo_bridge.sandbox.agency.works import Voice

YEARLY, POLL, DRAFT = "410000001", "410000002", "410000003"
_OPENS = datetime(2026, 9, 14, 7, tzinfo=UTC)
_CLOSES = datetime(2026, 10, 16, 18, tzinfo=UTC)
_NPS = (2, 1, 2, 2, 3, 6, 7, 16, 24, 20, 17)
_CES = (2, 4, 7, 13, 22, 31, 21)
_EVERYDAY, _POLLED = 320, 40


class Listener:
    """Makes the answers; ``tickets`` are what some of them are about."""

    def __init__(
        self,
        random: Random,
        organisation: Organisation,
        plot: Plot,
        stage: Stage,
        tickets: Sequence[Ticket],
    ) -> None:
        self._random = random
        self._organisation = organisation
        self._plot = plot
        self._stage = stage
        self._tickets = [each for each in tickets if each.kind == "incident"]
        self._department = {each.user_name: each.department for each in organisation.people}
        self._grumbled: set[tuple[str, str]] = set()
        self._people = {
            name: random.sample(staff, len(staff)) for name, staff in organisation.staff.items()
        }

    def voices(self) -> list[Voice]:
        """All answers by survey and time, numbered as they came in."""
        found = [*self._asking(), *self._praising(), *self._covered(), *self._repeating()]
        found += self._about_tickets()
        found += [self._everyday() for _ in range(_EVERYDAY - len(found))]
        found += [self._polled() for _ in range(_POLLED)]
        found.sort(key=lambda each: (each.survey, each.taken))
        for number, voice in enumerate(found, start=1):
            voice.number = f"{118_400_000_000 + number}"
        return found

    # -- planted -----------------------------------------------------------------------------

    def _asking(self) -> list[Voice]:
        """Different people of one group ask for the same, each in own words."""
        wish, service = self._stage.asked
        words = self._random.sample(wish.said, self._random.randint(10, len(wish.said)))
        return [
            self._voice((service, self._stage.group), text.format(service=service), (2, 6), "asked")
            for text in words
        ]

    def _praising(self) -> list[Voice]:
        service = self._stage.moving[1]
        return [
            self._voice(
                (service, self._stage.praising), text.format(service=service), (9, 10), "praise"
            )
            for text in NEW_AND_GOOD[:6]
        ]

    def _covered(self) -> list[Voice]:
        """A complaint the desk hears as well."""
        service = next(
            each for each in self._organisation.services if each.name == self._stage.quiet[1]
        )
        topic = service.incidents[0]
        shapes = ("Often: {}.", "{} - every week.", "Again and again: {}.", "{}, please help")
        return [
            self._voice(
                (service.name, self._stage.covered),
                shapes[number % 4].format(topic.phrases[number % len(topic.phrases)]), (2, 5),
                f"covered:{topic.key}",
            )
            for number in range(6)
        ]  # fmt: skip

    def _repeating(self) -> list[Voice]:
        """One person says the same five times."""
        wish, service = self._stage.unnamed
        first = self._voice((service, self._stage.repeating), "", (0, 1), "repeat")
        found = []
        for number, text in enumerate(wish.said[:5]):
            at = first.taken.replace(hour=9) + timedelta(hours=number)
            found.append(
                Voice(YEARLY, first.person, first.department, service, at, 0, 1,
                      text.format(service=service), story="repeat")
            )  # fmt: skip
        return found

    # -- everyday ----------------------------------------------------------------------------

    def _about_tickets(self) -> list[Voice]:
        """Answers that name a ticket of who answers."""
        since = _OPENS - timedelta(days=60)
        recent = [
            each for each in self._tickets
            if since <= each.opened and each.resolved and each.resolved <= _OPENS
            and (each.service, self._department[each.caller]) not in self._plot.own_cells
        ]  # fmt: skip
        found = []
        for ticket in self._random.sample(recent, 36):
            group = self._department[ticket.caller]
            voice = self._voice((ticket.service, group), "", (6, 9), "")
            voice.person, voice.ticket = ticket.caller, ticket.number
            found.append(voice)
        return found

    def _everyday(self) -> Voice:
        random = self._random
        groups = [each for each in self._organisation.departments if each.name != IT_DEPARTMENT]
        while True:
            group = random.choices(groups, [each.headcount for each in groups])[0].name
            service = random.choice(self._organisation.services)
            if (service.name, group) not in self._plot.own_cells:
                break
        nps = random.choices(range(11), _NPS)[0]
        if group == self._plot.silent:
            nps = max(0, nps - 4)
        voice = self._voice((service.name, group), "", (nps, nps), "")
        voice.complete = random.random() > 0.05
        if not voice.complete:
            voice.ces = None
        elif random.random() < 0.5:
            voice.text = self._words(nps, service.name)
            if not voice.text:
                voice.text = random.choice(random.choice(service.incidents).phrases)
        return voice

    def _words(self, nps: int, service: str) -> str:
        if nps >= 7:
            return self._random.choice(PRAISE)
        text = self._random.choice(GRUMBLE)
        if (service, text) in self._grumbled:
            return ""
        self._grumbled.add((service, text))
        return text

    def _polled(self) -> Voice:
        name = self._random.choice([*self._organisation.departments]).name
        taken = calendar.moment(self._random, _OPENS - timedelta(days=120), _OPENS)
        rating = self._random.choices((1, 2, 3, 4, 5), (1, 2, 8, 36, 53))[0]
        return Voice(POLL, self._people[name].pop(), name, "", taken, rating, None)

    def _voice(self, cell: Cell, text: str, span: tuple[int, int], story: str) -> Voice:
        """An answer of somebody new of the cell's group, its NPS within ``span``."""
        service, group = cell
        taken = calendar.moment(self._random, _OPENS, _CLOSES)
        nps = self._random.randint(*span)
        effort = max(1, min(7, self._random.choices(range(1, 8), _CES)[0] - (nps < 7) * 2))
        person = self._people[group].pop()
        return Voice(YEARLY, person, group, service, taken, nps, effort, text, story=story)
