"""The commands publish and undo: what they print, for people and for machines, and their codes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from vmo_bridge.cli import vmo_bridge
from vmo_bridge.errors import ConfigError, RetryLater, StoreError, VmoBridgeError
from vmo_bridge.hooks import loader
from vmo_bridge.publish.switch import KillSwitch
from vmo_bridge.records import KpiResult
from vmo_bridge.store import Store

MakeResult = Callable[..., KpiResult]
Run = Callable[..., Result]
MAP = '[publish.map.desk.incident]\nwatermelon = "u_unhappy"\nlost_time = "u_vmo_lost_time"\n'


@pytest.fixture
def run(
    bulk: Any,
    result: MakeResult,
    fakes: Any,
    make_plugins: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Run a command; a known error is raised as the command line would tell it."""
    bulk.kpis(result())
    bulk.store.close()
    plugins = make_plugins(connect=lambda name: fakes.BulkWriter(bulk.platform, name))
    monkeypatch.setattr(loader, "load_plugins", lambda off=(): plugins)
    bulk.configure("[bridge]\nas_of = 2026-09-22T00:00:00Z\n")

    def ran(*args: str) -> Result:
        command = ["--config", str(bulk.settings.file), *args]
        outcome = CliRunner().invoke(vmo_bridge, command)
        if isinstance(outcome.exception, VmoBridgeError):
            raise outcome.exception
        assert outcome.exception is None or isinstance(outcome.exception, SystemExit), (
            outcome.exception
        )
        return outcome

    return ran


def configure(desk: Any, text: str) -> None:
    desk.configure(f"[bridge]\nas_of = 2026-09-22T00:00:00Z\n{text}")


def rows(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.output)
    return found


# publish.


def test_a_plan_is_shown_as_signs_and_counts_and_writes_nothing(bulk: Any, run: Run) -> None:
    outcome = run("publish")
    assert outcome.exit_code == 0
    lines = outcome.output.splitlines()
    (made,) = (line for line in lines if line.startswith("+ "))
    assert made.startswith("+ u_vmo_kpi_result csat:last-90-days:all:all  u_key=csat:last-90")
    assert "u_value=0.5" in made
    assert "u_target" not in made, "what is empty is not shown of a new record"
    assert any(line.startswith("~ incident INC1  u_vmo_watermelon: '' → 'true'") for line in lines)
    assert "desk: 1 to create, 3 to change, 0 unchanged, 0 refused" in lines
    assert lines[-1] == "  only a plan: nothing was written (publish --apply writes)"
    assert bulk.platform.written == []


def test_applied_it_says_what_was_read_back_and_then_that_nothing_is_left(run: Run) -> None:
    outcome = run("publish", "--apply")
    assert outcome.exit_code == 0
    assert "  4 written and read back, 0 not stored" in outcome.output
    again = run("publish")
    assert again.exit_code == 0
    assert again.output == "desk: 0 to create, 0 to change, 4 unchanged, 0 refused\n"


def test_every_action_stands_in_the_table_and_in_the_json(bulk: Any, run: Run) -> None:
    incident = bulk.platform.target["incident"]["1"]
    configure(bulk, MAP)
    incident["u_unhappy"] = ""
    bulk.platform.fields["incident"].add("u_unhappy")
    bulk.platform.drop.add("u_vmo_lost_time")
    assert run("publish", "--apply").exit_code == 1
    incident["u_unhappy"] = "see notes"
    bulk.platform.target["u_vmo_kpi_result"].clear()
    outcome = run("publish")
    lines = outcome.output.splitlines()
    assert "desk: 1 to create, 0 to change, 0 unchanged, 1 refused, 1 left alone" in lines
    assert any(
        line.startswith("  refused: incident INC1: u_unhappy holds 'see notes'") for line in lines
    )
    assert any(line.startswith("  left alone: incident INC1: u_vmo_lost_time") for line in lines)
    told = {row["action"]: row for row in rows(run("publish", "--format", "json"))}
    assert set(told) == {"create", "refused", "held"}
    assert set(told["held"]) == {
        "target",
        "action",
        "table",
        "record",
        "values",
        "before",
        "reason",
        "result",
    }
    assert told["held"]["values"] == {"u_vmo_lost_time": "12"}
    assert told["refused"]["before"] == {"u_unhappy": "see notes"}
    assert told["create"]["reason"] is None
    assert told["create"]["result"] is None, "a plan has no result"
    text = run("publish", "--format", "csv").output
    assert [row["action"] for row in csv.DictReader(io.StringIO(text))] == [*told]


