"""Which story happens where: every story and every decoy has a service of its own."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from vmo_bridge.sandbox.agency.organisation import IT_DEPARTMENT, Organisation

#: A service and a department.
Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Plot:
    """Places of the stories: ``watermelons`` (cells), ``ping_pong`` (services), ``recurring``.

    Places of the decoys: ``angry`` (a cell with one angry person), ``few`` (a cell with three
    unhappy answers), ``missed`` (late service), ``triage`` and ``routing`` (harmless returns).
    ``silent`` is a department that hardly calls.
    """

    watermelons: tuple[Cell, Cell]
    ping_pong: tuple[str, str]
    recurring: str
    angry: Cell
    angry_person: str
    few: Cell
    missed: str
    triage: str
    routing: str
    silent: str

    @property
    def own_cells(self) -> frozenset[Cell]:
        """Cells whose surveys the stories decide alone."""
        return frozenset({*self.watermelons, self.angry, self.few})


def draw(random: Random, organisation: Organisation) -> Plot:
    """Draw the places."""
    services = random.sample([service.name for service in organisation.services], 10)
    # Sessions end in applications, not in printers: the recurring matter needs one.
    typed = [each.name for each in organisation.services if each.category == "Application"]
    place = next(number for number, name in enumerate(services) if name in typed)
    services[4], services[place] = services[place], services[4]
    sizes = {
        each.name: each.headcount for each in organisation.departments if each.name != IT_DEPARTMENT
    }
    silent = random.choice([name for name, size in sizes.items() if size >= 220])
    groups = random.sample([name for name in sizes if name != silent], 4)
    return Plot(
        watermelons=((services[0], groups[0]), (services[1], groups[1])),
        ping_pong=(services[2], services[3]),
        recurring=services[4],
        angry=(services[5], groups[2]),
        angry_person=random.choice(organisation.staff[groups[2]]),
        few=(services[6], groups[3]),
        missed=services[7],
        triage=services[8],
        routing=services[9],
        silent=silent,
    )
