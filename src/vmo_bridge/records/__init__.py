"""What flows through the house: records of the sources, and what is found and measured in them."""

from vmo_bridge.records.derived import Finding, KpiResult, Signal, Worth
from vmo_bridge.records.source import (
    RECORD_TYPES,
    Answer,
    Choice,
    Feedback,
    Idea,
    Initiative,
    Link,
    Person,
    Question,
    Record,
    Service,
    SlaOutcome,
    Span,
    Team,
    Ticket,
    UserGroup,
)

__all__ = [
    "RECORD_TYPES",
    "Answer",
    "Choice",
    "Feedback",
    "Finding",
    "Idea",
    "Initiative",
    "KpiResult",
    "Link",
    "Person",
    "Question",
    "Record",
    "Service",
    "Signal",
    "SlaOutcome",
    "Span",
    "Team",
    "Ticket",
    "UserGroup",
    "Worth",
]
