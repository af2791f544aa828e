"""What development and the survey add to the agency, from a random stream of its own."""

from __future__ import annotations

from random import Random
from typing import Any

from vmo_bridge.sandbox.agency import helpdesk, stage, voices
from vmo_bridge.sandbox.agency.development import STILL_DAYS, Workshop
from vmo_bridge.sandbox.agency.model import Agency
from vmo_bridge.sandbox.agency.organisation import Organisation
from vmo_bridge.sandbox.agency.plot import Plot
from vmo_bridge.sandbox.agency.stage import Stage
from vmo_bridge.sandbox.agency.works import Demand, Issue, Voice


def extend(agency: Agency, organisation: Organisation, plot: Plot) -> None:
    """Add issues, demands, voices and their truth; what is there stays as it is."""
    random = Random(f"sequel of {agency.seed}")  # noqa: S311 — repeatable, nothing secret
    places = stage.draw(random, organisation, plot)
    workshop = Workshop(random, organisation, places)
    workshop.work()
    asked = helpdesk.requests(random, organisation, plot, places.avoided)
    agency.issues = [*workshop.issues, *asked]
    agency.demands = workshop.demands
    agency.voices = voices.Listener(random, organisation, plot, places, agency.tickets).voices()
    agency.truth |= _truth(places, workshop, agency.voices)


def _truth(places: Stage, workshop: Workshop, heard: list[Voice]) -> dict[str, Any]:
    wish, service = places.asked
    handoffs = {name: _handoff(workshop, name) for name in workshop.by_story}
    said = [each for each in heard if each.story == "asked"]
    feedback = {
        "service": service,
        "user_group": places.group,
        "topic": wish.key,
        "words": list(wish.words),
        "survey": voices.YEARLY,
        "responses": [each.number for each in said],
        "people": sorted(each.person for each in said),
    }
    both = {"topic": wish.key} | handoffs["asked"]
    for name in ("user_group", "survey", "responses", "people"):
        both[name] = feedback[name]
    return {
        "feedback_without_ticket": [feedback],
        "stalled_handoff": [
            {"topic": place[0].key} | handoffs[name]
            for name, place in (("asked", places.asked), ("unnamed", places.unnamed))
        ],
        "three_sources": [both],
        "feedback_decoys": _feedback_decoys(places, heard),
        "handoff_decoys": [
            {"kind": "quiet_epic", "why": "the epic is quiet, its stories move"}
            | handoffs["quiet"],
            {"kind": "moving_epic", "why": "the epic itself moves, its stories wait"}
            | handoffs["moving"],
        ],
    }


def _handoff(workshop: Workshop, story: str) -> dict[str, Any]:
    demand = workshop.by_story[story]
    epic = demand.epic
    if epic is None:
        raise ValueError(demand.number)
    children = [each for each in workshop.issues if each.parent is epic]
    whole = [epic, *children]
    moves = [move.at for each in whole for move in each.moves()]
    last = max(moves)
    return {
        "service": demand.service,
        "demand": demand.number,
        "epic": epic.key,
        "stories": [each.key for each in children],
        "linked_by": _link(demand, epic),
        "last_move": last.isoformat(),
        "edits_since": sum(edit.at > last for each in whole for edit in each.edits),
        "still_days": STILL_DAYS,
    }


def _link(demand: Demand, epic: Issue) -> str:
    return "field" if epic.demand == demand.number else "text"


def _feedback_decoys(places: Stage, heard: list[Voice]) -> list[dict[str, Any]]:
    def those(story: str) -> list[str]:
        return [each.number for each in heard if each.story.partition(":")[0] == story]

    covered = next(each.story for each in heard if each.story.startswith("covered:"))
    return [
        {
            "kind": "praise",
            "service": places.moving[1],
            "user_group": places.praising,
            "responses": those("praise"),
            "why": "many people of one group speak of one thing, and like it",
        },
        {
            "kind": "has_tickets",
            "service": places.quiet[1],
            "user_group": places.covered,
            "topic": covered.partition(":")[2],
            "responses": those("covered"),
            "why": "the desk hears of it as well",
        },
        {
            "kind": "one_person_repeated",
            "service": places.unnamed[1],
            "user_group": places.repeating,
            "topic": places.unnamed[0].key,
            "responses": those("repeat"),
            "why": "one person answered five times",
        },
    ]
