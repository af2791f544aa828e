"""What an admin may write, what is refused with its reason, and the README that lists it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from vmo_bridge.testing.documents import setting_lines
from vmo_bridge_surveymonkey.settings import SurveyMonkeySettings

HERE = Path(__file__).parent


def made(**more: Any) -> SurveyMonkeySettings:
    return SurveyMonkeySettings.model_validate({"token": {"env": "X"}} | more)


def test_the_region_chooses_the_site_and_an_address_beats_it() -> None:
    assert made().address == "https://api.surveymonkey.com"
    assert made(region="eu").address == "https://api.eu.surveymonkey.com"
    assert made(region="ca").address == "https://api.surveymonkey.ca"
    assert made(url="https://proxy.example/v3/").address == "https://proxy.example"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"region": "mars"}, "'us', 'eu' or 'ca'"),
        ({"url": "http://api.surveymonkey.com"}, "not https"),
        ({"url": "https://user:secret@api.surveymonkey.com"}, "with a user in it"),
        ({"url": "https://api.surveymonkey.com?x=1"}, "base address only"),
        ({"token": "plain-text-token"}, "where it is kept"),
        ({"calls_a_day": 0}, "greater than or equal to 1"),
        ({"page_size": 101}, "less than or equal to 100"),
        ({"variables": {"tickets": "x"}}, "Extra inputs"),
    ],
)
def test_a_mistake_is_named(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        made(**given)


def test_every_setting_has_its_line_in_the_readme() -> None:
    text = (HERE.parent / "README.md").read_text(encoding="utf-8")
    missing = [
        line for line in setting_lines(SurveyMonkeySettings, "connectors.NAME.") if line not in text
    ]
    assert missing == []


def test_the_check_tells_what_is_left(connect: Any) -> None:
    rows = {row.what: row for row in connect(calls_a_day=400).check()}
    assert [row.state for row in rows.values()] == ["ok"] * 4
    assert rows["questions"].detail == "3 surveys"
    assert rows["responses"].detail == "53 responses"
    assert "396 of 400 calls left this day" in rows["budget"].detail
