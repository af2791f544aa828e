"""The fields that values stand in: their labels, hints, types and words."""

from __future__ import annotations

from vmo_bridge.connectors.writing import Column

KEY = "u_key"
"""The field of a record of ours that holds our own key."""

STATUSES = (
    ("met", "Target met"),
    ("missed", "Target missed"),
    ("no-target", "No target agreed"),
    ("too-few", "Fewer than five answers"),
    ("young", "Too early to judge"),
    ("incomplete", "Data incomplete"),
    ("not-known", "Not known"),
)
"""How a KPI result stands, with what people read."""

_SIGNAL_STATES = (("open", "Open"), ("ended", "Ended"))

TICKET_FACTS = (
    Column(
        name="watermelon",
        label="VMO watermelon",
        type="boolean",
        hint="The SLA of this record was met, and its user is unhappy with it.",
    ),
    Column(
        name="lost_time",
        label="VMO perceived lost time (min)",
        type="integer",
        hint="Working minutes that its user reports to have lost.",
    ),
    Column(
        name="open_signals",
        label="VMO open signals",
        type="integer",
        hint="Open demand signals for which this record is evidence.",
    ),
)
"""Facts of one ticket."""

SCOPE_VALUES = (
    Column(
        name="csat",
        label="VMO satisfaction (%)",
        type="decimal",
        hint="Answers in the two top boxes, last 90 days; empty under five answers.",
    ),
    Column(
        name="sla",
        label="VMO SLA attainment (%)",
        type="decimal",
        hint="Tickets resolved within their resolution SLA, last 90 days.",
    ),
    Column(
        name="lost_time",
        label="VMO perceived lost time (min per answer)",
        type="decimal",
        hint="Working minutes that users report to have lost, mean of the last 90 days.",
    ),
    Column(
        name="kpi_status",
        label="VMO KPI status",
        type="string",
        max_length=100,
        hint="How satisfaction and SLA stand against their targets.",
    ),
    Column(
        name="open_signals",
        label="VMO open signals",
        type="integer",
        hint="Open demand signals about it.",
    ),
)
"""Values of a service or a user group."""

_SCOPE = (
    Column(name="u_service", label="Service", type="string", max_length=200),
    Column(name="u_user_group", label="User group", type="string", max_length=200),
    Column(name="u_service_record", label="Service (record)", type="reference"),
    Column(name="u_user_group_record", label="User group (record)", type="reference"),
)
_LINK = Column(name="u_link", label="More", type="url", max_length=1024)

KPI_RESULT = (
    Column(name=KEY, label="Key", type="string", max_length=200),
    Column(name="u_kpi", label="KPI", type="string", max_length=60),
    Column(name="u_window", label="Window", type="string", max_length=40),
    Column(name="u_start", label="From", type="string", max_length=10),
    Column(name="u_end", label="To (exclusive)", type="string", max_length=10),
    *_SCOPE,
    Column(name="u_value", label="Value", type="decimal"),
    Column(name="u_unit", label="Unit", type="string", max_length=20),
    Column(name="u_numerator", label="Numerator", type="decimal"),
    Column(name="u_denominator", label="Denominator", type="decimal"),
    Column(name="u_n", label="n", type="integer"),
    Column(name="u_target", label="Target", type="decimal"),
    Column(
        name="u_status",
        label="Status",
        type="string",
        max_length=20,
        choices=STATUSES,
        hint="How the value stands against the agreed target, or why there is none.",
    ),
    Column(
        name="u_completeness",
        label="Completeness",
        type="decimal",
        hint="Share (0 to 1) of the source's records that the value was computed from.",
    ),
    Column(
        name="u_grade",
        label="Completeness grade",
        type="string",
        max_length=1,
        hint="A (proven) to D (gaps), F (not to be trusted), of the least complete data read.",
    ),
    Column(name="u_version", label="Formula version", type="string", max_length=20),
    Column(name="u_data_as_of", label="Data as of", type="string", max_length=10),
    _LINK,
)
"""A KPI result as a record of its own."""

SIGNAL = (
    Column(name=KEY, label="Key", type="string", max_length=200),
    Column(name="u_rule", label="Rule", type="string", max_length=60),
    Column(name="u_state", label="State", type="string", max_length=20, choices=_SIGNAL_STATES),
    Column(name="u_title", label="Title", type="string", max_length=200),
    Column(name="u_why", label="Why", type="string", max_length=1000),
    *_SCOPE,
    Column(
        name="u_strength",
        label="Strength",
        type="decimal",
        hint="0 to 1: how far from chance; comparable within one rule.",
    ),
    Column(
        name="u_hours_per_year",
        label="Hours a year",
        type="decimal",
        hint="A planning number: what it costs if nothing is done.",
    ),
    Column(name="u_cost_per_year", label="Cost a year", type="decimal"),
    Column(name="u_records", label="Records that make the case", type="integer"),
    Column(name="u_evidence", label="Evidence", type="string", max_length=1000),
    Column(name="u_raised", label="Raised on", type="string", max_length=10),
    _LINK,
)
"""A signal as a record of its own."""
