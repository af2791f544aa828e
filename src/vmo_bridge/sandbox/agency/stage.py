"""Where the stories about wishes and hand-offs happen: services, groups and matters."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from vmo_bridge.sandbox.agency.organisation import IT_DEPARTMENT, Organisation
from vmo_bridge.sandbox.agency.plot import Plot
from vmo_bridge.sandbox.agency.wishes import WISHES, Wish


@dataclass(frozen=True, slots=True)
class Stage:
    """Matter, service and group of each story; the wishes are all different.

    ``asked`` is wanted in the survey and stands still in development. ``unnamed`` stands still
    too; its demand does not know its epic. ``quiet`` and ``moving`` are hand-offs in order.
    """

    asked: tuple[Wish, str]
    unnamed: tuple[Wish, str]
    quiet: tuple[Wish, str]
    moving: tuple[Wish, str]
    group: str
    praising: str
    covered: str
    repeating: str
    avoided: frozenset[str]


def draw(random: Random, organisation: Organisation, plot: Plot) -> Stage:
    """Draw the places; services without another story come first."""
    used = {
        *(cell[0] for cell in plot.own_cells), *plot.ping_pong, plot.recurring, plot.missed,
        plot.triage, plot.routing,
    }  # fmt: skip
    services = [each.name for each in organisation.services if each.category == "Application"]
    random.shuffle(services)
    services.sort(key=lambda name: name in used)
    wishes = list(WISHES[:3])
    random.shuffle(wishes)
    wishes.append(WISHES[3])
    places = []
    for wish in wishes:
        service = next(name for name in services if name not in wish.unfit)
        services.remove(service)
        places.append((wish, service))
    taken = {cell[1] for cell in plot.own_cells} | {plot.silent, IT_DEPARTMENT}
    groups = [each.name for each in organisation.departments if each.name not in taken]
    random.shuffle(groups)
    sizes = {each.name: each.headcount for each in organisation.departments}
    groups.sort(key=lambda name: sizes[name] < 150)
    avoided = frozenset({*(cell[0] for cell in plot.own_cells), plot.missed})
    asked, unnamed, quiet, moving = places
    group, praising, covered, repeating = groups[:4]
    return Stage(asked, unnamed, quiet, moving, group, praising, covered, repeating, avoided)