def test_reasons_that_many_share_are_told_once(bulk: Any, run: Run) -> None:
    for table in ("services", "groups"):
        for row in bulk.platform.target[table].values():
            del row["u_vmo_csat"]
    bulk.platform.target["services"]["mail"] = {}
    output = run("publish").output
    assert "2 refused" in output
    assert output.count("no field u_vmo_csat") == 2, "one a table"


@pytest.mark.parametrize(
    ("fault", "code", "told"),
    [
        ({"drop": {"u_vmo_lost_time"}}, 1, "  not stored: incident 1: u_vmo_lost_time still"),
        ({"away_after": 1, "away_with": RetryLater("closed for a while")}, 1,
         "  the rest waits: closed for a while"),
    ],
)  # fmt: skip
def test_what_does_not_stand_there_is_told_and_ends_badly(
    bulk: Any, run: Run, fault: dict[str, Any], code: int, told: str
) -> None:
    vars(bulk.platform).update(fault)
    outcome = run("publish", "--apply")
    assert outcome.exit_code == code
    assert told in outcome.output


def test_what_is_left_alone_is_shown_and_ends_well(bulk: Any, run: Run) -> None:
    bulk.platform.drop.add("u_vmo_lost_time")
    assert run("publish", "--apply").exit_code == 1
    outcome = run("publish", "--apply")
    assert outcome.exit_code == 0
    assert "1 left alone" in outcome.output
    bulk.platform.drop.clear()
    assert run("publish", "--apply", "--retry").exit_code == 0
    assert bulk.platform.target["incident"]["1"]["u_vmo_lost_time"] == "12"


def test_retry_tries_also_what_was_changed_over_there(bulk: Any, run: Run) -> None:
    run("publish", "--apply")
    bulk.platform.target["incident"]["1"]["u_vmo_lost_time"] = "13"
    assert "1 left alone" in run("publish", "--apply").output
    run("publish", "--apply", "--retry")
    assert bulk.platform.target["incident"]["1"]["u_vmo_lost_time"] == "12"


# --stop and --resume.


def test_stop_works_while_another_process_has_the_store(bulk: Any, run: Run) -> None:
    with Store(bulk.settings.store_path, owner="a publish at work"):
        outcome = run("publish", "--stop", "wrong numbers")
        assert outcome.exit_code == 0
        assert outcome.output.startswith("stopped: wrong numbers (")
        assert KillSwitch(bulk.settings).reason()
        assert run("publish", "--resume").output == "values may be written again\n"
        assert run("publish", "--resume").output == "nothing was stopped here\n"


def test_a_stopped_publish_shows_why_and_ends_badly(bulk: Any, run: Run) -> None:
    run("publish", "--stop", "wrong numbers")
    outcome = run("publish", "--apply")
    assert outcome.exit_code == 1
    assert "  nothing is written: wrong numbers (" in outcome.output
    assert bulk.platform.written == []
    assert run("publish").exit_code == 0, "a plan is a plan"
    assert run("publish", "--resume", "--apply").exit_code == 0
    assert bulk.platform.written


def test_to_stop_and_apply_at_once_writes_nothing(bulk: Any, run: Run) -> None:
    assert run("publish", "--stop", "x", "--apply").exit_code == 1
    assert bulk.platform.written == []


def test_resume_says_where_it_is_still_stopped(bulk: Any, run: Run) -> None:
    configure(bulk, "[publish]\nstop = true\n")
    output = run("publish", "--resume").output
    assert "still stopped: publish.stop is on in the configuration" in output


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--retry"], "--retry writes: it goes with --apply"),
        (["--stop", "x", "--resume"], "--stop and --resume contradict each other"),
        (["--stop"], "requires an argument"),
        (["--format", "xml"], "Invalid value for '--format'"),
    ],
)
def test_options_that_make_no_sense_are_refused_and_do_nothing(
    bulk: Any, run: Run, args: list[str], told: str
) -> None:
    outcome = run("publish", *args)
    assert outcome.exit_code == 2
    assert told in outcome.output
    assert KillSwitch(bulk.settings).reason() == ""
    assert bulk.platform.written == []


