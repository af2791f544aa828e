"""Who is asked after a ticket, who answers, and what they say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from random import Random

from vmo_bridge.sandbox.agency import calendar
from vmo_bridge.sandbox.agency.model import Answer, Survey, Ticket
from vmo_bridge.sandbox.agency.plot import Cell, Plot
from vmo_bridge.sandbox.agency.topics import ANGRY, HAPPY, LATE, NEUTRAL

_ASKED, _ANSWERED = 0.42, 0.39
#: Weights of the ratings 1 to 5.
GOOD = (1, 2, 8, 36, 53)
POOR = (12, 20, 25, 28, 15)
_LATE_SERVICE = (18, 27, 20, 22, 13)


class Questioner:
    """Sends surveys; ``department`` maps user names to departments."""

    def __init__(self, random: Random, plot: Plot, department: dict[str, str]) -> None:
        self._random = random
        self._plot = plot
        self._department = department

    def cell(self, ticket: Ticket) -> Cell:
        """Service and department of a ticket."""
        return ticket.service, self._department[ticket.caller]

    def everyday(self, ticket: Ticket) -> None:
        """Perhaps ask the caller of a resolved ticket."""
        if ticket.resolved is None or self.cell(ticket) in self._plot.own_cells:
            return
        if self._random.random() >= _ASKED:
            return
        weights: Sequence[int] = GOOD
        if ticket.service == self._plot.missed:
            weights = _LATE_SERVICE
        elif self._department[ticket.caller] == self._plot.silent:
            weights = POOR
        answered = self._random.random() < _ANSWERED
        rating = self._random.choices((1, 2, 3, 4, 5), weights)[0] if answered else 0
        self.ask(ticket, rating)

    def ask(self, ticket: Ticket, rating: int, *, lost: float = 30, angry: bool = False) -> None:
        """Send a survey; ``rating`` 0 is no answer, ``lost`` the median of minutes lost."""
        if ticket.resolved is None:
            return
        random = self._random
        sent = ticket.resolved + timedelta(minutes=random.randint(5, 55))
        ticket.survey = Survey(sent, sent + timedelta(days=14))
        taken = sent + timedelta(hours=random.uniform(0.3, 60))
        if rating and taken <= calendar.DATA_END:
            minutes = lost * random.lognormvariate(0, 0.7) * (1 + 0.25 * (5 - rating))
            rounded = max(5, 5 * round(minutes / 5))
            comment = self._comment(rating, angry=angry)
            ticket.survey.answer = Answer(taken, rating, rounded, comment)

    def _comment(self, rating: int, *, angry: bool) -> str:
        random = self._random
        if angry:
            return random.choice(ANGRY)
        if random.random() > 0.4:
            return ""
        return random.choice(LATE if rating <= 2 else NEUTRAL if rating == 3 else HAPPY)


def calm_accidents(
    random: Random, plot: Plot, tickets: Sequence[Ticket], department: dict[str, str]
) -> None:
    """Keep chance from making an unhappy cell that is no story: lift ratings beyond a few."""
    cells: dict[Cell, list[Answer]] = defaultdict(list)
    for ticket in tickets:
        answer = ticket.survey.answer if ticket.survey else None
        cell = ticket.service, department[ticket.caller]
        if answer and cell not in plot.own_cells and ticket.service != plot.missed:
            cells[cell].append(answer)
    for answers in cells.values():
        recent = [each for each in answers if each.taken >= calendar.STORY_START]
        for group in (answers, recent):
            low = [each for each in group if each.rating <= 3]
            for each in low[max(1, len(group) // 6) :]:
                each.rating = random.choice((4, 5))
                each.comment = ""
