"""Responses are read whole, each once, whatever happens to them meanwhile."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmo_bridge.plugin import Page, RetryLater, SignInError, Slice, SourceError
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge_surveymonkey.connector import SurveyMonkey
from vmo_bridge_surveymonkey.moments import second
from vmo_bridge_surveymonkey.reader import Place

YEARLY, POLL = "410000001", "410000002"
START = datetime(2026, 10, 1, 8, tzinfo=UTC)


def read(connector: SurveyMonkey, survey: str = YEARLY, **more: Any) -> list[Page]:
    piece = Slice(stream="responses", cursor=Place(survey).cursor(), **more)
    return list(connector.read(piece))


def ids(pages: list[Page]) -> list[str]:
    return [row["id"] for page in pages for row in page.records]


def fill(server: SandboxServer, moments: list[datetime], first: int = 0) -> list[str]:
    """Responses to the yearly survey, one a moment; returns their ids."""
    store = server.surveymonkey.store
    (text,), _ = store.page(YEARLY, size=1, offset=0, sort="id", desc=False, status="completed")
    model = json.loads(text)
    made = [
        model | {"id": f"{700_000_000_000 + first + at}", "date_modified": f"{second(when)}+00:00"}
        for at, when in enumerate(moments)
    ]
    store.load(YEARLY, made)
    return [each["id"] for each in made]


def test_a_second_that_holds_many_pages_is_read_whole(server: SandboxServer, connect: Any) -> None:
    made = fill(server, [START + timedelta(days=60)] * 37 + [START + timedelta(days=61)] * 3)
    found = ids(read(connect()))
    assert len(found) == len(set(found)), "none comes twice"
    assert set(made) <= set(found)
    assert len(found) == server.surveymonkey.store.count(YEARLY)


def test_a_crowded_second_is_resumed_at_any_page(server: SandboxServer, connect: Any) -> None:
    fill(server, [START + timedelta(days=60)] * 37)
    pages = read(connect())
    for cut, page in enumerate(pages):
        rest = list(connect().read(Slice(stream="responses", cursor=page.cursor)))
        assert sorted(ids(rest)) == sorted(ids(pages[cut + 1 :]))


def test_what_moves_while_pages_turn_is_not_lost(server: SandboxServer, connect: Any) -> None:
    fill(server, [START + timedelta(seconds=at) for at in range(50)])
    expected = server.surveymonkey.store.count(YEARLY)
    server.faults.set("page_drift", app="surveymonkey", times=6)
    found = ids(read(connect()))
    assert len(set(found)) == expected


EDITS = st.lists(
    st.tuples(st.sampled_from(["touch", "insert", "touch", "delete"]), st.integers(0, 10**6)),
    max_size=14,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edits=EDITS, gaps=st.lists(st.integers(0, 2), min_size=20, max_size=45))
def test_any_edits_between_pages_end_with_all_that_is_there(
    server: SandboxServer, connect: Any, edits: list[tuple[str, int]], gaps: list[int]
) -> None:
    """Read with edits, then what changed since, until it is quiet: nothing is missing."""
    store = server.surveymonkey.store
    with server._instance.writing() as db:
        db.execute("delete from _sm_response where id like '7%'")
    moments, at = [], START
    for gap in gaps:
        at += timedelta(seconds=gap)
        moments.append(at)
    mine = fill(server, moments)
    left, news = list(edits), 0
    stamps: dict[str, str] = {}
    began = datetime.now(tz=UTC)

    class Editing(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal news
            if "/bulk" in request.url.path and left:
                verb, chosen = left.pop()
                if verb == "insert":
                    news += 1
                    mine.extend(fill(server, [datetime.now(tz=UTC)], first=10_000 + news))
                elif mine:
                    victim = mine[chosen % len(mine)]
                    if verb == "touch":
                        store.touch(victim)
                    else:
                        mine.remove(victim)
                        stamps.pop(victim, None)
                        with server._instance.writing() as db:
                            db.execute("delete from _sm_response where id = ?", (victim,))
            return super().handle_request(request)

    since: datetime | None = None
    quiet = False
    while not quiet:
        quiet = not left  # one read more: what moves within the very second is the overlap's
        place = Place(YEARLY, second(since)) if since else Place(YEARLY)
        connector = connect(transport=Editing())
        for page in connector.read(Slice(stream="responses", cursor=place.cursor())):
            stamps.update({row["id"]: row["date_modified"] for row in page.records})
        since = began - timedelta(seconds=2)
    there = {
        each["id"]: each["date_modified"]
        for each in map(
            json.loads, store.page(YEARLY, size=999, offset=0, sort="id", desc=False)[0]
        )
    }
    assert {key: stamps.get(key) for key in there} == there


def test_a_survey_deleted_half_way_is_named_and_the_others_are_kept(
    server: SandboxServer, connect: Any
) -> None:
    connector = connect()
    _, responses = connector.streams
    slices = connector.slices(responses, None, None)
    assert len(slices) == 3
    server.faults.set("survey_deleted", YEARLY, app="surveymonkey", times=9)
    found = [row["survey_id"] for piece in slices for page in connector.read(piece)
             for row in page.records]  # fmt: skip
    assert set(found) == {POLL}
    with pytest.raises(SourceError, match=r"deleted while it was read.*'Relationship survey 2026'"):
        connector.count(responses)
    assert connector.count(responses), "told once"


def test_a_survey_that_vanished_from_the_list_is_named_as_well(
    server: SandboxServer, connect: Any
) -> None:
    connector = connect()
    server.surveymonkey.store.delete(POLL)
    assert read(connector, POLL) == []
    with pytest.raises(SourceError, match=POLL):
        connector.count(connector.streams[1])


def test_a_revoked_token_is_a_sign_in_error(server: SandboxServer, connect: Any) -> None:
    server.faults.set("unauthorised", app="surveymonkey", times=2)
    with pytest.raises(SignInError):
        read(connect())
    rows = list(connect().check())
    assert [row.state for row in rows] == ["failed"]


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (httpx.Response(200, json=[]), SourceError, "not an object"),
        (httpx.Response(200, json={"data": {}}), SourceError, "no list of"),
        (httpx.Response(200, text="<html>", headers={"Content-Type": "text/html"}), RetryLater,
         "web page"),
        (httpx.Response(200, text='{"data": [', headers={"Content-Type": "application/json"}),
         SourceError, "cut off"),
        (httpx.Response(400, json={"error": {"name": "Bad", "message": "no"}}), SourceError,
         "Bad no"),
        (httpx.Response(403, json={"error": {"name": "Permission Error"}}), Exception, "scope"),
        (httpx.Response(503), RetryLater, "503"),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_trusted_becomes_no_page(
    connect: Any, answer: httpx.Response, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        read(connect(transport=httpx.MockTransport(lambda request: answer)))


def test_responses_out_of_order_are_refused(connect: Any) -> None:
    rows = [
        {"id": "1", "date_modified": "2026-10-02T00:00:00+00:00"},
        {"id": "2", "date_modified": "2026-10-01T00:00:00+00:00"},
    ]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/bulk"):
            return httpx.Response(200, json={"data": rows, "total": 2, "links": {}})
        if request.url.path.endswith("/details"):
            return httpx.Response(200, json={"id": YEARLY, "title": "t", "pages": []})
        listed = {"id": YEARLY, "title": "t", "response_count": 2, "date_modified": "x"}
        return httpx.Response(200, json={"data": [listed], "links": {}})

    with pytest.raises(SourceError, match="do not keep to the order"):
        read(connect(transport=httpx.MockTransport(answer)))


def test_moments_with_another_offset_are_utc_inside(server: SandboxServer, connect: Any) -> None:
    (made,) = fill(server, [START + timedelta(days=90)])
    store = server.surveymonkey.store
    (text,), _ = store.page(YEARLY, size=1, offset=0, sort="date_modified", desc=True)
    store.load(YEARLY, [json.loads(text) | {"date_modified": "2026-12-30T03:00:00-05:00"}])
    pages = read(connect())
    (row,) = (row for page in pages for row in page.records if row["id"] == made)
    assert pages[-1].newest == datetime(2026, 12, 30, 8, tzinfo=UTC)
    feedback, *_ = connect().normalise("responses", row)
    assert feedback.updated_at == datetime(2026, 12, 30, 8, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(3))
def test_windows_that_meet_are_together_the_whole(
    server: SandboxServer, connect: Any, seed: int
) -> None:
    draw = random.Random(seed)
    fill(server, [START + timedelta(seconds=draw.randint(0, 40)) for _ in range(60)])
    cut = START + timedelta(seconds=20)
    early = ids(read(connect(), until=cut))
    place = Place(YEARLY, second(cut)).cursor()
    late = ids(list(connect().read(Slice(stream="responses", since=cut, cursor=place))))
    assert sorted(early + late) == sorted(ids(read(connect())))
