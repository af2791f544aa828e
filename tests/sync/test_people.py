"""People become pseudonyms at the door; whoever steals the store finds nobody in it."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.connectors.contract import Stream
from vmo_bridge.errors import ConfigError, PluginError, SecretMissing
from vmo_bridge.settings import Settings
from vmo_bridge.store import Store
from vmo_bridge.sync import Care, sync_source
from vmo_bridge.sync.people import People, load_people
from vmo_bridge.watch import Watch

Configure = Callable[..., Settings]
STREAM = Stream(
    name="people",
    kinds=("person",),
    key_field="key",
    person_fields=("key", "boss"),
    private_fields=("name", "email"),
)


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    with Store(settings.store_path, owner="test") as store:
        yield store


def fill(settings: Settings, platform: Any, fakes: SimpleNamespace) -> None:
    with opened(settings) as store:
        outcomes = sync_source(
            fakes.Connector(platform),
            store,
            load_people(settings, store),
            1,
            care=Care(overlap=timedelta()),
            watch=Watch(),
        )
        assert not any(each.problem for each in outcomes)


def everything_in(settings: Settings) -> bytes:
    """Every byte of the store and its journals, and every raw page unpacked."""
    files = settings.store_path.parent.glob(f"{settings.store_path.name}*")
    found = [file.read_bytes() for file in files]
    with Store(settings.store_path) as store:
        pages = store._db.execute("select content from raw_page").fetchall()
        found += [zstandard.decompress(blob) for (blob,) in pages]
        journal = settings.store_path.with_name(settings.store_path.name + "-wal")
        found += [journal.read_bytes()] if journal.exists() else []
    assert len(pages) > 0
    return b"\n".join(found)


def put_alice(platform: Any) -> None:
    platform.put("groups", "fin", title="Finance")
    platform.put("people", "alice.id", name="Alice Doe", email="alice@x.invalid", group="fin")
    platform.ticket("1", requester="alice.id", title="Printer")
    platform.survey("s", "1", {"q": 4}, person="alice.id")


def test_nothing_in_the_store_names_a_person(
    configure: Configure, platform: Any, fakes: SimpleNamespace
) -> None:
    settings = configure("")
    put_alice(platform)
    fill(settings, platform, fakes)
    kept = everything_in(settings)
    for secret in (b"alice", b"Alice", b"Doe", b"x.invalid"):
        assert secret not in kept
    assert b"Finance" in kept
    assert b"Printer" in kept


def test_a_person_keeps_one_pseudonym_through_all_records(
    configure: Configure, platform: Any, fakes: SimpleNamespace
) -> None:
    settings = configure("")
    put_alice(platform)
    fill(settings, platform, fakes)
    platform.ticket("2", requester="alice.id")
    fill(settings, platform, fakes)
    with opened(settings) as store:
        (person,) = store.versions.all("person")
        refs = {row["requester_ref"] for row in store.versions.all("ticket")}
        (feedback,) = store.versions.all("feedback")
    assert refs == {person["ref"]} == {feedback["person_ref"]}
    assert person["name"] is None


def test_names_are_kept_only_where_that_is_allowed(
    configure: Configure, platform: Any, fakes: SimpleNamespace
) -> None:
    settings = configure("[people]\nnames = true")
    put_alice(platform)
    fill(settings, platform, fakes)
    with opened(settings) as store:
        (person,) = store.versions.all("person")
    assert person["name"] == "Alice Doe"
    assert b"alice.id" not in everything_in(settings), "the key stays a pseudonym"


def test_a_new_store_gets_a_key_that_only_its_owner_reads_and_keeps_it(
    configure: Configure, tmp_path: Path
) -> None:
    settings = configure("[people]\nkey = { file = 'keys/people.key' }")
    key = tmp_path / "keys" / "people.key"
    with opened(settings) as store:
        first = load_people(settings, store)
        made = key.read_text()
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert len(made) == 64
        again = load_people(settings, store)
    assert key.read_text() == made
    assert first.pseudonym("alice") == again.pseudonym("alice")
    assert made not in everything(settings)


def everything(settings: Settings) -> str:
    return settings.store_path.read_bytes().decode("latin-1")


def test_a_missing_key_of_a_filled_store_is_an_error_and_no_new_key(
    configure: Configure, tmp_path: Path
) -> None:
    settings = configure("")
    with opened(settings) as store:
        load_people(settings, store)
        (tmp_path / "people.key").unlink()
        with pytest.raises(ConfigError, match=r"people\.key is gone; restore it from your backup"):
            load_people(settings, store)
    assert not (tmp_path / "people.key").exists()


def test_another_key_than_the_stores_is_refused(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = configure("[people]\nkey = { env = 'PEOPLE' }")
    with opened(settings) as store:
        with pytest.raises(SecretMissing, match="environment variable PEOPLE"):
            load_people(settings, store)
        monkeypatch.setenv("PEOPLE", "one")
        load_people(settings, store)
        monkeypatch.setenv("PEOPLE", "two")
        with pytest.raises(ConfigError, match=r"people\.key: this is not the key") as caught:
            load_people(settings, store)
        assert "two" not in str(caught.value)
        monkeypatch.setenv("PEOPLE", "one")
        load_people(settings, store)


@given(st.text(min_size=1), st.text(min_size=1))
def test_pseudonyms_tell_people_apart_and_depend_on_the_key(one: str, two: str) -> None:
    people, others = People(b"key", names=False), People(b"other", names=False)
    assert people.pseudonym(one) == People(b"key", names=False).pseudonym(one)
    assert (people.pseudonym(one) == people.pseudonym(two)) == (one == two)
    assert people.pseudonym(one) != others.pseudonym(one)
    assert people.pseudonym(one).startswith("p")
    assert len(people.pseudonym(one)) == 21


def test_a_person_that_is_not_named_stays_so() -> None:
    people = People(b"key", names=False)
    record = {"key": "alice", "boss": None, "name": "A", "title": "x"}
    assert people.mask(STREAM, record) == {
        "key": people.pseudonym("alice"),
        "boss": None,
        "title": "x",
    }
    assert people.mask(STREAM, {"boss": ""}) == {"boss": ""}
    assert record["key"] == "alice", "the given record is left as it is"


def test_a_number_that_names_a_person_is_masked_too() -> None:
    people = People(b"key", names=False)
    assert people.mask(STREAM, {"key": 4711}) == {"key": people.pseudonym("4711")}


@pytest.mark.parametrize("value", [{"id": "alice"}, ["alice"]])
def test_what_cannot_be_masked_is_not_let_through(value: object) -> None:
    with pytest.raises(PluginError, match="key names a person and is no plain value") as caught:
        People(b"key", names=False).mask(STREAM, {"key": value})
    assert "alice" not in str(caught.value)
