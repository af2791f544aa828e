"""The contract of records: what a raw one becomes, and what of a person is left in it."""

# ruff: noqa: S101 - a conformance suite is made of asserts

from __future__ import annotations

import copy
from collections import Counter
from datetime import datetime

import msgspec

from vmo_bridge.connectors.contract import Connector
from vmo_bridge.records import Record
from vmo_bridge.testing.source import (
    PEOPLE,
    Source,
    Suite,
    all_records,
    is_utc,
    masked,
    need,
    rows_of,
)

_TEXT = 'naïve — 日本語 🧯 \u200b "quoted" <b>&amp;</b> \\n \t Ω' + "long " * 8_000
"""Harmless to a human, and 40,000 characters of trouble for anything that assumes."""


class RecordsContract(Suite):
    """What normalising has to do."""

    def test_normalise_is_pure(self, source: Source, connector: Connector) -> None:
        """Same in, same out; the raw record stays as it is; the source is not asked."""
        read = [(each, rows_of(connector, each)) for each in source.chosen(connector)]
        connector.close()
        for stream, rows in read:
            for row in (masked(stream, each) for each in rows):
                kept = copy.deepcopy(dict(row))
                once = list(connector.normalise(stream.name, row))
                assert dict(row) == kept, f"{stream.name}: normalise changes the raw record"
                again = list(connector.normalise(stream.name, row))
                assert once == again, f"{stream.name}: normalise is not deterministic"

    def test_records_are_frozen_whole_and_named(self, source: Source, connector: Connector) -> None:
        """Kinds as declared, aware UTC times, ids that can be read, the source's own name."""
        name = connector.name
        for stream in source.chosen(connector):
            for record in all_records(connector, stream):
                assert record.kind in stream.kinds, f"{stream.name} does not declare {record.kind}"
                assert record.__struct_config__.frozen, f"{record.id} is not frozen"
                assert record.source == name, f"{record.id}: source is {record.source!r}"
                assert record.ref.startswith(f"{name}/"), f"{record.ref!r} is not {name}/<key>"
                assert record.id.startswith(f"{name}:"), f"{record.id!r} is not {name}:<type>:…"
                for field, value in msgspec.structs.asdict(record).items():
                    if isinstance(value, datetime):
                        assert is_utc(value), f"{record.id}: {field} {value!r} is not aware UTC"
                assert _keeps_its_types(record), f"{record.id} has a field of the wrong type"

    def test_refs_and_ids_are_unique(self, source: Source, connector: Connector) -> None:
        """Two records of one ref would overwrite each other in the store."""
        records = [
            each for stream in source.chosen(connector) for each in all_records(connector, stream)
        ]
        assert records, "nothing was read"
        for field in ("ref", "id"):
            names = Counter(getattr(each, field) for each in records)
            double = [each for each, n in names.items() if n > 1]
            assert not double, f"{field} {double[:3]} is not unique"

    def test_people_are_pseudonyms(self, source: Source, connector: Connector) -> None:
        """Of a masked record nothing leads back to the person."""
        for stream in source.chosen(connector):
            for row in rows_of(connector, stream):
                given = {field: row.get(field) for field in stream.person_fields}
                named = {field: value for field, value in given.items() if value}
                odd = [field for field, value in named.items() if not isinstance(value, str)]
                assert not odd, f"{stream.name}: {odd} name a person and are not plain text"
                if not named:
                    continue
                records = list(connector.normalise(stream.name, masked(stream, row)))
                text = msgspec.json.encode(records).decode()
                shown = [field for field, value in named.items() if f'/{value}"' in text]
                assert not shown, f"{stream.name}: {shown} of a masked record names the person"
                pseudonyms = [PEOPLE.pseudonym(value) for value in named.values()]
                assert not records or any(each in text for each in pseudonyms), (
                    f"{stream.name}: the pseudonym of {list(named)} is lost"
                )

    def test_any_text_survives(self, source: Source, connector: Connector) -> None:
        """Other scripts, emoji, quotes, mark-up, and very much of it."""
        need(source.insert, "'insert'")
        assert source.insert
        name, key = source.insert(_TEXT)
        (stream,) = (each for each in connector.streams if each.name == name)
        rows = [row for row in rows_of(connector, stream) if str(row[stream.key_field]) == key]
        assert rows, f"{name}: the record {key} was not read"
        records = list(connector.normalise(name, masked(stream, rows[0])))
        values = [value for each in records for value in msgspec.structs.asdict(each).values()]
        assert _TEXT in values, f"{name}: the text did not arrive as it was"


def _keeps_its_types(record: Record) -> bool:
    try:
        return msgspec.json.decode(msgspec.json.encode(record), type=type(record)) == record
    except msgspec.ValidationError:
        return False
