"""A recorded log as an instance: what it says is there, what it does not know is empty."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from vmo_bridge.errors import ConfigError
from vmo_bridge.sandbox.build import DEFAULT_SEED, ensure_directory
from vmo_bridge.sandbox.replay.log import EventLog
from vmo_bridge.sandbox.server import SandboxServer

MakeLog = Callable[..., Path]
Row = dict[str, str]


@contextmanager
def replayed(log: Path) -> Iterator[SandboxServer]:
    with SandboxServer(log.parent / "sandbox", log=EventLog(log)) as server:
        yield server


def spans(server: SandboxServer, field: str) -> list[tuple[str, str, str]]:
    """(value, start, end) of the spans of a field, those of one minute in the order of the ids."""
    found = server.rows("metric_instance", f"field={field}^ORDERBYstart^ORDERBYsys_id")
    return [(row["value"], row["start"][-8:-3], row["end"][-8:-3]) for row in found]


def at(minute: str, **more: str) -> Row:
    return {"sys_updated_at": f"29/2/2016 {minute}", **more}


def test_an_incident_is_what_its_last_event_says(make_log: MakeLog) -> None:
    log = make_log(
        at("01:23"),
        at(
            "11:29", incident_state="Resolved", sys_mod_count="3", made_sla="false",
            reopen_count="1", reassignment_count="2", assignment_group="Group 24",
            priority="2 - High", problem_id="Problem ID  2", active="false", rfc="CHG0000097",
            cmdb_ci="cmdb_ci 7", assigned_to="Resolver 89",
        ),
    )  # fmt: skip
    with replayed(log) as server:
        (row,) = server.rows("incident")
        plain = {
            "number": "INC0000001", "state": "6", "incident_state": "6", "active": "false",
            "made_sla": "false", "reopen_count": "1", "reassignment_count": "2", "priority": "2",
            "impact": "2", "urgency": "2", "contact_type": "self-service", "notify": "1",
            "category": "Category 55", "subcategory": "Subcategory 170", "u_symptom": "Symptom 72",
            "close_code": "code 5", "opened_at": "2016-02-29 01:16:00",
            "resolved_at": "2016-02-29 11:29:00", "closed_at": "2016-03-05 12:00:00",
            "sys_created_on": "2016-02-29 01:23:00", "sys_created_by": "Created by 6",
            "sys_updated_on": "2016-02-29 11:29:00", "sys_updated_by": "Updated by 21",
            "sys_mod_count": "3", "knowledge": "true", "u_priority_confirmation": "false",
        }  # fmt: skip
        assert {name: row[name] for name in plain} == plain
        url = f"{server.url}/api/now/table/incident/{row['sys_id']}?sysparm_display_value=true"
        shown = httpx.get(url, auth=server.auth()).json()["result"]
        names = {
            "caller_id": "Caller 7", "opened_by": "Opened by  8", "assigned_to": "Resolver 89",
            "resolved_by": "Resolved by 149", "assignment_group": "Group 24",
            "location": "Location 143", "cmdb_ci": "cmdb_ci 7", "problem_id": "Problem ID  2",
            "rfc": "CHG0000097",
        }  # fmt: skip
        assert {name: shown[name]["display_value"] for name in names} == names
        assert (shown["state"], shown["priority"]) == ("Resolved", "2 - High")
        assert shown["contact_type"] == "Self service"
        problem = server.rows("problem")[0]
        assert problem["sys_created_on"] == "2016-02-29 11:29:00", "it was there when first named"
        assert (problem["opened_at"], problem["made_sla"], problem["known_error"]) == ("", "", "")


def test_what_the_log_does_not_know_stays_empty(make_log: MakeLog) -> None:
    unknown = (
        "caller_id", "opened_by", "location", "category", "assigned_to", "assignment_group",
        "closed_code", "resolved_by", "resolved_at", "sys_created_at", "sys_created_by",
    )  # fmt: skip
    with replayed(make_log(dict.fromkeys(unknown, "?"))) as server:
        (row,) = server.rows("incident")
        empty = {
            "caller_id", "opened_by", "location", "category", "assigned_to", "assignment_group",
            "close_code", "resolved_by", "resolved_at", "sys_created_on", "sys_created_by",
            "short_description", "description", "business_service", "business_stc", "problem_id",
        }  # fmt: skip
        assert {row[name] for name in empty} == {""}
        for table in (
            "cmdb_ci_service", "cmn_department", "task_sla", "asmt_metric_type", "sc_req_item",
            "asmt_assessment_instance", "core_company", "sys_user_group", "problem",
        ):  # fmt: skip
            assert server.rows(table) == [], table
        accounts = {"admin", "vmo.bridge", "vmo.reader"}
        assert {user["user_name"] for user in server.rows("sys_user")} == accounts


def test_state_and_group_have_the_history_of_the_events(make_log: MakeLog) -> None:
    log = make_log(
        at("01:00", assignment_group="Group 1"),
        at("02:00", assignment_group="Group 2", sys_mod_count="1"),
        at("03:00", assignment_group="?", sys_mod_count="2", incident_state="Awaiting Vendor"),
        at("04:00", assignment_group="?", sys_mod_count="3", incident_state="Awaiting Vendor"),
        at("05:00", assignment_group="Group 1", sys_mod_count="4", incident_state="-100"),
        at("05:00", sys_mod_count="5", assignment_group="Group 1", incident_state="Resolved"),
        at("05:00", sys_mod_count="6", assignment_group="Group 1", incident_state="Closed"),
    )
    with replayed(log) as server:
        assert spans(server, "assignment_group") == [
            ("Group 1", "01:00", "02:00"),
            ("Group 2", "02:00", "03:00"),
            ("Group 1", "05:00", ""),
        ], "given away at 03:00, to a group that the log hides"
        assert spans(server, "incident_state") == [
            ("New", "01:00", "03:00"),
            ("Awaiting Vendor", "03:00", "05:00"),
            ("-100", "05:00", "05:00"),
            ("Resolved", "05:00", "05:00"),
            ("Closed", "05:00", ""),
        ]
        first = server.rows("metric_instance", "field=incident_state^ORDERBYstart")[0]
        assert (first["field_value"], first["duration"]) == ("1", "1970-01-01 02:00:00")
        assert first["business_duration"] == "", "nobody knows the hours of work"
        (incident,) = server.rows("incident")
        assert {row["id"] for row in server.rows("metric_instance")} == {incident["sys_id"]}


def test_states_keep_their_labels_and_the_odd_ones_get_a_number_of_their_own(
    make_log: MakeLog,
) -> None:
    labels = ("Closed", "Awaiting Vendor", "-100", "Awaiting Problem", "Awaiting Legal", "Active")
    log = make_log(
        *({"number": f"INC{place}", "incident_state": label} for place, label in enumerate(labels))
    )
    with replayed(log) as server:
        states = {row["number"]: row["state"] for row in server.rows("incident")}
        assert [states[f"INC{place}"] for place in range(6)] == [
            "7",
            "101",
            "-100",
            "3",
            "100",
            "2",
        ]
        for element in ("state", "incident_state"):
            choices = server.rows("sys_choice", f"name=incident^element={element}")
            assert {row["value"]: row["label"] for row in choices} == {
                "7": "Closed", "101": "Awaiting Vendor", "-100": "-100", "3": "Awaiting Problem",
                "100": "Awaiting Legal", "2": "Active",
            }  # fmt: skip


def test_events_count_in_the_order_of_time_whatever_the_file_and_the_counts_say(
    make_log: MakeLog,
) -> None:
    log = make_log(
        at("03:00", sys_mod_count="1", assignment_group="Group 3", incident_state="Closed"),
        at("01:00", sys_mod_count="2", assignment_group="Group 1"),
        at("02:00", sys_mod_count="1", assignment_group="Group 4"),
        at("02:00", sys_mod_count="1", assignment_group="Group 2"),
    )
    with replayed(log) as server:
        path = [value for value, _, _ in spans(server, "assignment_group")]
        assert path == ["Group 1", "Group 4", "Group 2", "Group 3"]
        assert server.rows("incident")[0]["state"] == "7"


def test_the_same_log_is_the_same_instance_and_any_packing_will_do(make_log: MakeLog) -> None:
    log = make_log(at("01:00"), at("02:00", incident_state="Active"))
    packed = log.with_name("misnamed")
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + log.read_bytes()))
    with replayed(log) as server:
        told = server.truth()["log"]
        assert told == {
            "name": "log.csv", "sha256": EventLog(log).sha256, "incidents": 1, "events": 2,
            "begin": "2016-02-29T01:00:00Z", "end": "2016-03-05T12:00:00Z",
            "zone": "UTC: the log names none",
        }  # fmt: skip
        one = [server.rows(table) for table in ("incident", "metric_instance", "sys_choice")]
    again = log.parent / "again"
    with SandboxServer(again, log=EventLog(packed)) as server:
        assert [server.rows(t) for t in ("incident", "metric_instance", "sys_choice")] == one
        home = httpx.get(server.url).text
        assert "A recorded log" in home
        assert "Meridian" not in home
        with pytest.raises(ConfigError, match="replays a log"):
            _ = server.jira


BAD_VALUES = [
    ("sys_updated_at", "31/2/2016 10:00", "is no moment as day/month/year hour:minute"),
    ("opened_at", "2016-02-29 10:00", "is no moment; write day/month/year"),
    ("resolved_at", "2/29/2016 10:00", "is no moment as day/month/year hour:minute"),
    ("closed_at", "1/1/2999 10:00", "lies in the future"),
    ("sys_created_at", "1/1/0016 10:00", "lies before 1970"),
    ("sys_updated_at", "?", "says nothing"),
    ("incident_state", "?", "says nothing"),
    ("number", "", "says nothing"),
    ("reopen_count", "many", "is not a whole number"),
    ("sys_mod_count", "-1", "is not a whole number"),
    ("made_sla", "yes", "is neither true nor false"),
    ("priority", "urgent", "does not begin with its number"),
]


@pytest.mark.parametrize(("column", "value", "why"), BAD_VALUES)
def test_a_bad_value_is_named_with_its_line_and_column(
    column: str, value: str, why: str, make_log: MakeLog
) -> None:
    log = make_log({}, {column: value})
    with pytest.raises(ConfigError) as caught:
        ensure_directory(log.parent / "made" / "sandbox", log=EventLog(log))
    assert f"{log}: line 3, {column}: {value!r} {why}" in str(caught.value)
    assert list(log.parent.iterdir()) == [log], "nothing half-made is left"


def test_what_is_no_such_log_is_refused_and_leaves_nothing(
    make_log: MakeLog, tmp_path: Path
) -> None:
    whole = make_log({}, name="whole.csv").read_bytes()
    header = whole.splitlines(keepends=True)[0]
    contents = {
        "is empty": b"",
        "is empty: a header, and no event": header,
        "lacks the columns made_sla, vendor": make_log(
            {}, leave=("made_sla", "vendor")
        ).read_bytes(),
        "lacks the columns number, incident_state": b"a,b\n1,2\n",
        "line 2: has 2 cells, the header 36": header + b"a,b\n",
        "has columns twice: number": header.replace(b"active", b"number,active"),
        "is no CSV file in UTF-8": b"\x00\xff\xfe\x00" * 9,
        "unexpected end of data": header + b'"INC1,',
        "cannot be read to its end": gzip.compress(whole)[:-20],
    }
    for place, (why, content) in enumerate(contents.items()):
        log = tmp_path / f"{place}.csv"
        log.write_bytes(content)
        with pytest.raises(ConfigError, match=why):
            ensure_directory(tmp_path / "made" / "sandbox", log=EventLog(log))
    assert not (tmp_path / "made").exists()
    for missing in (tmp_path / "nowhere.csv", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read"):
            EventLog(missing)


def test_a_value_in_the_future_is_judged_by_the_clock(make_log: MakeLog) -> None:
    log = make_log({})
    with pytest.raises(ConfigError, match=r"line 2, closed_at: '5/3/2016 12:00' lies in the fut"):
        _ = EventLog(log, clock=lambda: datetime(2016, 3, 1, tzinfo=UTC)).history


def test_a_directory_is_served_as_what_it_is_or_not_at_all(
    make_log: MakeLog, agency_dir: Path
) -> None:
    log = make_log({})
    folder = log.parent / "sandbox"
    ensure_directory(folder, log=EventLog(log))
    before = (folder / "credentials.json").read_bytes()
    ensure_directory(folder)
    ensure_directory(folder, log=EventLog(log))
    other = EventLog(make_log({"number": "INC2"}, name="other.csv"))
    with pytest.raises(ConfigError, match=r"the log log\.csv .* stands there, the log other\.csv"):
        ensure_directory(folder, log=other)
    with pytest.raises(ConfigError, match=r"the log log\.csv .* stands there, seed 3 was asked"):
        ensure_directory(folder, 3)
    with pytest.raises(ConfigError, match=f"seed {DEFAULT_SEED} stands there, the log other"):
        ensure_directory(agency_dir, log=other)
    assert (folder / "credentials.json").read_bytes() == before
    assert json.loads((folder / "truth.json").read_text())["log"]["name"] == "log.csv"
