"""What an admin sets for a drop folder, under ``[connectors.<name>]``."""

from __future__ import annotations

import codecs
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from vmo_bridge_files.headers import PERSONAL, ROLES, plain

STYLES = (
    "iso", "day-first", "month-first", "mixed-day-first", "mixed-month-first",
    "excel", "excel-1904",
)  # fmt: skip
"""The names of ways to read dates; any other text is a list of formats."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class QuestionEntry(_Section):
    """How the answers to one question are read."""

    scale: tuple[float, float] | None = None
    """The lowest and the highest answer there was to choose; by default those of ``labels``."""
    labels: dict[str, float] = Field(default_factory=dict)
    """What stands in the cells, and the number it means: ``{ "Very satisfied" = 5 }``."""
    several: Annotated[str, Field(min_length=1)] | None = None
    """What stands between the choices where several could be ticked: ``;``."""

    @field_validator("scale")
    @classmethod
    def _upwards(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and not value[0] < value[1]:
            raise ValueError("write the lowest answer first, such as [1, 5]")
        return value

    @model_validator(mode="after")
    def _labels_fit(self) -> Self:
        names = [plain(label) for label in self.labels]
        for label in self.labels:
            if names.count(plain(label)) > 1:
                raise ValueError(f"label {label!r} stands twice (case and blanks do not count)")
            low, high = self.scale or (self.labels[label], self.labels[label])
            if not low <= self.labels[label] <= high:
                raise ValueError(f"label {label!r} = {self.labels[label]:g} is outside the scale")
        return self

    @property
    def range(self) -> tuple[float, float] | None:
        """The scale, or what the labels span."""
        if self.scale is None and len(set(self.labels.values())) > 1:
            return min(self.labels.values()), max(self.labels.values())
        return self.scale


class FormEntry(_Section):
    """One form: which files are its exports, and which column means what."""

    files: str
    """The names of its exports: ``onboarding*.xlsx``; case does not count."""
    id: str | None = None
    """The column that tells rows apart; without one, rows are told apart by their content."""
    answered_at: str | None = None
    """The column with the moment of the answer."""
    invited_at: str | None = None
    """The column with the moment of the invitation."""
    started_at: str | None = None
    """The column with the moment the form was opened; kept with the row as it came."""
    changed_at: str | None = None
    """The column with the moment of the latest edit."""
    person: str | None = None
    """The column that names the respondent; only a pseudonym is kept."""
    email: str | None = None
    """The column with the e-mail address; its pseudonym finds the person in other sources."""
    ticket: str | None = None
    """The column with the number of the ticket that was asked about."""
    service: str | None = None
    """The column with the service's name."""
    user_group: str | None = None
    """The column with the name of the respondent's group."""
    ignore: list[str] = Field(default_factory=list)
    """Columns that are neither read nor stored; names, addresses and places never are."""
    questions: dict[str, QuestionEntry] = Field(default_factory=dict)
    """How single questions are read, by header, each under ``[….questions."HEADER"]``."""
    other_columns: Literal["questions", "ignore"] = "questions"
    """What columns are that nothing here names."""
    time_zone: str | None = None
    """The zone of times that name none: ``America/New_York``."""
    dates: str | list[str] = "iso"
    """How dates that are text are read: ``iso``, ``day-first``, ``month-first``,
    ``mixed-day-first``, ``mixed-month-first``, ``excel``, ``excel-1904``, or a list of formats."""
    encoding: str | None = None
    """Of CSV files; empty: UTF-8, or UTF-16 with its mark."""
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    """Of CSV files; empty: the one of ``,`` ``;`` tab and ``|`` that gives the mapped columns."""
    skip_rows: int = Field(default=0, ge=0, le=1000)
    """Rows above the header."""
    header_rows: int = Field(default=1, ge=1, le=10)
    """How many rows the header has; Qualtrics writes 3."""
    name_row: int = Field(default=1, ge=1, le=10)
    """Which of them holds the names used here."""
    text_row: int | None = Field(default=None, ge=1, le=10)
    """Which of them holds the wording of the questions; empty: the same."""
    sheet: str | None = None
    """The sheet of a workbook; needed where more than one is visible."""

    @field_validator("id")
    @classmethod
    def _nobody_s_name(cls, value: str | None) -> str | None:
        if value is not None and plain(value) in PERSONAL:
            raise ValueError(
                "keys are stored as they are, and this column names people; map it as person or "
                "email, and leave id out where there is no other"
            )
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        try:
            return value and ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no such time zone; write one such as America/New_York") from None

    @field_validator("dates")
    @classmethod
    def _known_dates(cls, value: str | list[str]) -> str | list[str]:
        if isinstance(value, str):
            if value not in STYLES:
                raise ValueError(f"use one of {', '.join(STYLES)}, or a list of formats")
            return value
        for style in value:
            _try_format(style)
        if not value:
            raise ValueError("the list of formats is empty")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        try:
            return value and codecs.lookup(value).name
        except LookupError:
            raise ValueError("no such encoding; write one such as cp1252") from None

    @model_validator(mode="after")
    def _rows_are_there(self) -> Self:
        for name in ("name_row", "text_row"):
            if (getattr(self, name) or 1) > self.header_rows:
                raise ValueError(f"{name} is beyond header_rows = {self.header_rows}")
        return self

    @model_validator(mode="after")
    def _each_column_once(self) -> Self:
        used = [plain(name) for name in (*self.mapped.values(), *self.ignore, *self.questions)]
        twice = next((name for name in used if used.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"column {twice!r} is named twice; a column has one meaning")
        return self

    @property
    def mapped(self) -> dict[str, str]:
        """What columns mean: role to header."""
        return {role: name for role in ROLES if (name := getattr(self, role)) is not None}

    @property
    def zone(self) -> ZoneInfo | None:
        """The declared zone."""
        return None if self.time_zone is None else ZoneInfo(self.time_zone)


class FilesSettings(_Section):
    """A drop folder."""

    folder: Path
    """Where the exports are laid; relative to the configuration. Nothing in it is changed."""
    forms: dict[str, FormEntry]
    """The forms, each under a short name of its own: ``[connectors.NAME.forms.onboarding]``."""
    page_size: int = Field(default=500, ge=1, le=10_000)
    """Rows that are stored in one transaction."""
    settle_seconds: float = Field(default=60, ge=0, le=86_400)
    """A file is left alone until it has not changed for so long."""
    patience_minutes: float = Field(default=60, ge=0, le=10_080)
    """A file that is not whole is waited for so long, then told as broken."""
    max_megabytes: int = Field(default=256, ge=1, le=4096)
    """A larger file, or workbook that unpacks to more, is refused."""

    @field_validator("forms")
    @classmethod
    def _plain_names(cls, value: dict[str, FormEntry]) -> dict[str, FormEntry]:
        if not value:
            raise ValueError("there is no form; add [connectors.NAME.forms.<form>]")
        for name in value:
            if not name.replace("_", "").replace("-", "").isalnum() or not name.islower():
                raise ValueError(
                    f"form name {name!r} goes into every id; "
                    "use lower-case letters, digits, '-' and '_'"
                )
        return value


def _try_format(style: str) -> None:
    """A format has to give back the day that was written with it."""
    moment = datetime(2026, 11, 24, 10, 15, 30)  # noqa: DTZ001 - only its parts matter
    try:
        read = datetime.strptime(moment.strftime(style), style)  # noqa: DTZ007 - the same
    except ValueError as error:
        raise ValueError(f"{style!r} is not a format of dates: {error}") from None
    if read.date() != moment.date():
        raise ValueError(f"{style!r} does not tell day, month and year")