def test_without_a_store_there_is_nothing_to_publish(bulk: Any, run: Run) -> None:
    for file in bulk.settings.store_path.parent.glob("*.db*"):
        file.unlink()
    with pytest.raises(StoreError, match="'vmo-bridge sync' makes it"):
        run("publish")
    with pytest.raises(StoreError):
        run("undo")
    with pytest.raises(StoreError):
        run("undo", "1")
    assert not bulk.settings.store_path.exists()


# undo.


def test_the_runs_that_wrote_are_listed(run: Run) -> None:
    assert rows(run("undo", "--format", "json")) == []
    run("publish", "--apply")
    (listed,) = rows(run("undo", "--format", "json"))
    assert (listed["target"], listed["stored"], listed["other"]) == ("desk", 4, 0)
    assert listed["began"].endswith("Z")
    table = run("undo").output
    assert [word for word in ("run", "target", "began", "stored") if word not in table] == []
    assert f"{listed['run']}" in table


def test_a_plan_of_undoing_changes_nothing_and_what_is_applied_is_told(bulk: Any, run: Run) -> None:
    run("publish", "--apply")
    number = rows(run("undo", "--format", "json"))[0]["run"]
    written = bulk.target()
    plan = run("undo", str(number))
    assert plan.exit_code == 0
    assert "~ incident 1  u_vmo_watermelon: 'true' → ''" in plan.output
    assert "- u_vmo_kpi_result new0  we made it: remove" in plan.output
    assert (
        "desk: 3 to restore, 1 to remove, 0 changed since and kept, 0 gone, 0 as before already"
        in plan.output
    )
    assert "only a plan: nothing was changed (undo RUN --apply does it)" in plan.output
    assert bulk.target() == written
    done = run("undo", str(number), "--apply")
    assert done.exit_code == 0
    assert "  3 restored and read back, 1 removed" in done.output
    assert done.output.endswith("'vmo-bridge publish --resume' goes on\n")
    assert bulk.results() == {}
    assert run("publish", "--apply").exit_code == 1


def test_the_plan_of_undoing_as_json_names_each_record(bulk: Any, run: Run) -> None:
    run("publish", "--apply")
    number = rows(run("undo", "--format", "json"))[0]["run"]
    bulk.platform.target["incident"]["1"]["u_vmo_lost_time"] = "13"
    del bulk.platform.target["groups"]["fin"]
    told = {row["table"]: row for row in rows(run("undo", str(number), "--format", "json"))}
    assert {table: row["action"] for table, row in told.items()} == {
        "incident": "restore",
        "services": "restore",
        "groups": "gone",
        "u_vmo_kpi_result": "remove",
    }
    assert told["incident"]["values"] == {"u_vmo_watermelon": "", "u_vmo_open_signals": ""}
    assert told["incident"]["reason"] == "changed by somebody since: u_vmo_lost_time holds '13'"
    assert told["services"]["reason"] is None


def test_an_undo_that_is_refused_in_part_ends_badly(bulk: Any, run: Run) -> None:
    run("publish", "--apply")
    number = rows(run("undo", "--format", "json"))[0]["run"]
    bulk.platform.undying.add("new0")
    outcome = run("undo", str(number), "--apply")
    assert outcome.exit_code == 1
    assert "  not undone: u_vmo_kpi_result new0: it is still there" in outcome.output


def test_a_run_that_wrote_nothing_cannot_be_undone_and_stops_nothing(bulk: Any, run: Run) -> None:
    for number in ("999", "0", "-1"):
        args = ("undo", "--apply", "--", number)
        with pytest.raises(ConfigError, match=rf"run {number} wrote nothing; 'vmo-bridge undo'"):
            run(*args)
    assert KillSwitch(bulk.settings).reason() == ""


def test_undo_needs_to_be_told_which_run(run: Run) -> None:
    outcome = run("undo", "--apply")
    assert outcome.exit_code == 2
    assert "which run? 'vmo-bridge undo' lists those that wrote" in outcome.output
    assert run("undo", "abc").exit_code == 2


def test_machines_are_told_how_each_write_ended(bulk: Any, run: Run) -> None:
    bulk.platform.drop.add("u_vmo_lost_time")
    told = json.loads(run("publish", "--apply", "--format", "json").stdout)
    ended = {(row["table"], row["record"]): row["result"] for row in told}
    assert ended["incident", "INC1"] == "not stored"
    assert {result for (table, _), result in ended.items() if table != "incident"} == {"stored"}
