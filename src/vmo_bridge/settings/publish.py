"""What an admin can set of writing back: where, which values, how much, and whether at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator

from vmo_bridge.settings.section import Section

_OWN_TABLE = r"^[ux]_[a-z0-9_]+$"
_KPI_RECORDS = "the table of publish.table"
_GUARDED = frozenset(
    {"state", "incident_state", "problem_state", "request_state", "phase", "stage", "approval",
     "active", "number", "status", "resolution", "summary", "priority", "issuetype", "project"}
)  # fmt: skip
"""Fields that a workflow guards, or that say what a record is."""


class PublishSection(Section):
    """What is written back, where, and whether at all."""

    mode: Literal["plan", "apply"] = "plan"
    """``plan`` shows what would be written; ``apply`` writes, reads back and keeps receipts."""
    stop: bool = False
    """The kill switch: nothing is written as long as it is on (see also ``publish --stop``)."""
    connectors: list[str] = Field(default_factory=list)
    """The sources to write to; empty: all that can be written to."""
    closed_tickets: bool = False
    """Whether facts are also written on closed tickets; each write touches them and their audit."""
    table: str = Field(default="u_vmo_kpi_result", pattern=_OWN_TABLE)
    """The target's table for KPI results."""
    signal_table: str = Field(default="u_vmo_signal", pattern=_OWN_TABLE)
    """The target's table for signals."""
    prefix: str = Field(default="u_vmo_", pattern=r"^[ux]_[a-z0-9_]*_$")
    """What our fields on the target's own tables begin with."""
    map: dict[str, dict[str, dict[str, str]]] = Field(default_factory=dict)
    """Which value goes where: ``[publish.map.SOURCE.TABLE]`` with lines ``value = "field"``. What
    is not named there is not written to that source; without a map our own names hold."""
    take_over: bool = False
    """Whether a mapped field of your own may be written over although somebody else filled it."""
    min_grade: Literal["A", "B", "C", "D"] = "C"
    """The completeness grade from which on a KPI counts as known (docs/certificates.md)."""
    below_grade: Literal["keep", "withhold", "mark"] = "keep"
    """A KPI below that grade: ``keep`` what stands there, with its own date; ``withhold`` the
    number (also one that was shown); or ``mark`` it with the status ``incomplete``."""
    too_few: Literal["withhold", "mark"] = "withhold"
    """A KPI of under five answers: no record, or one that says ``too-few``; never its number."""
    no_target: Literal["withhold", "mark"] = "mark"
    """A KPI without an agreed target: no record, or one that says ``no-target``."""
    max_writes_per_run: int = Field(default=10_000, ge=1)
    """No more records than this are written by one publish to one target; the rest waits."""
    max_writes_per_hour: int = Field(default=20_000, ge=1)
    """No more records than this are written to one target within an hour; the rest waits."""
    link: str = ""
    """An address that stands on each record of ours, ``{id}`` replaced by the id of the result or
    signal; empty: none."""
    keep_days: int = Field(default=400, ge=1)
    """So long the outbox keeps what was written and what stood there before (``undo``)."""

    @field_validator("map")
    @classmethod
    def _safe_map(
        cls, value: dict[str, dict[str, dict[str, str]]]
    ) -> dict[str, dict[str, dict[str, str]]]:
        for target, tables in value.items():
            for table, fields in tables.items():
                _check_map(f"{target}.{table}", table, fields)
        return value


def _check_map(where: str, table: str, fields: Mapping[str, str]) -> None:
    """Refuse places that are not ours to write to, whatever the platform would allow."""
    if table.startswith("pa_scores"):
        raise ValueError(
            f"{where}: scores of Performance Analytics are its own; write to {_KPI_RECORDS} "
            "and let an indicator read them there"
        )
    for fact, name in fields.items():
        last = name.casefold().rpartition(".")[2]  # whatever a path leads through
        if not last or last in _GUARDED or last.startswith("sys_"):
            raise ValueError(
                f"{where}.{fact} = {name!r}: is no field for values (states and approvals are "
                "guarded by workflows, sys_ fields are the platform's); name a field of your own"
            )
    twice = [name for name, count in Counter(fields.values()).items() if count > 1]
    if twice:
        raise ValueError(f"{where}: {twice[0]!r} is to hold two values; a field has one owner")
