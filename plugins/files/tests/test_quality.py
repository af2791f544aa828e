"""The quality list and the README are held to the code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vmo_bridge.settings.loading import load_settings, validate_section
from vmo_bridge.testing import QualityContract
from vmo_bridge.testing.documents import setting_lines
from vmo_bridge_files.connector import Files
from vmo_bridge_files.headers import PERSONAL
from vmo_bridge_files.settings import STYLES, FilesSettings, FormEntry, QuestionEntry

HERE = Path(__file__).parent
README = (HERE.parent / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)


class TestQuality(QualityContract):
    folder = HERE.parent
    plugin = "files"
    unwanted = ("openpyxl", "defusedxml")


def all_lines() -> Iterator[str]:
    yield from setting_lines(FilesSettings, "connectors.NAME.")
    yield from setting_lines(FormEntry, "connectors.NAME.forms.FORM.")
    yield from setting_lines(QuestionEntry, 'connectors.NAME.forms.FORM.questions."HEADER".')


def test_every_setting_has_its_line() -> None:
    assert [line for line in all_lines() if line not in README] == []
    listed = re.findall(r"^\| `connectors\.NAME\..*$", README, re.MULTILINE)
    assert len(listed) == len(list(all_lines()))


def test_every_way_to_read_dates_and_every_personal_header_is_named() -> None:
    assert [each for each in STYLES if f"`{each}`" not in README] == []
    assert [each for each in sorted(PERSONAL) if f"`{each}`" not in README] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=["microsoft", "google", "qualtrics"])
def test_the_examples_are_good(example: str, tmp_path: Path) -> None:
    (tmp_path / "vmo-bridge.toml").write_text(example)
    settings = load_settings(tmp_path / "vmo-bridge.toml")
    for name, entry in settings.connectors.items():
        validate_section(FilesSettings, entry.own, file=settings.file, prefix=name)
    asked = [
        each.question for questions in settings.feedback.questions.values() for each in questions
    ]
    assert asked


MICROSOFT = [
    ["ID", "Start time", "Completion time", "Email", "Name", "Last modified time",
     "Ticket number", "How satisfied are you with the onboarding?", "What helped you most?",
     "What could we do better?"],
    [1, 46296.4, 46296.4271412037, "jo@example.org", "Jo Doe", None, "INC0010023",
     "Very satisfied", "Colleagues;Videos;", "Nothing\nat all"],
    [2, 46297.4, 46297.5, "anonymous", None, None, None, "Somewhat dissatisfied", "", None],
]  # fmt: skip
GOOGLE = (
    "Timestamp,Email Address,Which service?,How easy was it to get help?,Any comments?\r\n"
    "2026/10/01 10:15:05 AM GMT-4,jo@example.org,VPN,4,\r\n"
    '2026/10/01 1:00:00 PM GMT-4,,Email,1,"slow, ""very"" slow"'
)


def connector(example: str, folder: Path) -> Files:
    entry = tomllib.loads(example)["connectors"]["surveys"]
    del entry["plugin"]
    (folder / entry["folder"]).mkdir(parents=True)
    return Files("surveys", FilesSettings.model_validate(entry | {"settle_seconds": 0}), folder)


def test_the_example_reads_an_export_of_microsoft_forms(
    tmp_path: Path, drop: Any, seen: Any
) -> None:
    example = connector(EXAMPLES[0], tmp_path)
    drop.xlsx("x.xlsx", MICROSOFT)
    (drop.path / "x.xlsx").rename(tmp_path / "exports" / "Onboarding survey(1-2).xlsx")
    records = seen.records(example, "onboarding")
    assert [each.ticket_number for each in records if each.kind == "feedback"] == [
        "INC0010023", None,
    ]  # fmt: skip
    assert [(each.value, each.text) for each in records if each.kind == "answer"] == [
        (5.0, "Very satisfied"), (None, "Colleagues; Videos"), (None, "Nothing\nat all"),
        (2.0, "Somewhat dissatisfied"),
    ]  # fmt: skip
    first = records[0]
    assert f"{first.answered_at:%Y-%m-%d %H:%M:%S}" == "2026-10-01 14:15:05"
    assert "Jo Doe" not in repr(seen.raw(example, "onboarding"))


def test_the_example_reads_an_export_of_google_forms(tmp_path: Path, seen: Any) -> None:
    example = connector(EXAMPLES[1], tmp_path)
    export = tmp_path / "exports" / "Help desk feedback.csv"
    export.write_text(GOOGLE + "\r\n", newline="")
    records = seen.records(example, "helpdesk")
    assert [each.service_name for each in records if each.kind == "feedback"] == ["VPN", "Email"]
    assert [(each.value, each.text) for each in records if each.kind == "answer"] == [
        (4.0, None), (1.0, None), (None, 'slow, "very" slow'),
    ]  # fmt: skip
    assert f"{records[0].answered_at:%Y-%m-%d %H:%M:%S}" == "2026-10-01 14:15:05"
