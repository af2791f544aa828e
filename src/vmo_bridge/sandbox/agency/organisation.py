"""Departments, people, teams and services of the agency; all names are made up."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from vmo_bridge.sandbox.agency.model import Department, Person, Service, Team, Topic
from vmo_bridge.sandbox.agency.topics import SERVICES

_DEPARTMENTS = (
    ("Field Inspection", "FIN", 330), ("Grants Administration", "GRA", 240),
    ("Legal Counsel", "LEG", 130), ("Finance and Budget", "FAB", 190),
    ("Human Resources", "HRS", 140), ("Northern Regional Office", "NRO", 260),
    ("Southern Regional Office", "SRO", 250), ("Public Affairs", "PUB", 90),
    ("Research and Statistics", "RES", 160), ("Licensing and Permits", "LIC", 230),
    ("Emergency Coordination", "EMC", 110), ("Facilities and Logistics", "FAC", 120),
)  # fmt: skip
IT_DEPARTMENT = "Information Technology"
DESK = "Service Desk"
_TEAMS = (
    (DESK, "desk", 24), ("Network Operations", "second", 9), ("Identity Services", "second", 8),
    ("Workplace Support", "second", 14), ("Messaging Team", "second", 6),
    ("Print Services", "second", 5), ("Telephony Team", "second", 6),
    ("HR Applications", "second", 6), ("Finance Applications", "second", 8),
    ("Case Systems", "second", 9), ("Data Platform", "second", 8), ("Web Team", "second", 6),
    ("Orbis Vendor Support", "vendor", 6), ("Halden Field Services", "vendor", 7),
)  # fmt: skip
_FIRST = (
    "Ada Alva Amon Ansel Aria Arlo Basil Bea Berit Birk Bram Brin Cara Cleo Corin Dagny Dario "
    "Delia Edda Eliot Elsa Emric Enno Esme Fenna Fenn Filip Flora Gisa Greta Hale Hedda Hugo "
    "Ida Ilan Imke Ines Iris Ivo Jana Jarl Joris Juno Kaia Kasper Keno Lale Leif Lenka Liv "
    "Lorin Mads Maren Marlo Mila Minna Nadir Nela Nico Noor Odin Oona Orla Otis Pella Perrin "
    "Quinn Rafe Rena Rhea Rune Saga Selma Silas Sorin Svea Tamsin Tarek Thea Tilda Tove Ulla "
    "Uwe Vera Vigo Wanda Wren Xenia Yael Yorick Zeno Zora"
)
_LAST_A = (
    "Alder Ash Barrow Beck Birch Brack Bram Cold Crag Dale Dun Elder Fair Fen Gold Grim Hart "
    "Hazel High Hollow Iron Kell Lark Linden Marl Mead Moor Norr Oak Pell Quill Raven Rook "
    "Sand Sedge Stone Thorn Vale Wind Yarrow"
)
_LAST_B = (
    "berg brook burn croft dahl feld ford gard holm hurst ley lund mark mere stad vik wald wick"
)
_TITLES = ("Officer", "Senior officer", "Analyst", "Assistant", "Specialist", "Team lead", "Clerk")


@dataclass(frozen=True, slots=True)
class Organisation:
    """Who there is before anything happens; ``staff`` holds active people by department."""

    departments: tuple[Department, ...]
    people: tuple[Person, ...]
    teams: tuple[Team, ...]
    services: tuple[Service, ...]
    staff: dict[str, tuple[str, ...]]


def organise(random: Random) -> Organisation:
    """Draw the organisation."""
    names = _names(random)
    agents = sum(size for _, _, size in _TEAMS)
    sizes = [(name, code, size + random.randint(-8, 8)) for name, code, size in _DEPARTMENTS]
    sizes.append((IT_DEPARTMENT, "ITD", agents + 30))
    departments = tuple(Department(*each) for each in sizes)
    people: list[Person] = []
    staff: dict[str, tuple[str, ...]] = {}
    for department in departments:
        active = [
            _person(random, names.pop(), department.name) for _ in range(department.headcount)
        ]
        gone = [
            _person(random, names.pop(), department.name, active=False)
            for _ in range(department.headcount // 30)
        ]
        people += active + gone
        staff[department.name] = tuple(person.user_name for person in active)
    free = list(staff[IT_DEPARTMENT])
    teams = []
    for name, kind, size in _TEAMS:
        teams.append(Team(name, kind, tuple(free[:size])))
        del free[:size]
    return Organisation(departments, tuple(people), tuple(teams), services(), staff)


def _names(random: Random) -> list[tuple[str, str, str]]:
    lasts = [a + b for a in _LAST_A.split() for b in _LAST_B.split()]
    pairs = [(first, last) for first in _FIRST.split() for last in lasts]
    found = random.sample(pairs, 2_800)
    return [(f"{first}.{last}".lower(), first, last) for first, last in found]


def _person(
    random: Random, name: tuple[str, str, str], department: str, *, active: bool = True
) -> Person:
    return Person(
        *name, department, random.choice(_TITLES), active=active, vip=random.random() < 0.01
    )


def services() -> tuple[Service, ...]:
    """The services, read from their text."""
    found = []
    for block in SERVICES.strip().split("\n\n"):
        head, *lines = block.splitlines()
        name, category, criticality, team, partner = head.split(" | ")
        incidents = tuple(_topic(line) for line in lines if line.startswith("-"))
        requests = tuple(_topic(line) for line in lines if line.startswith("+"))
        found.append(Service(name, category, criticality, team, partner, incidents, requests))
    return tuple(found)


def _topic(line: str) -> Topic:
    key, _, phrases = line[2:].partition(": ")
    return Topic(key, tuple(phrases.split(" / ")))
