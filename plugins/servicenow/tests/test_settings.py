"""What an admin may write, and what is refused with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vmo_bridge.plugin import ConfigError
from vmo_bridge.settings.loading import validate_section
from vmo_bridge_servicenow import connect, vmo_connectors
from vmo_bridge_servicenow.settings import ServiceNowSettings
from vmo_bridge_servicenow.tables import TABLES

SECRET = "hunter2-in-plain-text"
GOOD: dict[str, Any] = {
    "url": "https://example.service-now.com/",
    "auth": {"method": "basic", "user": "vmo", "password": {"env": "VMO_PASSWORD"}},
}


def check(**changes: Any) -> ServiceNowSettings:
    return validate_section(
        ServiceNowSettings, GOOD | changes, file=Path("vmo-bridge.toml"), prefix="connectors.hd"
    )


def test_little_has_to_be_said() -> None:
    settings = check()
    assert settings.url == "https://example.service-now.com"
    assert settings.tables == list(TABLES)
    assert settings.page_size == 1000


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080",
        "https://example.service-now.com:8443", "https://example.service-now.com/",
    ],
)  # fmt: skip
def test_https_or_this_machine(url: str) -> None:
    assert check(url=url).url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.service-now.com", "http://localhost.example.com", "http://127.0.0.1.nip.io",
        "http://0x7f000001", "ftp://127.0.0.1", "https://", "http://", "example.service-now.com",
        "https://[::1", "https://example.com:99999", "https://user@example.com",
        "https://example.com/nav_to.do", "https://example.com?x=1", "",
    ],
)  # fmt: skip
def test_other_addresses_are_refused_with_the_setting_and_the_cure(url: str) -> None:
    with pytest.raises(ConfigError, match=r"connectors\.hd\.url: .*(use https|write https)"):
        check(url=url)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tables": ["incidents"]}, r"tables: .*table 'incidents' is not read; known are cmn_"),
        ({"page_size": 5}, r"page_size: 5 is not right"),
        ({"page_size": 100_000}, r"page_size"),
        ({"timeout_seconds": 0}, r"timeout_seconds"),
        ({"service_field": "Our Service"}, r"service_field"),
        ({"states": {"incident": {"9": "finished"}}}, r"incident\.9 = 'finished' is not one of"),
        ({"states": {"incidents": {"9": "new"}}}, r"'incidents' has no states; known are incident"),
        ({"states": {"asmt_assessment_instance": {"x": "new"}}}, r"invited, answered"),
        ({"priorities": {"P0": 0}}, r"priorities\.P0: 0 is not right"),
        ({"types": {"incident": "bug"}}, r"incident = 'bug': a table of incident, sc_req_item"),
        ({"types": {"incidents": "incident"}}, r"incidents = 'incident'"),
        ({"pagesize": 10}, r"pagesize: there is no such setting; did you mean 'page_size'"),
        ({"auth": {"method": "magic"}}, r"connectors\.hd\.auth"),
        ({"auth": {"method": "basic", "user": "vmo"}}, r"password: is missing"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check(**changes)


@pytest.mark.parametrize("method", ["basic", "oauth-password", "oauth-client"])
def test_a_secret_in_plain_text_is_refused_and_not_repeated(method: str) -> None:
    given = {"method": method, "user": "vmo", "client_id": "c"}
    auth = given | {"password": SECRET, "client_secret": SECRET}
    with pytest.raises(ConfigError, match="a secret does not stand in the configuration") as caught:
        check(auth=auth)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in str(error)
        error = error.__cause__


def test_states_of_tickets_and_of_surveys_can_be_mapped() -> None:
    states = {"incident": {"20": "on_hold"}, "asmt_assessment_instance": {"sent": "invited"}}
    assert check(states=states).states == states


def test_tables_are_read_in_the_order_in_which_they_refer_to_each_other() -> None:
    assert check(tables=["incident", "cmn_department"]).tables == ["cmn_department", "incident"]


def test_the_plugin_offers_its_connector(tmp_path: Path) -> None:
    (kind,) = vmo_connectors()
    assert (kind.name, kind.settings) == ("servicenow", ServiceNowSettings)
    connector = connect("hd", check(), tmp_path)
    assert [each.name for each in connector.streams] == list(TABLES)
    connector.close()
