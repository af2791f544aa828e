"""The documented views (docs/tables.md): the data as it stood then, as we knew it then.

Each kind of record is first reduced to one version a record (``_AS_OF``); the views then join these
by name. A record first seen after ``as_of`` is taken back to it from the source's own times: what
came later is emptied, and the row says ``reconstructed``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlite_utils import Database

from vmo_bridge.settings.model import FeedbackSection
from vmo_bridge.store import ties
from vmo_bridge.store.clock import to_epoch
from vmo_bridge.store.schema import KINDS, shape

_NOW = """{kind} as (
  select {columns}, 0 as reconstructed from main.{kind} {there}
)"""

_THERE = """where ref not in (
    select ref from main.tombstone where ref is not null and gone_at <= :as_of
      and seen_at <= :known_at and (back_at is null or back_at > min(:as_of, :known_at))
  )"""
"""What was gone by then, as we knew it then, is not there."""

_AS_OF = """{kind} as (
  select {columns}, valid_from > :as_of as reconstructed from (
    select *, row_number() over (
      partition by ref order by valid_from desc, seen_at desc, page desc, position desc
    ) as newest_first
    from (
      select *, min(valid_from) over (partition by ref) as first_valid_from from (
        select {columns}, valid_from, seen_at, page, position from main.{kind}
        where seen_at <= :known_at
        union all
        select {columns}, valid_from, seen_at, page, position from main.{kind}_history
        where seen_at <= :known_at
      ) {there}
    )
    where valid_from <= :as_of or valid_from = first_valid_from
  ) where newest_first = 1
)"""


def _day(column: str) -> str:
    return f"strftime('%Y-%m-%d', {column}, 'unixepoch')"


def _month(column: str) -> str:
    return f"strftime('%Y-%m', {column}, 'unixepoch')"


_TICKETS = f"""
select
  t.ref, t.id, t.source, t.number, t.type, t.original_type, t.title, t.description,
  case when not t.reconstructed then t.state
       when t.closed_at <= :as_of then 'closed'
       when t.resolved_at <= :as_of then 'resolved'
       else coalesce(r.state, 'other') end as state,
  coalesce(c.label, r.original_state) as original_state,
  t.priority, t.original_priority, t.category, t.subcategory,
  coalesce(t.service_ref, named.ref) as service_ref, s.name as service,
  g.ref as user_group_ref, g.name as user_group, t.team_ref, m.name as team,
  t.requester_ref, t.problem_ref, t.parent_ref,
  t.opened_at, {_day("t.opened_at")} as opened_day, {_month("t.opened_at")} as opened_month,
  r.resolved_at, {_day("r.resolved_at")} as resolved_day,
  {_month("r.resolved_at")} as resolved_month,
  case when t.closed_at <= :as_of then t.closed_at end as closed_at,
  min(t.updated_at, :as_of) as updated_at,
  case when r.settled then t.reopen_count end as reopen_count,
  case when r.settled then t.reassignment_count end as reassignment_count,
  case when r.settled then t.made_sla end as made_sla,
  case when r.settled then t.business_seconds end as business_seconds,
  case when r.settled then t.calendar_seconds end as calendar_seconds,
  case when r.settled then t.close_code end as close_code,
  case when r.settled then t.close_notes end as close_notes,
  t.channel, t.reconstructed
from ticket t
join (
  -- A later reopening would have moved resolved_at, so an early one settles what hangs on it.
  select k.ref, case when k.resolved_at <= :as_of then k.resolved_at end as resolved_at,
    (not k.reconstructed or coalesce(k.resolved_at <= :as_of, 0)) as settled, past.value as state,
    case when not k.reconstructed then k.original_state else past.original_value end
      as original_state
  from ticket k
  left join (
    -- Of those that began in one moment the last is the one that lasted. Grouping changes no row:
    -- it makes SQLite look tickets up by an index of its own, instead of scanning for each.
    select ticket_ref, value, original_value from (
      select ticket_ref, value, original_value, row_number() over (
        partition by ticket_ref order by started_at desc, ended_at desc nulls first, ref desc
      ) as newest_first
      from span where field = 'state' and started_at <= :as_of
    ) where newest_first = 1 group by ticket_ref
  ) past on k.reconstructed and past.ticket_ref = k.ref
) r on r.ref = t.ref
left join (
  -- A list may say a word twice; a ticket is one row all the same.
  select source, "table", field, value, min(label) as label from choice group by 1, 2, 3, 4
) c on c.source = t.source and c."table" = t.original_type and c.field = 'state'
  and c.value = r.original_state
