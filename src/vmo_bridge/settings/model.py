"""What an admin can set, section by section; each field says its meaning and unit."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from vmo_bridge.settings.publish import PublishSection
from vmo_bridge.settings.secrets import SecretSource
from vmo_bridge.settings.section import Section


class BridgeSection(Section):
    """The bridge itself."""

    store: Path = Path("vmo-bridge.db")
    """The SQLite file; relative to the configuration."""
    as_of: AwareDatetime | None = None
    """The moment that "now" means for rules and KPIs; empty: the real now."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """How much the daemon tells."""

    @field_validator("as_of", mode="before")
    @classmethod
    def _moment(cls, value: object) -> object:
        if isinstance(value, (int, float)) or type(value) is date:
            raise ValueError("write a moment with its zone, such as 2026-11-01T00:00:00Z")
        return value

    @field_validator("as_of")
    @classmethod
    def _utc(cls, value: datetime | None) -> datetime | None:
        if value is not None and not 1970 <= value.year < 2100:
            raise ValueError("lies outside the years 1970 to 2099")
        return value.astimezone(UTC) if value else None


class PeopleSection(Section):
    """How people are kept: as keyed pseudonyms unless names are allowed."""

    names: bool = False
    """Keep names (never e-mail addresses) of users beside their pseudonyms."""
    key: SecretSource = SecretSource(file=Path("people.key"))
    """The key of the pseudonyms, kept outside the store; a missing file is made on first use."""


class ConnectorEntry(BaseModel):
    """A source; what stands here besides these two is the plugin's own and checked by it."""

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True)

    plugin: str
    """The kind of source, as a plugin offers it: ``servicenow``."""
    enabled: bool = True
    """Whether it is read and written at all."""

    @property
    def own(self) -> dict[str, Any]:
        """The plugin's own settings."""
        return dict(self.model_extra or {})


class SyncSection(Section):
    """How sources are read."""

    overlap_seconds: int = Field(default=300, ge=0, le=86_400)
    """Each sync starts this long before the newest change seen, for changes committed late."""
    sweep_hours: float = Field(default=24, ge=0)
    """How often a source names all its records, which tells what was deleted or never came; 0:
    only when asked for (``sync --sweep``) or when counts disagree."""
    keep_raw_days: float = Field(default=400, ge=0)
    """Raw payloads of former versions older than this are removed; 0: never. What is current keeps
    its payload, and former versions stay as records."""
    alarm_share: float = Field(default=0.2, gt=0, le=1)
    """A fall of more than this share of a stream's records is not believed: nothing is taken away
    and nothing is published until a person accepts it."""


METRICS: dict[str, str] = {
    "csat": "satisfaction",
    "nps": "likelihood to recommend, asked on 0 to 10",
    "ces": "how easy it was",
    "lost_time": "minutes of work lost, by the user's own estimate",
    "comment": "free text",
    "trust": "A-11 section 280: trust",
    "effectiveness": "A-11 section 280: effectiveness",
    "ease": "A-11 section 280: ease",
    "efficiency": "A-11 section 280: efficiency",
    "transparency": "A-11 section 280: transparency",
    "employee": "A-11 section 280: helpfulness of the employee",
    "humanity": "A-11 section 280: humanity",
}
"""What a question can measure, and what that is."""


