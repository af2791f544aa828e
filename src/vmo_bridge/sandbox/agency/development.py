"""Demands, and the epics and stories development makes of them; hand-offs that stand still."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from vmo_bridge.sandbox.agency import calendar
from vmo_bridge.sandbox.agency.organisation import Organisation
from vmo_bridge.sandbox.agency.stage import Stage
from vmo_bridge.sandbox.agency.wishes import BUGS, DEMANDS, EDITS, LABELS, STORIES, Wish
from vmo_bridge.sandbox.agency.works import Demand, Issue

#: Team → key and name of its development project.
PROJECTS = {
    "HR Applications": ("STAFF", "Staff Applications"),
    "Finance Applications": ("FIN", "Finance Applications"),
    "Case Systems": ("CASE", "Case Systems"),
    "Data Platform": ("DATA", "Data Platform"),
    "Web Team": ("WEB", "Web Presence"),
}
PORTFOLIOS = ("Citizen services", "Inner services", "Data and records")
FLOW = ("To Do", "In Progress", "In Review", "Done")
#: Nothing moved in a hand-off that stands still since so many days before the end of the data.
STILL_DAYS = 75
_END = calendar.DATA_END
_STILL = _END - timedelta(days=STILL_DAYS)
_SOON = _END - timedelta(days=2)


class Workshop:
    """Draws demands and their development."""

    def __init__(self, random: Random, organisation: Organisation, stage: Stage) -> None:
        self._random = random
        self._organisation = organisation
        self._stage = stage
        self._services = {each.name: each for each in organisation.services}
        self._members = {team.name: team.members for team in organisation.teams}
        self.demands: list[Demand] = []
        self.issues: list[Issue] = []
        self.by_story: dict[str, Demand] = {}

    def work(self) -> None:
        """Everything; issues and demands get their names last, in the order of time."""
        stage = self._stage
        for story, place in (("asked", stage.asked), ("unnamed", stage.unnamed)):
            self._stalled(story, *place)
        self._stalled("quiet", *stage.quiet)
        self._moving("moving", *stage.moving)
        for number, (service, title) in enumerate(self._everyday()):
            self._usual(number, service, title.format(service=service))
        for _ in range(36):
            self._bug()
        self._name()

    # -- hand-offs of the stories ------------------------------------------------------------

    def _stalled(self, story: str, wish: Wish, service: str) -> None:
        """Begun, then only talked about; the ``quiet`` one's stories move none the less."""
        opened = self._day(230, 190)
        demand = self._demand(service, *wish.demand, "approved", opened)
        demand.told = story != "unnamed"
        self.by_story[story] = demand
        epic = self._epic(demand, *wish.epic)
        self._move(epic, 1, epic.created + timedelta(days=5), epic.created + timedelta(days=9))
        for number, title in enumerate(wish.stories):
            created = epic.created + timedelta(days=6 + number, hours=number)
            child = self._story(epic, title, created)
            if number < 2:
                self._move(child, 3 - number, created + timedelta(days=4), _STILL)
            if story == "quiet" and number >= 2:
                self._move(child, 3, _END - timedelta(days=40 - 4 * number), _SOON)
        for number in range(9):
            place = epic if number % 3 else self._children(epic)[number % 5]
            self._talk(place, _STILL + timedelta(days=4 + 8 * number), number)

    def _moving(self, story: str, wish: Wish, service: str) -> None:
        """The epic itself goes from step to step; its stories wait for it."""
        demand = self._demand(service, *wish.demand, "approved", self._day(200, 170))
        self.by_story[story] = demand
        epic = self._epic(demand, *wish.epic)
        self._move(epic, 1, epic.created + timedelta(days=5), epic.created + timedelta(days=9))
        for number, title in enumerate(wish.stories):
            self._story(epic, title, epic.created + timedelta(days=6 + number))
        self._step(epic, "In Review", _END - timedelta(days=15))
        self._step(epic, "In Progress", _END - timedelta(days=4))

    def _talk(self, issue: Issue, at: datetime, number: int) -> None:
        """An edit that moves nothing."""
        author = self._member(issue.project)
        if number % 2:
            label = LABELS[number % len(LABELS)]
            issue.edit(at, author, "labels", " ".join(dict.fromkeys((*issue.labels, label))))
        else:
            text = f"{issue.text}\n\n{EDITS[number % len(EDITS)]}"
            issue.edit(at, author, "description", text)

    # -- everyday ----------------------------------------------------------------------------

    def _everyday(self) -> Iterator[tuple[str, str]]:
        busy = {
            place[1]
            for place in (
                self._stage.asked, self._stage.unnamed, self._stage.quiet, self._stage.moving
            )
        }  # fmt: skip
        names = [
            each.name for each in self._organisation.services
            if each.team in PROJECTS and each.name not in busy
        ]  # fmt: skip
        pairs = [(name, title) for name in names for title in DEMANDS]
        yield from self._random.sample(pairs, 26)

    def _usual(self, number: int, service: str, title: str) -> None:
        state = ("approved", "approved", "completed", "submitted", "approved", "rejected", "draft",
                 "completed", "approved", "screening")[number % 10]  # fmt: skip
        opened = self._day(330, 120) if state in {"approved", "completed"} else self._day(200, 3)
        text = f"{title}. Wanted by the bureau, see the attached paper."
        demand = self._demand(service, title, text, state, opened)
        if state not in {"approved", "completed"}:
            return
        epic = self._epic(demand, title, f"Everything for: {title}.")
        last = _END - timedelta(days=self._random.uniform(1, 9))
        if state == "completed":
            last = epic.created + (last - epic.created) * self._random.uniform(0.5, 0.9)
        titles = self._random.sample(STORIES, self._random.randint(5, 9))
        self._step(epic, "In Progress", epic.created + timedelta(days=3))
        for place, name in enumerate(titles):
            created = epic.created + timedelta(days=2 + place, hours=self._random.randint(0, 5))
            child = self._story(epic, name, created)
            share = (place + 1) / len(titles)
            until = created + (last - created) * share
            steps = 3 if state == "completed" or place < len(titles) - 2 else 2
            self._move(child, steps, created + (until - created) * 0.2, until)
        if state == "completed":
            self._step(epic, "Done", last + timedelta(hours=5))

    def _bug(self) -> None:
        service = self._random.choice(
            [each for each in self._organisation.services if each.team in PROJECTS]
        )
        created = self._day(340, 5)
        title = f"{self._random.choice(BUGS)} ({service.name})"
        issue = self._issue("Bug", service.name, title, f"{title}.\n\nSeen in production.", created)
        steps = self._random.choice((0, 1, 2, 3, 3, 3))
        until = min(created + timedelta(days=self._random.uniform(6, 40)), _SOON)
        self._move(issue, steps, created + (until - created) * 0.1, until)

    # -- parts -------------------------------------------------------------------------------

    def _demand(self, service: str, title: str, text: str, state: str, opened: datetime) -> Demand:
        group = self._stage.group
        if service != self._stage.asked[1]:
            names = [name for name in self._organisation.staff if name != "Information Technology"]
            group = self._random.choice(names)
        decided = opened + timedelta(days=self._random.uniform(9, 24))
        demand = Demand(
            "", title.format(service=service), text.format(service=service), service,
            self._random.choice(PORTFOLIOS), self._random.choice(self._organisation.staff[group]),
            state, opened, decided if state in {"approved", "completed", "rejected"} else None,
        )  # fmt: skip
        self.demands.append(demand)
        return demand

    def _epic(self, demand: Demand, title: str, text: str) -> Issue:
        created = (demand.decided or demand.opened) + timedelta(days=self._random.uniform(2, 6))
        service = demand.service
        found = self._issue(
            "Epic", service, title.format(service=service), text.format(service=service), created
        )
        demand.epic = found
        return found

    def _story(self, epic: Issue, title: str, created: datetime) -> Issue:
        text = f"{title}.\n\nPart of: {epic.title}."
        found = self._issue("Story", epic.service, title, text, created)
        found.parent = epic
        return found

    def _issue(self, kind: str, service: str, title: str, text: str, created: datetime) -> Issue:
        project = PROJECTS[self._services[service].team][0]
        issue = Issue(
            kind, project, service, title, text, self._member(project), self._member(project),
            created.replace(microsecond=0),
        )  # fmt: skip
        self.issues.append(issue)
        return issue

    def _children(self, epic: Issue) -> list[Issue]:
        return [each for each in self.issues if each.parent is epic]

    def _member(self, project: str) -> str:
        team = next(team for team, (key, _) in PROJECTS.items() if key == project)
        return self._random.choice(self._members[team])

    def _move(self, issue: Issue, steps: int, start: datetime, end: datetime) -> None:
        """``steps`` further along the flow between two moments, the last one at the end."""
        for number in range(1, steps + 1):
            self._step(issue, FLOW[number], start + (end - start) * (number / steps))

    def _step(self, issue: Issue, status: str, at: datetime) -> None:
        issue.edit(at.replace(microsecond=0), self._member(issue.project), "status", status)

    def _day(self, most: int, least: int) -> datetime:
        """A working moment between so many days before the end of the data."""
        first, last = _END - timedelta(days=most), _END - timedelta(days=least)
        return calendar.moment(self._random, first, last)

    def _name(self) -> None:
        self.demands.sort(key=lambda each: each.opened)
        for number, demand in enumerate(self.demands, start=1001):
            demand.number = f"DMND{number:07d}"
        self.issues.sort(key=lambda each: each.created)
        used: dict[str, int] = {}
        for issue in self.issues:
            used[issue.project] = used.get(issue.project, 0) + 1
            issue.key = f"{issue.project}-{used[issue.project]}"
        for demand in self.demands:
            if demand.epic is None:
                continue
            if demand.told:
                demand.epic.demand = demand.number
            else:
                _mention(demand.epic, f"\n\nComes from {demand.number}.")


def _mention(issue: Issue, sentence: str) -> None:
    """Let the description have said so from the beginning."""
    issue.text += sentence
    issue.edits = [
        replace(edit, old=edit.old + sentence, new=edit.new + sentence)
        if edit.field == "description"
        else edit
        for edit in issue.edits
    ]