left join service_named named on named.name = lower(t.service_name)
left join service s on s.ref = coalesce(t.service_ref, named.ref)
left join team m on m.ref = t.team_ref
left join person p on p.ref = t.requester_ref
left join user_group g on g.ref = coalesce(t.user_group_ref, p.user_group_ref)
where t.opened_at <= :as_of
order by t.ref
"""

_SLA_OUTCOMES = """
select ref, id, source, ticket_ref, name, target,
  case when ended_at > :as_of then 'in_progress' else stage end as stage,
  case when ended_at > :as_of then due_at <= :as_of else breached end as breached,
  started_at, case when ended_at <= :as_of then ended_at end as ended_at, due_at
from sla_outcome
where coalesce(started_at <= :as_of, 1)
order by ref
"""

_SPANS = """
select ref, id, source, ticket_ref, field, value_ref, value, original_value, started_at,
  case when ended_at <= :as_of then ended_at end as ended_at
from span
where started_at <= :as_of
order by ref
"""

_FEEDBACK = f"""
select f.ref, f.id, f.source, f.number, f.survey_ref, f.survey, tied.person_ref,
  tied.ticket_ref, tied.ticket_by, tied.service_ref, s.name as service, tied.service_by,
  tied.user_group_ref, g.name as user_group, tied.user_group_by,
  f.ticket_number, f.service_name, f.user_group_name,
  case when f.at is null and (f.reconstructed or f.answered_at > :as_of) then 'invited'
    else f.state end as state,
  case when f.at is null and (f.reconstructed or f.answered_at > :as_of) then null
    else f.original_state end as original_state,
  f.invited_at, {_day("f.invited_at")} as invited_day, {_month("f.invited_at")} as invited_month,
  f.at as answered_at, {_day("f.at")} as answered_day, {_month("f.at")} as answered_month
from (
  select *, case when answered_at <= :as_of then answered_at end as at from feedback
) f
join tied on tied.ref = f.ref
left join service s on s.ref = tied.service_ref
left join user_group g on g.ref = tied.user_group_ref
where coalesce(f.invited_at <= :as_of, f.at is not null)
order by f.ref
"""

_ANSWERS = f"""
select ref, id, source, feedback_ref, feedback_number, survey_ref, survey, question_ref, question,
  metric, case when best = 'low' then scale_min + scale_max - value else value end as value, text,
  scale_min, scale_max, person_ref, ticket_ref, service_ref, service, user_group_ref, user_group,
  answered_at, {_day("answered_at")} as answered_day, {_month("answered_at")} as answered_month
from (
  select a.ref, a.id, a.source, a.feedback_ref, f.number as feedback_number, f.survey_ref,
    f.survey, a.question_ref, q.text as question, m.metric, m.best, a.value, a.text,
    coalesce(m.scale_min, a.scale_min, asked.scale_min) as scale_min,
    coalesce(m.scale_max, a.scale_max, asked.scale_max) as scale_max,
    tied.person_ref, tied.ticket_ref, tied.service_ref, s.name as service, tied.user_group_ref,
    g.name as user_group, f.answered_at
  from feedback f
  join tied on tied.ref = f.ref
  join answer a on a.feedback_ref = f.ref
  left join question q on q.ref = a.question_ref
  left join question_mapped m on m.ref = a.question_ref and m.by_id_first = 1
  left join scale asked on asked.ref = a.question_ref
    and (asked.first or asked.since <= f.answered_at)
    and (asked.until is null or asked.until > f.answered_at)
  left join service s on s.ref = tied.service_ref
  left join user_group g on g.ref = tied.user_group_ref
  where f.state = 'answered' and f.answered_at <= :as_of
)
order by ref
"""

_INITIATIVES = """
select i.ref, i.id, i.source, i.number, i.type, i.title, i.description,
  case when i.reconstructed then coalesce(past.value, 'other') else i.state end as state,
  case when i.reconstructed then past.original_value else i.original_state end as original_state,
  coalesce(i.service_ref, named.ref) as service_ref, s.name as service, i.parent_ref, i.owner_ref,
  i.opened_at, case when i.closed_at <= :as_of then i.closed_at end as closed_at,
  min(i.updated_at, :as_of) as updated_at
