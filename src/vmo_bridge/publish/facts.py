"""What is to be said about each record: facts of tickets, values of services and user groups."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from vmo_bridge.analysis.expressions import ANSWER_IS_RATED, RESOLUTION_SLA
from vmo_bridge.records import KpiResult, Signal
from vmo_bridge.settings.publish import PublishSection

if TYPE_CHECKING:
    import pyarrow as pa

Facts = dict[str, dict[str, str]]
"""Ref of a record to fact to its value, in plain notation: ``true``, ``12``, ``87.5``, empty."""

WINDOW = "last-90-days"
"""The window whose results are written back."""

_WATERMELONS = f"""
select distinct s.ref
from ({RESOLUTION_SLA}) s
join answers a on a.ticket_ref = s.ref
where s.met and a.metric = 'csat' and {ANSWER_IS_RATED}
  and (a.value - a.scale_min) / (a.scale_max - a.scale_min) <= 0.25
"""
"""Tickets whose SLA was met and whose user rates the lowest quarter (1 or 2 of 1-5)."""

_LOST_TIME = """
select ticket_ref as ref, sum(value) as minutes
from answers
where metric = 'lost_time' and value is not null and ticket_ref is not null
group by ticket_ref
"""


def ticket_facts(tables: Mapping[str, pa.Table], signals: Iterable[Signal]) -> Facts:
    """Facts of the tickets about which there is anything to say; ``tables`` are the views."""
    from vmo_bridge.analysis.engine import Analysis  # noqa: PLC0415 - duckdb is slow to import

    with Analysis(tables) as analysis:
        watermelons = {row["ref"] for row in analysis.query(_WATERMELONS)}
        lost_time = {row["ref"]: row["minutes"] for row in analysis.query(_LOST_TIME)}
    tickets = set(tables["tickets"]["ref"].to_pylist())
    signals_of = Counter(
        ref for signal in open_signals(signals) for ref in signal.finding.evidence if ref in tickets
    )
    return {
        ref: {
            "watermelon": "true" if ref in watermelons else "false",
            # Whole minutes: the field is an integer, which would never hold a fraction.
            "lost_time": plain(lost_time.get(ref), digits=0),
            "open_signals": str(signals_of[ref]),
        }
        for ref in watermelons | set(lost_time) & tickets | set(signals_of)
    }


NO_TICKET_FACTS = {"watermelon": "false", "lost_time": "", "open_signals": "0"}
"""What is said of a ticket about which there is nothing to say any more."""


def scope_facts(
    results: Sequence[KpiResult], signals: Iterable[Signal], refs: Iterable[str], scope: str
) -> Facts:
    """The values of services (``scope`` is ``service_ref``) or user groups (``user_group_ref``)."""
    found = _of_scope(results, scope)
    signals_of = Counter(getattr(signal.finding, scope) for signal in open_signals(signals))
    return {ref: _values(found[ref], signals_of[ref]) for ref in refs}


def initiative_facts(
    tables: Mapping[str, pa.Table],
    results: Sequence[KpiResult],
    signals: Iterable[Signal],
    refs: Iterable[str],
) -> Facts:
    """The values of the service an epic or demand is for, and the signals it is evidence of."""
    columns = tables["initiatives"].select(["ref", "service_ref"]).to_pydict()
    service_of = dict(zip(columns["ref"], columns["service_ref"], strict=True))
    found = _of_scope(results, "service_ref")
    signals_of = Counter(ref for signal in open_signals(signals) for ref in signal.finding.evidence)
    return {
        ref: _values(found[service_of.get(ref) or ""], signals_of[ref])
        if service_of.get(ref) in found or signals_of[ref]
        else dict.fromkeys(("csat", "sla", "lost_time", "kpi_status", "open_signals"), "")
        for ref in refs
    }


def _of_scope(results: Sequence[KpiResult], scope: str) -> dict[str, dict[str, KpiResult]]:
    """Results of the last 90 days by service (or user group) and KPI, over all of the other."""
    other = {"service_ref": "user_group_ref", "user_group_ref": "service_ref"}[scope]
    found: dict[str, dict[str, KpiResult]] = defaultdict(dict)
    for result in results:
        ref = getattr(result, scope)
        if result.window == WINDOW and ref and getattr(result, other) is None:
            found[ref][result.kpi] = result
    return found


def _values(results: Mapping[str, KpiResult], signals: int) -> dict[str, str]:
    """The facts of one scope, without those of which nothing is said."""
    said = {
        "csat": _percent(results.get("csat")),
        "sla": _percent(results.get("sla_attainment")),
        "lost_time": plain(_value(results.get("lost_time"))),
        "kpi_status": _status(results),
        "open_signals": str(signals),
    }
    left = {kpi for kpi, result in results.items() if result.status == LEFT}
    return {fact: text for fact, text in said.items() if not left & _TELLS[fact]}


_TELLS: Mapping[str, frozenset[str]] = {
    "csat": frozenset({"csat"}),
    "sla": frozenset({"sla_attainment"}),
    "lost_time": frozenset({"lost_time"}),
    "kpi_status": frozenset({"csat", "sla_attainment"}),
    "open_signals": frozenset(),
}
"""Fact of a scope to the KPIs it tells of."""


def open_signals(signals: Iterable[Signal]) -> list[Signal]:
    """Those that have not ended."""
    return [signal for signal in signals if signal.state != "ended"]


LEFT = "left"
"""The status of a result of which nothing is said: whatever stands over there stays."""


def as_told(result: KpiResult, publish: PublishSection) -> KpiResult:
    """A result as it may be told: without its number where that is withheld, and as what it is.

    A grade that is not known is below any.
    """
    if result.value is None:
        return result
    if (result.grade or "F") > publish.min_grade:
        status = LEFT if publish.below_grade == "keep" else "incomplete"
        marked = msgspec.structs.replace(result, status=status)
        return marked if publish.below_grade == "mark" else _numberless(marked)
    if result.status == "no-target" and publish.no_target == "withhold":
        return _numberless(result)
    return result


def _numberless(result: KpiResult) -> KpiResult:
    return msgspec.structs.replace(result, value=None, numerator=None, denominator=None)


def is_worth(result: KpiResult, publish: PublishSection) -> bool:
    """Whether a result (``as_told``) is worth a record of its own."""
    if result.value is None:
        return result.status == "too-few" and publish.too_few == "mark"
    return True


def kpi_record(key: str, result: KpiResult) -> dict[str, str]:
    """A KPI result as the fields of a record of ours."""
    return {
        "u_key": key,
        "u_kpi": result.kpi,
        "u_window": result.window,
        "u_start": f"{result.start:%Y-%m-%d}",
        "u_end": f"{result.end:%Y-%m-%d}",
        "u_service": result.service or "",
        "u_user_group": result.user_group or "",
        "u_value": plain(result.value, digits=4),
        "u_unit": result.unit,
        "u_numerator": plain(result.numerator),
        "u_denominator": plain(result.denominator),
        "u_n": str(result.n),
        "u_target": plain(result.target, digits=4),
        "u_status": result.status,
        "u_completeness": plain(result.completeness, digits=4),
        "u_grade": result.grade or "",
        "u_version": result.version,
        "u_data_as_of": f"{result.data_as_of:%Y-%m-%d}",
    }


NO_KPI_VALUE = {
    "u_value": "",
    "u_numerator": "",
    "u_denominator": "",
    "u_n": "0",
    "u_status": "not-known",
}
"""What is said of a KPI result that was shown and is not there any more."""


def signal_record(signal: Signal, labels: Mapping[str, str]) -> dict[str, str]:
    """A signal as the fields of a record of ours; ``labels`` are what people call its evidence."""
    finding = signal.finding
    return {
        "u_key": finding.id,
        "u_rule": finding.rule,
        "u_state": signal.state if signal.state == "ended" else "open",
        "u_title": finding.title,
        "u_why": finding.why,
        "u_service": finding.service or "",
        "u_user_group": finding.user_group or "",
        "u_strength": plain(finding.strength),
        "u_hours_per_year": plain(finding.worth.hours_per_year, digits=0),
        "u_cost_per_year": plain(finding.worth.cost_per_year, digits=0),
        "u_records": str(len(finding.evidence)),
        "u_evidence": _listed([labels[ref] for ref in finding.evidence if ref in labels]),
        "u_raised": f"{signal.raised_at:%Y-%m-%d}",
    }


NO_SIGNAL = {"u_state": "ended"}
"""What is said of a signal that was shown and is forgotten."""

_LONGEST_LIST = 900


def _listed(names: Sequence[str]) -> str:
    """Names as far as a field holds them, and how many more there are."""
    shown: list[str] = []
    for name in names:
        if len(", ".join([*shown, name])) > _LONGEST_LIST:
            return f"{', '.join(shown)} and {len(names) - len(shown)} more"
        shown.append(name)
    return ", ".join(shown)


def plain(number: float | None, *, digits: int = 2) -> str:
    """A number without needless zeros; empty where it is not known."""
    if number is None:
        return ""
    text = f"{number:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _value(result: KpiResult | None) -> float | None:
    return result.value if result else None


def _percent(result: KpiResult | None) -> str:
    value = _value(result)
    return plain(None if value is None else value * 100, digits=1)


def _status(results: Mapping[str, KpiResult]) -> str:
    """``SLA met, satisfaction missed``: the two side by side show what one alone hides."""
    words = {
        "met": "met",
        "missed": "missed",
        "no-target": "no target",
        "too-few": "too few",
        "incomplete": "incomplete",
    }
    parts = [
        f"{label} {words.get(results[kpi].status, 'not known') if kpi in results else 'not known'}"
        for kpi, label in (("sla_attainment", "SLA"), ("csat", "satisfaction"))
    ]
    return ", ".join(parts)
