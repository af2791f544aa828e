"""What is to be said about each record: facts of tickets, values of services and user groups."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from vmo_bridge.analysis.expressions import ANSWER_IS_RATED, RESOLUTION_SLA
from vmo_bridge.records import KpiResult, Signal
from vmo_bridge.settings import Settings
from vmo_bridge.store import Store

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


def ticket_facts(
    store: Store, settings: Settings, signals: Iterable[Signal], *, as_of: datetime
) -> Facts:
    """Facts of the tickets about which there is anything to say."""
    from vmo_bridge.analysis.engine import Analysis  # noqa: PLC0415 - duckdb is slow to import

    tables = store.tables(as_of=as_of, feedback=settings.feedback)
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
    other = {"service_ref": "user_group_ref", "user_group_ref": "service_ref"}[scope]
    found: dict[str, dict[str, KpiResult]] = defaultdict(dict)
    for result in results:
        ref = getattr(result, scope)
        if result.window == WINDOW and ref and getattr(result, other) is None:
            found[ref][result.kpi] = result
    signals_of = Counter(getattr(signal.finding, scope) for signal in open_signals(signals))
    return {
        ref: {
            "csat": _percent(found[ref].get("csat")),
            "sla": _percent(found[ref].get("sla_attainment")),
            "lost_time": plain(_value(found[ref].get("lost_time"))),
            "kpi_status": _status(found[ref]),
            "open_signals": str(signals_of[ref]),
        }
        for ref in refs
    }


def open_signals(signals: Iterable[Signal]) -> list[Signal]:
    """Those that have not ended."""
    return [signal for signal in signals if signal.state != "ended"]


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
    words = {"met": "met", "missed": "missed", "no-target": "no target", "too-few": "too few"}
    parts = [
        f"{label} {words.get(results[kpi].status, 'not known') if kpi in results else 'not known'}"
        for kpi, label in (("sla_attainment", "SLA"), ("csat", "satisfaction"))
    ]
    return ", ".join(parts)