from initiative i
left join (
  select ticket_ref, value, original_value, row_number() over (
    partition by ticket_ref order by started_at desc) as newest_first
  from span where field = 'state' and started_at <= :as_of
) past on i.reconstructed and past.ticket_ref = i.ref and past.newest_first = 1
left join service_named named on named.name = lower(i.service_name)
left join service s on s.ref = coalesce(i.service_ref, named.ref)
where coalesce(i.opened_at <= :as_of, 1)
order by i.ref
"""

_LINKS = """
select l.ref, l.id, l.source, l.from_ref, coalesce(l.to_ref, n.ref) as to_ref, l.to_number,
  l.named_in
from link l
left join (
  select number, min(ref) as ref from (
    select number, ref from ticket where number in (select to_number from link)
    union all
    select number, ref from initiative where number in (select to_number from link)
  ) group by number
) n on n.number = l.to_number
order by l.ref
"""

_SQL: dict[str, str] = {
    "tickets": _TICKETS,
    "sla_outcomes": _SLA_OUTCOMES,
    "spans": _SPANS,
    "feedback": _FEEDBACK,
    "answers": _ANSWERS,
    "persons": (
        "select p.ref, p.id, p.source, p.user_group_ref, g.name as user_group, p.active "
        "from person p left join user_group g on g.ref = p.user_group_ref order by p.ref"
    ),
    "user_groups": (
        "select g.ref, g.id, g.source, g.name, coalesce(g.headcount, (select count(*) "
        "from person p where p.user_group_ref = g.ref and p.active)) as headcount, g.parent_ref "
        "from user_group g order by g.ref"
    ),
    "services": "select ref, id, source, name, active from service order by ref",
    "teams": "select ref, id, source, name from team order by ref",
    "initiatives": _INITIATIVES,
    "links": _LINKS,
    "ideas": (
        "select ref, id, source, number, title, state, original_state, submitter_ref, opened_at "
        "from idea where coalesce(opened_at <= :as_of, 1) order by ref"
    ),
}

_BOOLEANS = {"made_sla", "breached", "active", "reconstructed"}
_DOUBLES = {"value", "scale_min", "scale_max"}
_INTEGERS = {
    "priority",
    "reopen_count",
    "reassignment_count",
    "business_seconds",
    "calendar_seconds",
    "headcount",
}


class Views:
    """Reads the documented views as Arrow tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def tables(
        self,
        *,
        as_of: datetime,
        known_at: datetime,
        feedback: FeedbackSection,
        only: Collection[str] | None = None,
    ) -> dict[str, pa.Table]:
        """All views, or ``only`` these.

        ``feedback`` says what questions measure, and what answers are about.

        Cost grows with the number of versions held; where nothing newer than ``as_of`` is held,
        only current versions are read.
        """
        parameters: dict[str, Any] = {"as_of": to_epoch(as_of), "known_at": to_epoch(known_at)}
        with_ = self._with(parameters)
        parameters |= ties.parameters(feedback)
        return {
            name: self._table(name, with_ + sql, parameters)
            for name, sql in _SQL.items()
            if only is None or name in only
        }

    def _with(self, parameters: dict[str, Any]) -> str:
        parts = []
        there = _THERE if self._has_graves() else ""
        for kind in KINDS:
            columns = ", ".join(f'"{column}"' for column in shape(kind).columns)
            template = _AS_OF if self._looks_back(kind, parameters) else _NOW
            parts.append(template.format(kind=kind, columns=columns, there=there))
        return "with " + ",\n".join([*parts, *ties.PARTS])

    def _has_graves(self) -> bool:
        return self._db.execute("select 1 from main.tombstone limit 1").fetchone() is not None

    def _looks_back(self, kind: str, parameters: dict[str, Any]) -> bool:
        found = self._db.execute(
            f"select 1 from main.{kind} where valid_from > :as_of or seen_at > :known_at limit 1",
            parameters,
        ).fetchone()
        return found is not None

    def _table(self, name: str, sql: str, parameters: dict[str, Any]) -> pa.Table:
        cursor = self._db.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        columns = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(names)
        arrays = [
            _array(column, _arrow_type(name, column_name))
            for column_name, column in zip(names, columns, strict=True)
        ]
        return pa.table(dict(zip(names, arrays, strict=True)))


def _arrow_type(view: str, column: str) -> pa.DataType:
    if column.endswith("_at") or column in _INTEGERS:
        return pa.int64()
    if column in _BOOLEANS:
        return pa.bool_()
    if column in _DOUBLES and view == "answers":
        return pa.float64()
    return pa.string()


def _array(values: Sequence[object], type_: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(type_):
        return pa.array([None if value is None else bool(value) for value in values], type_)
    return pa.array(values, type_)
