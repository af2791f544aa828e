"""pysnow 0.7.17 against the sandbox: an outside opinion on shapes and routes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vmo_bridge.sandbox.server import SandboxServer

pysnow = pytest.importorskip("pysnow")


@pytest.fixture
def client(server: SandboxServer) -> Iterator[object]:
    user, password = server.auth()
    host = server.url.removeprefix("http://")
    found = pysnow.Client(host=host, user=user, password=password, use_ssl=False)
    yield found
    found.session.close()


def test_pysnow_reads_with_its_query_builder(client: pysnow.Client, server: SandboxServer) -> None:
    incidents = client.resource(api_path="/table/incident")
    query = (
        pysnow.QueryBuilder().field("priority").equals("1").AND().field("number").order_ascending()
    )
    found = incidents.get(query=query, limit=10_000).all()
    expected = server.rows("incident", "priority=1^ORDERBYnumber")
    assert [row["number"] for row in found] == [row["number"] for row in expected]


def test_pysnow_streams_and_takes_one(client: pysnow.Client, server: SandboxServer) -> None:
    incidents = client.resource(api_path="/table/incident")
    number = server.rows("incident")[0]["number"]
    assert incidents.get(query={"number": number}, stream=True).first()["number"] == number
    assert incidents.get(query={"number": "none"}).one_or_none() is None


def test_pysnow_creates_updates_and_deletes(client: pysnow.Client, server: SandboxServer) -> None:
    def incidents() -> pysnow.Resource:
        return client.resource(api_path="/table/incident")

    made = incidents().create(payload={"short_description": "from pysnow"}).one()
    query = {"sys_id": made["sys_id"]}
    changed = incidents().update(query=query, payload={"short_description": "changed"}).one()
    assert changed["short_description"] == "changed"
    assert incidents().delete(query=query) == {"status": "record deleted"}
    assert [line["operation"] for line in server.write_log()] == ["insert", "update", "delete"]


def test_pysnow_asks_for_aggregates(client: pysnow.Client, server: SandboxServer) -> None:
    stats = client.resource(api_path="/stats/incident")
    stats.parameters.add_custom({"sysparm_count": True})
    assert stats.get(query={}).one()["stats"]["count"] == str(len(server.rows("incident")))


def test_pysnow_signs_in_with_a_password_token(
    server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # it would refuse plain http
    name, password = server.auth()
    client = pysnow.OAuthClient(
        client_id=server.client_id,
        client_secret=server.client_secret,
        token_updater=lambda _: None,
        host=server.url.removeprefix("http://"),
        use_ssl=False,
    )
    client.set_token(client.generate_token(name, password))
    found = client.resource(api_path="/table/incident").get(query={"priority": "1"}, limit=1)
    assert len(found.all()) == 1
