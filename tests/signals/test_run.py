"""One rule is run as its author wrote it, and held to what it promised."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from pydantic import ValidationError

from vmo_bridge.analysis.engine import Analysis
from vmo_bridge.analysis.schema import empty_tables, tables_from
from vmo_bridge.errors import PluginError
from vmo_bridge.hooks.extensions import Rule, RuleParameters
from vmo_bridge.records import Finding, Worth
from vmo_bridge.signals.builtin import vmo_rules
from vmo_bridge.signals.needs import missing, missing_facts
from vmo_bridge.signals.run import evaluate

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
FINDING = Finding(
    id="mine:vpn",
    rule="mine",
    title="",
    why="",
    start=AS_OF,
    end=AS_OF,
    strength=0.5,
    worth=Worth(hours_per_year=0, cost_per_year=0),
    evidence=("x/1",),
    numbers={},
)


class Parameters(RuleParameters, frozen=True):
    least: int = 3


def rule(findings=(), **changes) -> Rule:
    return replace(
        Rule(
            name="mine",
            version="1",
            title="",
            question="",
            parameters=Parameters,
            window_days=10,
            reads=("ticket", "feedback"),
            fields=("tickets.ref",),
            queries={"bound": "select $start as s, $end as e, $least as l"},
            decide=lambda run: findings,
        ),
        **changes,
    )


def run(wanted: Rule, as_of=AS_OF, **parameters) -> list[Finding]:
    with Analysis(empty_tables(), threads=1) as analysis:
        return evaluate(
            wanted,
            analysis,
            wanted.parameters(**parameters),
            as_of=as_of,
            hourly_rate=68,
            targets={"csat": 0.9},
        )


def test_a_judgement_sees_its_rows_window_rate_and_targets():
    seen = []
    run(rule(decide=lambda run: seen.append(run) or []), least=7)
    (given,) = seen
    end = int(AS_OF.timestamp())
    assert given.rows == {"bound": [{"s": end - 10 * 86400, "e": end, "l": 7}]}
    assert (given.start, given.end) == (AS_OF - timedelta(days=10), AS_OF)
    assert (given.hourly_rate, given.targets) == (68, {"csat": 0.9})
    assert given.parameters.least == 7


def test_the_second_that_as_of_cuts_belongs_to_the_window():
    seen = []
    run(rule(decide=lambda run: seen.append(run) or []), as_of=AS_OF + timedelta(microseconds=1))
    assert seen[0].rows["bound"][0]["e"] == int(AS_OF.timestamp()) + 1


def test_any_zone_will_do_but_none_will_not():
    zone = timezone(timedelta(hours=-5))
    assert run(rule([FINDING]), as_of=AS_OF.astimezone(zone)) == [FINDING]
    with pytest.raises(ValueError, match="no time zone"):
        run(rule(), as_of=AS_OF.replace(tzinfo=None))


def test_a_judgement_that_fails_names_the_rule():
    with pytest.raises(PluginError, match="rule 'mine': ZeroDivisionError"):
        run(rule(decide=lambda run: 1 / 0))


def test_wrong_sql_names_the_rule_and_the_query():
    with pytest.raises(PluginError, match=r"rule 'mine', query 'shares': .*colour"):
        run(rule(queries={"shares": "select colour from tickets"}))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "other:vpn"}, "must start with mine:"),
        ({"rule": "other"}, "rule must be mine"),
        ({"evidence": ()}, "no evidence"),
        ({"strength": 1.5}, "strength 1.5"),
        ({"strength": float("nan")}, "strength nan"),
    ],
)
def test_a_finding_that_breaks_the_contract_names_the_rule(change, reason):
    finding = msgspec.structs.replace(FINDING, **change)
    with pytest.raises(PluginError, match=f"rule 'mine', finding '{finding.id}': .*{reason}"):
        run(rule([finding]))


def test_an_id_given_twice_names_the_rule():
    with pytest.raises(PluginError, match="given twice"):
        run(rule([FINDING, FINDING]))


def test_kinds_that_are_absent_are_missing():
    tables = tables_from({"tickets": [{"ref": "x/1"}]})
    assert missing(rule(), tables) == ["feedback"]
    assert missing(rule(), {}) == ["ticket", "feedback"]
    assert missing(rule(reads=()), tables) == []


def test_a_kind_that_does_not_exist_names_the_rule():
    with pytest.raises(PluginError, match="rule 'mine' reads 'surveys'"):
        missing(rule(reads=("surveys",)), empty_tables())


def test_facts_that_are_absent_are_named():
    sql = "select count(*) as open_tickets, 1 as hope, cast(null as bigint) as luck from tickets"
    with Analysis(empty_tables(), threads=1) as analysis:
        assert missing_facts(rule(queries={"needs": sql}), analysis) == ["open tickets", "luck"]
        assert missing_facts(rule(), analysis) == []
        with pytest.raises(PluginError, match="rule 'mine', query 'needs': 0 rows"):
            missing_facts(rule(queries={"needs": "select ref from tickets"}), analysis)
        with pytest.raises(PluginError, match="rule 'mine', query 'needs'"):
            missing_facts(rule(queries={"needs": "select"}), analysis)


@pytest.mark.parametrize("builtin", vmo_rules(), ids=lambda builtin: builtin.name)
def test_a_builtin_rule_runs_on_nothing_and_says_what_it_lacks(builtin):
    assert run(builtin) == []
    assert missing(builtin, empty_tables()) == list(builtin.reads)
    with Analysis(empty_tables(), threads=1) as analysis:
        assert missing_facts(builtin, analysis)


@pytest.mark.parametrize("builtin", vmo_rules(), ids=lambda builtin: builtin.name)
def test_every_parameter_of_a_builtin_rule_is_described_and_bounded(builtin):
    own = builtin.parameters.model_fields.keys() - RuleParameters.model_fields.keys()
    assert own
    for name in own:
        field = builtin.parameters.model_fields[name]
        assert field.description
        if field.annotation in (int, float):
            with pytest.raises(ValidationError):
                builtin.parameters(**{name: -1})


def test_surveys_without_a_question_mapped_to_csat_are_not_known_to_the_watermelon(calm_world):
    world, watermelon = calm_world(1), vmo_rules()[0]
    for row in world.rows["answers"]:
        row["metric"] = None
    tables = tables_from(world.rows)
    assert missing(watermelon, tables) == []
    with Analysis(tables, threads=1) as analysis:
        assert missing_facts(watermelon, analysis) == [
            "answers of known people to a csat question with a known scale"
        ]


def test_the_same_data_gives_the_same_findings_in_any_order(calm_world):
    world = calm_world(3)
    world.tickets(40, 1, "Badge", "Field")
    world.answers(2, 12, "Badge", "Field", comment="badge reader fails")
    for _ in range(12):
        world.path(("Desk", "Network", "Server", "Network"), service="Badge")
    first = [world.find(rule) for rule in vmo_rules()]
    for rows in world.rows.values():
        rows.reverse()
    assert [world.find(rule) for rule in vmo_rules()] == first
    assert all(first[:2]), "the world tells stories of these two"
