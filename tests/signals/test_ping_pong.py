"""Each line of the rule 'ping-pong': what raises it, what does not count."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.signals.rules.ping_pong import RULE, returns

DAY = 86400
NOW = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
BOUNCE = ("Desk", "Network", "Server", "Network")


def background(world, tickets=200):
    """Tickets of other services that take the normal route."""
    for i in range(tickets):
        path = ("Desk",) if i % 3 else ("Desk", "Mail", "Desk")
        world.path(path, service=f"Other-{i % 4}", category="other")


def test_a_service_whose_tickets_come_back_is_raised_with_all_of_them(world):
    background(world)
    bounced = [world.path(BOUNCE, opened_at=NOW - (20 - i) * DAY) for i in range(8)]
    for _ in range(12):
        world.path(("Desk", "Network"))
    (finding,) = world.find(RULE)
    assert finding.id == "ping-pong:vpn"
    assert (finding.service, finding.service_ref) == ("VPN", "x/s-VPN")
    assert finding.user_group is None
    assert finding.evidence == tuple(bounced)
    assert finding.why == (
        "8 of 20 tickets (40%) came back to a team that had given them away; "
        "elsewhere 0.0% of 200. Most often between Network and Server."
    )


def test_the_usual_share_is_not_raised(world):
    for service in ("VPN", "Mail", "Print"):
        for _ in range(10):
            world.path(BOUNCE, service=service)
        for _ in range(30):
            world.path(("Desk", "Network"), service=service)
    assert world.find(RULE) == []


def test_the_normal_triage_route_is_no_bounce(world):
    background(world)
    for path in (("Desk", "Network", "Desk"), ("Desk", "Network", "Server", "Desk")):
        for _ in range(20):
            world.path(path)
    assert world.find(RULE) == []


@pytest.mark.parametrize(
    "path",
    [
        ("Desk", "Network", "Desk", "Network"),  # the return is not the last hop
        ("Desk", "Network", "Desk", "Network", "Desk"),  # nor the only one
        ("Network", "Server", "Network"),  # not the first line
        ("Network", "Desk", "Network"),
        ("Desk", "Network", "Server", "Network"),
        ("Desk", "Network", "Server", "Mail", "Network", "Server"),
    ],
)
def test_a_return_that_is_not_triage_counts(world, path):
    background(world)
    for _ in range(20):
        world.path(path)
    (finding,) = world.find(RULE)
    assert finding.numbers["bounced"] == 20


def test_automatic_routing_is_no_bounce(world):
    background(world)
    for _ in range(20):
        world.path(("Desk", "Network", ("Server", 119), "Network"))
        world.path((("Network", 60), ("Desk", 1), "Network", "Server"))
    assert world.find(RULE) == []
    (finding,) = world.find(RULE, routing_seconds=119)
    assert finding.numbers["bounced"] == 20


def test_a_stretch_that_still_lasts_is_no_routing(world):
    background(world)
    for _ in range(20):
        ref = world.path((("Desk", 3600), ("Network", 3600), ("Server", 3600)))
        moment = NOW - 10 * DAY + 3 * 3600
        world.add(
            "spans",
            ticket_ref=ref,
            field="team",
            value_ref="x/Network",
            value="Network",
            started_at=moment,
        )
    (finding,) = world.find(RULE)
    assert finding.numbers["bounced"] == 20


def test_the_same_team_twice_in_a_row_is_one_stretch(world):
    background(world)
    for _ in range(20):
        world.path(("Desk", "Network", "Network", "Network"))
    assert world.find(RULE) == []


def test_other_fields_of_the_history_are_no_teams(world):
    background(world)
    for _ in range(20):
        ref = world.ticket()
        for i, state in enumerate(("new", "open", "new", "open")):
            world.add(
                "spans", ticket_ref=ref, field="state", value=state, started_at=NOW - DAY + i * 999
            )
    assert world.find(RULE) == []


def test_a_team_known_only_by_name_is_a_team(world):
    background(world)
    for _ in range(20):
        world.path(BOUNCE)
    for row in world.rows["spans"]:
        row["value_ref"] = None
    (finding,) = world.find(RULE)
    assert finding.keywords[:2] == ("Network", "Server")


def test_fewer_than_five_bounced_tickets_are_not_raised(world):
    background(world, 2000)
    for _ in range(4):
        world.path(BOUNCE)
    world.path(("Desk", "Network"))
    assert world.find(RULE) == []
    world.path(BOUNCE)
    assert len(world.find(RULE)) == 1


def test_a_significant_share_under_twice_the_usual_is_not_raised(world):
    for service, bounced in (("VPN", 160), ("Mail", 100)):
        for i in range(400):
            world.path(BOUNCE if i < bounced else ("Desk", "Network"), service=service)
    assert world.find(RULE) == []
    assert [finding.id for finding in world.find(RULE, min_ratio=1.5)] == ["ping-pong:vpn"]


def test_a_category_is_raised_over_the_services_that_share_it(world):
    background(world)
    for i in range(8):
        world.path(BOUNCE, service=f"Other-{i % 4}", category="Certificates & keys")
    (finding,) = world.find(RULE)
    assert finding.id == "ping-pong:category-certificates-keys"
    assert finding.service is None
    assert len(finding.evidence) == 8
    assert finding.keywords == ("Network", "Server", "Certificates & keys")


def test_a_category_explained_by_its_service_is_not_raised_again(world):
    background(world)
    for _ in range(20):
        world.path(BOUNCE, category="tunnels")
    assert [finding.id for finding in world.find(RULE)] == ["ping-pong:vpn"]


def test_a_category_is_judged_without_the_tickets_of_raised_services(world):
    background(world)
    for _ in range(20):
        world.path(BOUNCE, category="tunnels")
    for i in range(8):
        world.path(BOUNCE, service=f"Other-{i % 4}", category="tunnels")
    service, category = world.find(RULE)
    assert (service.id, category.id) == ("ping-pong:vpn", "ping-pong:category-tunnels")
    assert (category.numbers["bounced"], category.numbers["tickets"]) == (8, 8)
    assert category.numbers["other_tickets"] == 200


def test_among_many_subjects_one_must_stand_out_more(world):
    for i in range(620):
        rest = "Rest" if i % 31 else "VPN"
        bounces = i < 7 * 31 if rest == "VPN" else i % 10 == 0
        world.path(BOUNCE if bounces else ("Desk", "Network"), service=rest)
    assert [finding.id for finding in world.find(RULE)] == ["ping-pong:vpn"]
    for i, row in enumerate(world.rows["tickets"]):
        if row["service"] == "Rest":
            row["service_ref"] = f"x/s-{i % 31}"
    assert world.find(RULE) == []


def test_the_path_is_in_order_of_time(world):
    background(world)
    for i in range(20):
        world.path(("Network", "Server", "Network"))
        for row, place in zip(world.rows["spans"][-3:], (1, 3, 2), strict=True):
            row["ref"] = f"x/{i}-{place}"
    (finding,) = world.find(RULE)
    assert finding.numbers["bounced"] == 20


def test_tickets_without_service_or_category_are_the_rest_and_never_a_subject(world):
    background(world)
    for _ in range(20):
        world.path(BOUNCE, service=None, category=None)
    assert world.find(RULE) == []


def test_tickets_without_a_known_history_are_not_counted(world):
    background(world)
    for _ in range(8):
        world.path(BOUNCE)
    for _ in range(500):
        world.ticket("VPN")
    (finding,) = world.find(RULE)
    assert finding.numbers["tickets"] == 8


def test_only_tickets_opened_in_the_window_count(world):
    background(world)
    for opened in (NOW - 150 * DAY - 1, NOW):
        for _ in range(20):
            world.path(BOUNCE, opened_at=opened)
    assert world.find(RULE) == []
    for _ in range(6):
        world.path(BOUNCE, opened_at=NOW - 150 * DAY)
    (finding,) = world.find(RULE)
    assert finding.numbers["tickets"] == 6


def test_the_first_line_can_be_named(world):
    background(world)
    for _ in range(20):
        world.path(("Desk West", "Network", "Desk West"))
    assert len(world.find(RULE)) == 1
    assert world.find(RULE, first_line=("desk west", "DESK")) == []


def test_names_of_teams_come_from_the_teams(world):
    background(world)
    for _ in range(20):
        world.path(BOUNCE, category="tunnels")
    world.add("teams", ref="x/Network", name="Netzwerk")
    (finding,) = world.find(RULE)
    assert finding.keywords == ("Netzwerk", "Server", "tunnels")


def test_worth_is_bounced_tickets_and_their_lost_time(world):
    background(world)
    refs = [world.path(BOUNCE) for _ in range(10)]
    world.answer(3, "x/p", ticket_ref=refs[0], lost=120)
    world.answer(3, "x/p", ticket_ref=refs[1], lost=-600)
    world.answer(3, "x/p", ticket_ref=world.rows["tickets"][0]["ref"], lost=999)
    (finding,) = world.find(RULE, hours_per_item=2)
    hours = (10 * 2 + 2) * 365.25 / 150
    assert finding.worth.hours_per_year == pytest.approx(hours)
    assert finding.worth.cost_per_year == pytest.approx(hours * 68)


def test_ids_of_a_service_and_a_category_never_meet(world):
    background(world)
    for i in range(20):
        world.path(BOUNCE, service="Category keys", category=None)
        world.path(BOUNCE, service=f"Other-{i % 4}", category="keys")
    assert len({finding.id for finding in world.find(RULE)}) == 2


def test_chance_alone_raises_no_more_than_the_rate_that_is_accepted(calm_world):
    # Two families (services, categories) at 1 % each: 0.6 expected in 30 worlds.
    assert len([seed for seed in range(30) if calm_world(seed).find(RULE)]) <= 1


def test_a_planted_story_is_found_among_chance(calm_world):
    for seed in range(10):
        world = calm_world(seed)
        refs = {
            world.path(BOUNCE if i % 3 else ("Desk", "Apps"), service="Badge") for i in range(30)
        }
        (finding,) = world.find(RULE)
        assert finding.id == "ping-pong:badge"
        assert set(finding.evidence) < refs
        assert len(finding.evidence) == 20


PATHS = st.lists(st.sampled_from("ABCD"), max_size=8).map(
    lambda path: [team for i, team in enumerate(path) if i == 0 or path[i - 1] != team]
)


@given(PATHS)
def test_a_path_returns_exactly_as_often_as_teams_repeat(path):
    assert len(returns(path, first_line=())) == len(path) - len(set(path))


@given(PATHS, st.sets(st.sampled_from("ABCD")))
def test_a_first_line_excuses_one_last_hop_and_nothing_else(path, first_line):
    strict, lenient = returns(path, ()), returns(path, first_line)
    assert lenient == strict or (
        lenient == [] and strict == [len(path) - 1] and path[0] == path[-1] in first_line
    )
