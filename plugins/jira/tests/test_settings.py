"""What an admin may write, what is refused with its reason, and the README that lists it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vmo_bridge.plugin import ConfigError
from vmo_bridge.settings.loading import validate_section
from vmo_bridge.testing.documents import setting_lines
from vmo_bridge_jira import connect, vmo_connectors
from vmo_bridge_jira.settings import JiraSettings, PatAuth, TokenAuth

HERE = Path(__file__).parent
SECRET = "hunter2-in-plain-text"
GOOD: dict[str, Any] = {
    "url": "https://example.atlassian.net/",
    "auth": {"method": "token", "email": "vmo@example.com", "token": {"env": "JIRA_TOKEN"}},
    "projects": ["CASE"],
}


def check(**changes: Any) -> JiraSettings:
    return validate_section(
        JiraSettings, GOOD | changes, file=Path("vmo-bridge.toml"), prefix="connectors.dev"
    )


def test_little_has_to_be_said() -> None:
    settings = check()
    assert settings.url == "https://example.atlassian.net"
    assert (settings.deployment, settings.page_size) == ("auto", 100)
    assert check(projects=[], jql=" project = CASE ").jql == "project = CASE"


@pytest.mark.parametrize(
    "url",
    ["https://jira.example.com/jira", "http://127.0.0.1:8080/jiradc/", "http://localhost:2990"],
)
def test_https_or_this_machine_with_any_path(url: str) -> None:
    assert check(url=url).url == url.rstrip("/")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "http://jira.example.com"}, "connectors.dev.url"),
        ({"url": "https://me:pw@jira.example.com"}, "with a user in it"),
        ({"url": "https://jira.example.com?x=1"}, "write the base address only"),
        ({"projects": []}, "names neither projects nor jql"),
        ({"projects": ['CASE") or (key > 0']}, "is not the key of a project"),
        ({"jql": "type = Bug ORDER  by key"}, "has ORDER BY in it"),
        ({"jql": "(type = Bug"}, "parenthesis without its other half"),
        ({"number_pattern": "("}, "is no regular expression"),
        ({"types": {"Bug": "defect"}}, "Bug = 'defect' is not one of our types: incident"),
        ({"states": {"Parked": "parked"}}, "is not one of our states: new"),
        ({"initiative_states": {"Parked": "closed"}}, "states of initiatives: draft"),
        ({"priorities": {"P0": 0}}, "connectors.dev.priorities.P0"),
        ({"sla_fields": {"Time to triage": "triage"}}, "connectors.dev.sla_fields"),
        ({"value_fields": {"mood": "Mood"}}, "connectors.dev.value_fields"),
        ({"page_size": 5000}, "connectors.dev.page_size"),
        ({"deployment": "desktop"}, "connectors.dev.deployment"),
        ({"colour": "red"}, "connectors.dev.colour"),
        ({"auth": {"method": "oauth"}}, "connectors.dev.auth"),
        ({"auth": {"method": "pat", "token": SECRET}}, "does not stand in the configuration"),
    ],
)
def test_a_mistake_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(**changes)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


def test_order_by_may_stand_in_quotes() -> None:
    jql = """summary ~ "order by (phone" and text ~ 'order by'"""
    assert check(jql=jql).jql == jql


def test_a_secret_that_is_not_there_is_named(tmp_path: Path) -> None:
    own = check(auth={"method": "pat", "token": {"file": "none.pat"}})
    connector = connect("dev", own, tmp_path)
    with pytest.raises(ConfigError, match=r"connectors\.dev\.auth\.token: file .*none\.pat"):
        list(connector.check())
    connector.close()


def test_the_plugin_offers_one_type_that_writes() -> None:
    (kind,) = vmo_connectors()
    assert (kind.name, kind.settings, kind.writes) == ("jira", JiraSettings, True)


def test_every_setting_has_its_line_in_the_readme() -> None:
    text = (HERE.parent / "README.md").read_text(encoding="utf-8")
    lines = [
        *setting_lines(JiraSettings, "connectors.NAME."),
        *setting_lines(TokenAuth, "connectors.NAME.auth."),
        *setting_lines(PatAuth, "connectors.NAME.auth."),
    ]
    assert [line for line in lines if line not in text] == []