class QuestionEntry(Section):
    """A question whose scale is not known from its source, or runs the other way."""

    question: str
    """Its text or readable id."""
    scale: tuple[float, float] | None = None
    """The lowest and the highest answer there was to choose."""
    best: Literal["high", "low"] = "high"
    """Which end is the good one; on ``low``, 1 of 1 to 5 counts as 5."""

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, given: Any) -> Any:
        return {"question": given} if isinstance(given, str) else given

    @field_validator("scale")
    @classmethod
    def _upwards(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and not value[0] < value[1]:
            raise ValueError("write the lowest answer first, such as [1, 5]")
        return value


class TieEntry(Section):
    """What answers are about where they do not say it themselves, or say it in other words."""

    source: str | None = None
    """Only answers of this connector."""
    survey: str | None = None
    """Only answers to this survey, by its name."""
    named: str | None = None
    """Only answers that name their service or user group so."""
    service: str | None = None
    """The service they are about, by name."""
    user_group: str | None = None
    """The user group they come from, by name."""

    @model_validator(mode="after")
    def _both_ends(self) -> TieEntry:
        if not (self.source or self.survey or self.named):
            raise ValueError("say which answers are meant: give source, survey or named")
        if not (self.service or self.user_group):
            raise ValueError("say what they are tied to: give service or user_group")
        return self


class FeedbackSection(Section):
    """What survey questions measure, and what answers are about."""

    questions: dict[str, list[QuestionEntry]] = Field(default_factory=dict)
    """Metric to the questions that ask for it, by text or readable id, or as a table."""
    ties: list[TieEntry] = Field(default_factory=list)
    """What ties answers to services and user groups, each under ``[[feedback.ties]]``."""

    @field_validator("questions")
    @classmethod
    def _known_metrics(
        cls, value: dict[str, list[QuestionEntry]]
    ) -> dict[str, list[QuestionEntry]]:
        for metric in value:
            if metric not in METRICS:
                raise ValueError(f"unknown metric {metric!r}; the metrics are {', '.join(METRICS)}")
        asked = [each.question for questions in value.values() for each in questions]
        for question in asked:
            # Its answers would count twice.
            if asked.count(question) > 1:
                raise ValueError(f"{question!r} stands twice; a question measures one metric")
        return value


class ValueSection(Section):
    """The planning numbers of worth."""

    hourly_rate: float = Field(default=68.0, ge=0)
    """What an hour of work costs, in ``currency``; the agency's to set."""
    currency: str = "USD"
    """The name of the money, shown beside costs."""


class TargetEntry(Section):
    """A target agreed with a customer; the most specific one counts."""

    kpi: str
    """The KPI's name."""
    value: float
    """In the KPI's own unit; a share is 0 to 1."""
    service: str | None = None
    """The service it is for, by name; empty: all."""
    user_group: str | None = None
    """The user group it is for, by name; empty: all."""
    agreed_with: str | None = None
    """Who agreed."""
    agreed_on: date | None = None
    """When; it judges no month that was closed before."""


class KpiEntry(Section):
    """What can be changed of one KPI."""

    enabled: bool = True
    """Whether it is measured."""
    min_n: int | None = Field(default=None, ge=1)
    """Fewer items are never shown alone; empty: as docs/kpis.md says.
    Not under 5 where the items are what people say.
    """


class ScheduleSection(Section):
    """The daemon's clock."""

    every_minutes: float = Field(default=15, gt=0)
    """Minutes from the start of one cycle to the start of the next."""


class PluginsSection(Section):
    """Which plugins are used."""

    off: list[str] = Field(default_factory=list)
    """Names of entry points that are not loaded."""


class Settings(BaseSettings):
    """The whole configuration; ``VMO_BRIDGE__STORE=…`` in the environment beats the file."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix="VMO_",
        env_nested_delimiter="__",
        use_attribute_docstrings=True,
    )

    bridge: BridgeSection = BridgeSection()
    people: PeopleSection = PeopleSection()
    connectors: dict[str, ConnectorEntry] = Field(default_factory=dict)
    """The sources, each under a short name of its own: ``[connectors.helpdesk]``."""
    sync: SyncSection = SyncSection()
    feedback: FeedbackSection = FeedbackSection()
    value: ValueSection = ValueSection()
    targets: list[TargetEntry] = Field(default_factory=list)
    """Targets agreed with customers, each under ``[[targets]]``."""
    rules: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Parameters of rules, each under ``[rules.NAME]`` (docs/rules.md)."""
    kpis: dict[str, KpiEntry] = Field(default_factory=dict)
    """What is changed of KPIs, each under ``[kpis.NAME]``."""
    publish: PublishSection = PublishSection()
    schedule: ScheduleSection = ScheduleSection()
    plugins: PluginsSection = PluginsSection()
    file: Path = Field(default=Path("vmo-bridge.toml"), exclude=True)
    """The file this came from; paths in it are relative to its folder."""

    @field_validator("connectors")
    @classmethod
    def _plain_names(cls, value: dict[str, ConnectorEntry]) -> dict[str, ConnectorEntry]:
        for name in value:
            if not name.replace("_", "").replace("-", "").isalnum() or not name.islower():
                raise ValueError(
                    f"connector name {name!r} goes into every id; "
                    "use lower-case letters, digits, '-' and '_'"
                )
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment beats the file, whose content arrives as the initial values."""
        return env_settings, init_settings

    def path(self, path: Path) -> Path:
        """A path of the configuration, resolved against the configuration's folder."""
        return (self.file.parent / path.expanduser()).absolute()

    @property
    def store_path(self) -> Path:
        """Where the store is."""
        return self.path(self.bridge.store)
