"""The contract of writing: provisioning, one write at a time, and what is really stored."""

# ruff: noqa: S101 - a conformance suite is made of asserts

from __future__ import annotations

from collections.abc import Iterable

import pytest

from vmo_bridge.connectors.contract import Connector
from vmo_bridge.connectors.writing import Change, Packaging, Writer
from vmo_bridge.errors import WriteRefused
from vmo_bridge.testing.source import Source, Suite, Target, change_of, need


class WritingContract(Suite):
    """For connectors that are a ``Writer``; the others skip it."""

    @pytest.fixture
    def target(self, source: Source, connector: Connector) -> Target:
        """Where to write, not yet provisioned."""
        if not isinstance(connector, Writer):
            pytest.skip(f"{type(connector).__name__} cannot write")
        need(source.target, "'target'")
        assert source.target
        assert len(source.target.values) >= 2, "the target needs two fields for values"
        return source.target

    @pytest.fixture
    def writer(self, target: Target, connector: Connector) -> Writer:
        """A connector on a source that has what is needed."""
        assert isinstance(connector, Writer)
        provision(connector, target)
        return connector

    def test_places_are_streams(self, connector: Connector, writer: Writer) -> None:
        """Values stand on records that we read."""
        places = writer.places
        named = {*places.tickets, places.services, places.user_groups} - {None}
        unread = named - {each.name for each in connector.streams}
        assert not unread, f"{unread} are places for values, and no streams"

    def test_planning_changes_nothing(self, connector: Connector, target: Target) -> None:
        """The same plan comes twice, and the same package."""
        assert isinstance(connector, Writer)
        need(target.match_field, "'match_field' in its target")
        plan = connector.provision_plan(target.tables)
        packed = connector.package(target.tables) if isinstance(connector, Packaging) else None
        assert connector.provision_plan(target.tables) == plan
        if isinstance(connector, Packaging):
            assert connector.package(target.tables) == packed, "the package is another each time"
        assert plan, "there is nothing to provision: the target should start without our fields"

    def test_after_provisioning_nothing_is_missing(
        self, connector: Connector, target: Target
    ) -> None:
        """Half of it can be made, and the rest later; what cannot be made from here is left."""
        assert isinstance(connector, Writer)
        for step in connector.provision_plan(target.tables)[:1]:
            connector.provision(step)
        provision(connector, target)
        left = [step for step in connector.provision_plan(target.tables) if step.over_rest]
        assert not left, f"still missing after provisioning: {[step.what for step in left]}"

    def test_writing_twice_makes_one_record(self, target: Target, writer: Writer) -> None:
        """A write whose reply was lost is repeated."""
        change = change_of(target, "twice")
        first, second = writer.write(change), writer.write(change)
        assert first == second, "the second write made a second record"
        found = held(writer, target, ["twice"], ())
        assert list(found) == [first], f"{len(found)} records hold the key"

    def test_read_back_tells_what_is_stored(self, target: Target, writer: Writer) -> None:
        """Of the fields that were written, and of no other."""
        change = change_of(target, "stored")
        key = writer.write(change)
        receipt = writer.read_back(change, key)
        assert receipt.key == key
        assert receipt.seen_at.utcoffset() is not None, "seen_at is naive"
        assert dict(receipt.stored) == {**change.match, **change.values}

    def test_an_update_changes_the_named_field_only(self, target: Target, writer: Writer) -> None:
        """What stands beside it belongs to others."""
        key = writer.write(change_of(target, "updated"))
        name = next(iter(target.values))
        change = Change(table=target.table, key=key, match={}, values={name: target.others[name]})
        assert writer.write(change) == key
        assert dict(writer.read_back(change, key).stored) == dict(change.values)
        found = held(writer, target, ["updated"], [*target.values])
        wanted = {**target.values, **change.values}
        assert {each: found[key][each] for each in target.values} == wanted

    def test_a_write_by_match_updates_what_is_there(self, target: Target, writer: Writer) -> None:
        """Found again by our own key."""
        key = writer.write(change_of(target, "again"))
        change = change_of(target, "again", target.others)
        assert writer.write(change) == key
        assert dict(writer.read_back(change, key).stored) == {**change.match, **target.others}

    def test_a_record_that_was_there_before_can_be_written_to(
        self, target: Target, writer: Writer
    ) -> None:
        """By its own key."""
        need(target.record, "'record' in its target")
        assert target.record
        table, key = target.record
        columns = next(each for each in target.tables if each.table == table).columns
        column = columns[0].name if columns else next(iter(target.values))
        change = Change(table=table, key=key, match={}, values={column: "1"})
        assert writer.write(change) == key
        assert column in writer.read_back(change, key).stored
        assert writer.current(table, "sys_id", [key], [column])[key][column]

    def test_a_field_that_is_not_stored_is_not_in_the_receipt(
        self, target: Target, writer: Writer
    ) -> None:
        """Platforms drop what they do not know, and call it a success."""
        values = {**target.values, "u_vmo_no_such_field": "x"}
        change = change_of(target, "unknown field", values)
        try:
            key = writer.write(change)
        except WriteRefused:
            return
        assert "u_vmo_no_such_field" not in writer.read_back(change, key).stored

    def test_current_leaves_out_what_is_not_there(self, target: Target, writer: Writer) -> None:
        """An absent field is not an empty one, an absent record is none."""
        key = writer.write(change_of(target, "present"))
        name = next(iter(target.values))
        found = held(writer, target, ["present", "absent"], [name, "u_vmo_no_such_field"])
        assert list(found) == [key]
        assert found[key][name] == target.values[name]
        assert "u_vmo_no_such_field" not in found[key]
        assert held(writer, target, [], [name]) == {}

    def test_current_takes_many_keys(self, target: Target, writer: Writer) -> None:
        """As many as a plan has, with anything in them that a name may have."""
        need(target.match_field, "'match_field' in its target")
        odd = "Größe, Ort & 50% +1 = <x> | 'a' \"b\""
        keys = {writer.write(change_of(target, name)) for name in ("first", odd)}
        many = ["first", *(f"absent number {number}" for number in range(400)), odd]
        assert set(held(writer, target, many, ())) == keys

    def test_a_record_that_is_gone_is_refused(self, target: Target, writer: Writer) -> None:
        """Neither made anew nor believed."""
        change = Change(
            table=target.table, key=target.absent_key, match={}, values=dict(target.values)
        )
        for attempt in (writer.write, lambda each: writer.read_back(each, target.absent_key)):
            try:
                attempt(change)
            except WriteRefused:
                continue
            raise AssertionError("a write to a record that is not there was not refused")

    def test_a_new_record_without_a_key_of_ours_is_refused(
        self, target: Target, writer: Writer
    ) -> None:
        """It could never be found again."""
        change = Change(table=target.table, key=None, match={}, values=dict(target.values))
        try:
            writer.write(change)
        except WriteRefused:
            return
        raise AssertionError("a record without a key was made")


def held(
    writer: Writer, target: Target, names: Iterable[str], fields: Iterable[str]
) -> dict[str, dict[str, str]]:
    """What records of these names hold; where none is ours: the one there, or ``absent``."""
    if target.match_field is not None:
        return writer.current(target.table, target.match_field, [*names], [*fields])
    keys = [target.absent_key if name == "absent" else target.standing for name in names]
    return writer.current(target.table, "sys_id", keys, [*fields])


def provision(writer: Writer, target: Target) -> None:
    """Make everything that is missing and can be made from here."""
    for step in writer.provision_plan(target.tables):
        if step.over_rest:
            writer.provision(step)
