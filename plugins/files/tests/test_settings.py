"""What an admin may write, and what is refused with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vmo_bridge.plugin import ConfigError
from vmo_bridge.settings.loading import validate_section
from vmo_bridge_files import connect, vmo_connectors
from vmo_bridge_files.settings import FilesSettings


def check(settings: dict[str, Any] | None = None, **form: Any) -> FilesSettings:
    content = {"folder": "drop", "forms": {"exit": {"files": "exit*.csv"} | form}}
    return validate_section(
        FilesSettings, content | (settings or {}), file=Path("v.toml"), prefix="connectors.drop"
    )


def test_little_has_to_be_said() -> None:
    form = check().forms["exit"]
    assert (form.dates, form.header_rows, form.other_columns) == ("iso", 1, "questions")
    assert form.mapped == {}
    assert check(id="ID", email="Email").forms["exit"].mapped == {"id": "ID", "email": "Email"}


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"time_zone": "Eastern"}, r"exit\.time_zone: 'Eastern' is not right: no such time zone"),
        ({"time_zone": "../UTC"}, r"no such time zone"),
        ({"time_zone": "America"}, r"no such time zone"),
        ({"dates": "european"}, r"exit\.dates: .*use one of iso, day-first, month-first, mixed-"),
        ({"dates": []}, r"the list of formats is empty"),
        ({"dates": ["%d/%m"]}, r"'%d/%m' does not tell day, month and year"),
        ({"dates": ["DD/MM/YYYY"]}, r"does not tell day, month and year"),
        ({"dates": ["%Q"]}, r"'%Q' is not a format of dates"),
        ({"encoding": "latin-99"}, r"exit\.encoding: 'latin-99' .*no such encoding"),
        ({"delimiter": "::"}, r"exit\.delimiter"),
        ({"header_rows": 0}, r"exit\.header_rows"),
        ({"text_row": 2}, r"text_row is beyond header_rows = 1"),
        ({"header_rows": 3, "name_row": 4}, r"name_row is beyond header_rows = 3"),
        ({"id": "ID", "ticket": "id "}, r"column 'id' is named twice; a column has one meaning"),
        ({"ignore": ["Why?"], "questions": {"why? *": {}}}, r"column 'why\?' is named twice"),
        (
            {"id": "Email"},
            r"exit\.id: 'Email' .*keys are stored as they are, and this column names",
        ),
        ({"colour": "red"}, r"exit\.colour: there is no such setting"),
        ({"questions": {"Q": {"scale": [5, 1]}}}, r"Q\.scale: write the lowest answer first"),
        ({"questions": {"Q": {"labels": {"Yes": 1, "yes ": 0}}}}, r"label 'Yes' stands twice"),
        (
            {"questions": {"Q": {"scale": [1, 5], "labels": {"None": 0}}}},
            r"label 'None' = 0 is outside the scale",
        ),
        ({"questions": {"Q": {"several": ""}}}, r"Q\.several"),
    ],
)
def test_a_mistake_in_a_form_is_named(form: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check(**form)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"forms": {}}, r"connectors\.drop\.forms: there is no form"),
        ({"forms": {"Exit Survey": {"files": "*"}}}, r"form name 'Exit Survey' goes into every id"),
        ({"forms": {"exit": {}}}, r"exit\.files: is missing"),
        ({"page_size": 0}, r"page_size"), ({"settle_seconds": -1}, r"settle_seconds"),
        ({"patience_minutes": -1}, r"patience_minutes"), ({"max_megabytes": 0}, r"max_megabytes"),
        ({"folders": "x"}, r"folders: there is no such setting; did you mean 'folder'"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check(settings)


def test_the_folder_starts_at_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    (kind,) = vmo_connectors()
    assert (kind.name, kind.settings, kind.writes) == ("files", FilesSettings, False)
    connector = connect("drop", check(), tmp_path)
    assert [each.name for each in connector.streams] == ["exit.questions", "exit"]
    assert connector.link("exit", "1").startswith((tmp_path / "drop").as_uri())
    elsewhere = connect("drop", check({"folder": "/srv/exports"}), tmp_path)
    assert elsewhere.link("exit", "1") == "file:///srv/exports#exit/1"
