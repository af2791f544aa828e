"""What ties answers to tickets, services, groups and people, and questions to metrics, in SQL.

Each part is a common table expression over the records as they stood (views.py). A name is found
among the records of all sources, in any case of its letters; of several that fit, the first by ref.
"""

from __future__ import annotations

import json
from typing import Final

from vmo_bridge.settings.model import FeedbackSection

_NAMED = """{kind}_named as materialized (
  select lower(name) as name, min(ref) as ref from {kind} group by 1
)"""

_PERSON_REACHED = """person_reached as materialized (
  select contact, min(ref) as ref from person where contact is not null group by 1
)"""

_TICKET_NUMBERED = """ticket_numbered as materialized (
  select number, min(ref) as ref from ticket
  where number in (select ticket_number from feedback) group by 1
)"""

_TIE = """tie as materialized (
  select r.key as place, lower(json_extract(r.value, '$.source')) as source,
    lower(json_extract(r.value, '$.survey')) as survey,
    lower(json_extract(r.value, '$.named')) as named, s.ref as service_ref, g.ref as user_group_ref
  from json_each(:ties) r
  left join service_named s on s.name = lower(json_extract(r.value, '$.service'))
  left join user_group_named g on g.name = lower(json_extract(r.value, '$.user_group'))
)"""


def _ruled(column: str) -> str:
    """The first tie of the configuration that fits a feedback and says something of ``column``."""
    return f"""(
    select {column} from tie
    where {column} is not null and coalesce(tie.source = f.source, 1)
      and (tie.survey is null or tie.survey = lower(f.survey))
      and (tie.named is null or tie.named in (lower(f.service_name), lower(f.user_group_name)))
    order by place limit 1)"""


_TIED = f"""tied as materialized (
  select ref, person_ref, ticket_ref, ticket_by,
    coalesce(own_service, named_service, ticket_service, ruled_service) as service_ref,
    case when own_service is not null then 'source'
      when named_service is not null then tied_by
      when ticket_service is not null then 'ticket'
      when ruled_service is not null then 'rule' end as service_by,
    coalesce(named_group, respondent_group, ticket_group, ruled_group) as user_group_ref,
    case when named_group is not null then tied_by
      when respondent_group is not null then 'respondent'
      when ticket_group is not null then 'ticket'
      when ruled_group is not null then 'rule' end as user_group_by
  from (
    select f.ref, f.tied_by, coalesce(reached.ref, f.person_ref) as person_ref,
      coalesce(f.ticket_ref, numbered.ref) as ticket_ref,
      case when f.ticket_ref is not null then 'source'
        when numbered.ref is not null then f.tied_by end as ticket_by,
      own.ref as own_service, named.ref as named_service,
      coalesce(t.service_ref, t_named.ref) as ticket_service,
      {_ruled("service_ref")} as ruled_service,
      g.ref as named_group, p.user_group_ref as respondent_group,
      coalesce(t.user_group_ref, requester.user_group_ref) as ticket_group,
      {_ruled("user_group_ref")} as ruled_group
    from feedback f
    left join person_reached reached on reached.contact = f.contact
    left join person p on p.ref = coalesce(reached.ref, f.person_ref)
    left join ticket_numbered numbered on numbered.number = f.ticket_number
    left join ticket t on t.ref = coalesce(f.ticket_ref, numbered.ref)
    left join service_named t_named on t_named.name = lower(t.service_name)
    left join person requester on requester.ref = t.requester_ref
    left join service own on own.ref = f.service_ref
    left join service_named named on named.name = lower(f.service_name)
    left join user_group_named g on g.name = lower(f.user_group_name)
  )
)"""

_QUESTION_MAPPED = """question_mapped as materialized (
  select q.ref, m.metric, m.best, m.scale_min, m.scale_max, row_number() over (
    partition by q.ref order by m.question <> q.id) as by_id_first
  from question q
  join (
    select json_extract(value, '$.question') as question, json_extract(value, '$.metric') as metric,
      json_extract(value, '$.best') as best, json_extract(value, '$.scale[0]') as scale_min,
      json_extract(value, '$.scale[1]') as scale_max
    from json_each(:questions)
  ) m on m.question in (q.id, q.text)
)"""

_SCALE = """scale as materialized (
  select ref, scale_min, scale_max, valid_from as since,
    lead(valid_from) over versions as until, row_number() over versions = 1 as first
  from (
    select ref, scale_min, scale_max, valid_from, seen_at, page, position from main.question
    where seen_at <= :known_at
    union all
    select ref, scale_min, scale_max, valid_from, seen_at, page, position
    from main.question_history where seen_at <= :known_at
  )
  window versions as (partition by ref order by valid_from, seen_at, page, position)
)"""
"""An answer without a scale of its own keeps the one its question had when it was given."""

PARTS: Final = (
    _NAMED.format(kind="service"),
    _NAMED.format(kind="user_group"),
    _PERSON_REACHED,
    _TICKET_NUMBERED,
    _TIE,
    _TIED,
    _QUESTION_MAPPED,
    _SCALE,
)


def parameters(feedback: FeedbackSection) -> dict[str, str]:
    """The configuration's part, as the SQL binds it."""
    return {
        "questions": json.dumps(
            [
                {"metric": metric, **each.model_dump()}
                for metric, questions in feedback.questions.items()
                for each in questions
            ]
        ),
        "ties": json.dumps([each.model_dump() for each in feedback.ties]),
    }
