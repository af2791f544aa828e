"""What an admin may write, what is refused with its reason, and the README that lists it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from vmo_bridge.testing.documents import setting_lines
from vmo_bridge_files.settings import FilesSettings, FormEntry, QuestionEntry

HERE = Path(__file__).parent
README = (HERE.parent / "README.md").read_text(encoding="utf-8")


def made(settings: dict[str, Any] | None = None, **form: Any) -> FilesSettings:
    content = {"folder": "drop", "forms": {"pulse": {"files": "*.csv"} | form}}
    return FilesSettings.model_validate(content | (settings or {}))


@pytest.mark.parametrize(
    ("settings", "form", "words"),
    [
        ({"forms": {}}, {}, "there is no form"),
        ({"forms": {"Pulse": {"files": "x"}}}, {}, "lower-case letters"),
        ({}, {"time_zone": "Mars/Olympus"}, "no such time zone"),
        ({}, {"dates": "american"}, "use one of iso, day-first"),
        ({}, {"dates": ["%d/%m"]}, "does not tell day, month and year"),
        ({}, {"dates": []}, "is empty"),
        ({}, {"encoding": "utf-9"}, "no such encoding"),
        ({}, {"id": "ID", "email": "id "}, "named twice"),
        ({}, {"name_row": 3}, "beyond header_rows"),
        ({}, {"delimiter": ";;"}, "at most 1 character"),
        ({}, {"questions": {"Q": {"scale": [5, 1]}}}, "lowest answer first"),
        ({}, {"questions": {"Q": {"labels": {"good": 1, "Good ": 2}}}}, "stands twice"),
        ({}, {"questions": {"Q": {"scale": [1, 2], "labels": {"x": 3}}}}, "outside the scale"),
        ({}, {"colums": 1}, "Extra inputs"),
    ],
)
def test_a_mistake_is_named(settings: Any, form: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        made(settings, **form)


def test_every_setting_has_its_line_in_the_readme() -> None:
    lines = [
        *setting_lines(FilesSettings, "connectors.NAME."),
        *setting_lines(FormEntry, "connectors.NAME.forms.FORM."),
        *setting_lines(QuestionEntry, "connectors.NAME.forms.FORM.questions.HEADER."),
    ]
    assert [line for line in lines if line not in README] == []


def test_the_example_of_the_readme_is_good() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    content = tomllib.loads(example)["connectors"]["forms"]
    del content["plugin"]
    settings = FilesSettings.model_validate(content)
    assert set(settings.forms) == {"onboarding", "pulse"}


def test_the_check_tells_of_files_columns_and_strangers(drop: Any, connect: Any) -> None:
    rows = {row.what: row for row in connect().check()}
    assert (rows["onboarding"].state, rows["onboarding"].detail) == ("warning", "no file yet")
    drop.csv("onboarding.csv", drop.rows(1, 2))
    drop.csv("stranger.csv", drop.rows(1))
    drop.csv("onboarding-2.csv", [["ID", "x"], [1, 2]])
    found = list(connect().check())
    told = {(row.what, row.state): row.detail for row in found}
    assert "2 questions" in told["onboarding.questions", "ok"]
    assert "files: 1, taken: 0" in told["onboarding", "ok"]
    assert "onboarding-2.csv has no column" in told["onboarding", "failed"]
    assert told["stranger.csv", "warning"] == "no form's files have such a name"
