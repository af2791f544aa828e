"""Notices what became different over there since we last looked, and tells it once.

Fields that are renamed, retyped or gone, new statuses and values, words that nobody mapped: the
read is whole all the same, but what it means may have changed without anybody's intention.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any

from vmo_bridge.plugin import RawRecord
from vmo_bridge_jira.settings import JiraSettings
from vmo_bridge_jira.site import JiraField, Site, named_roles
from vmo_bridge_jira.words import words_of

_MOST_VALUES = 500
"""A field with more values than these is no selection; its new ones are told no more."""
_SHOWN = 10


class Drift:
    """Compares a site with what the memory of its source holds; safe in several threads."""

    def __init__(self, name: str, settings: JiraSettings) -> None:
        self.memory: MutableMapping[str, str] = {}
        self._name = name
        self._words = words_of(settings)
        self._wanted = {
            key: str(value) for key, value in settings.model_dump().items() if key.endswith("field")
        }
        self._lock = threading.Lock()
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> list[str]:
        """What there is to tell since the last ``begin``."""
        with self._lock:
            return list(self._notes)

    def begin(self) -> None:
        """Forget what was told."""
        with self._lock:
            self._notes.clear()

    def tell(self, note: str) -> None:
        """Something else to tell of this read."""
        with self._lock:
            self._tell(note)

    def known_ids(self) -> dict[str, str]:
        """Setting to the id its field had, as long as the setting says the same as then."""
        return {
            setting: each["id"]
            for setting, each in self._load("fields").items()
            if each.get("wanted") == self._wanted.get(setting)
        }

    def look(self, site: Site) -> None:
        """Compare fields and statuses with those of the last time, and remember these."""
        with self._lock:
            self._look_at_fields(site)
            self._look_at_statuses(site.statuses)

    def read(self, records: Iterable[RawRecord], *, first: bool) -> None:
        """Look for words that nobody mapped and values never met; on a ``first`` read all are."""
        rows = list(records)
        with self._lock:
            self._look_at_words(rows)
            for field in ("service", "team"):
                self._look_at_values(field, rows, first=first)

    # -- fields and statuses -----------------------------------------------------------------

    def _look_at_fields(self, site: Site) -> None:
        there = {each.id: each for each in site.fields}
        now = {role: _entry(each, self._wanted.get(role)) for role, each in named_roles(site)}
        for role, before in self._load("fields").items():
            self._compare(role, before, now.get(role), there.get(before["id"]))
        self._save("fields", now)

    def _compare(
        self,
        role: str,
        before: Mapping[str, Any],
        now: Mapping[str, Any] | None,
        same: JiraField | None,
    ) -> None:
        """One field: ``now`` what has its role, ``same`` what has its id."""
        was = f"the field {before['name']!r} ({before['id']}, for {role})"
        if now is None and before.get("wanted") != self._wanted.get(role):
            return  # the admin asks for another one, or for none
        if same is None:
            self._tell(f"{was} is gone, or hidden from our user" + _instead(now))
        elif now is None or now["id"] != before["id"]:
            self._tell(f"{was} is called {same.name!r} now, and no longer read{_instead(now)}")
        else:
            if same.name != before["name"]:
                self._tell(f"{was} is called {same.name!r} now; it is still read, by its id")
            if same.type != before["type"]:
                self._tell(f"{was} holds {same.type!r} now, not {before['type']!r} as before")

    def _look_at_statuses(self, statuses: Mapping[str, str]) -> None:
        before = self._load("statuses")
        self._save("statuses", dict(sorted(statuses.items())))
        if not before:
            return
        new = [name for name in statuses if name not in before]
        if new:
            counts = [f"{name!r} counts as {self._state(name, statuses[name])}" for name in new]
            self._tell(f"new statuses: {_some(counts)}; connectors.{self._name}.states changes it")
        for name, category in statuses.items():
            if name in before and before[name] != category:
                self._tell(
                    f"the status {name!r} counts as {self._state(name, category)} now, "
                    f"not as {self._state(name, before[name])}"
                )

    def _state(self, status: str, category: str) -> str:
        return self._words.state("task", status, category)

    # -- words and values --------------------------------------------------------------------

    def _look_at_words(self, rows: Sequence[RawRecord]) -> None:
        words = self._words
        types = {t for row in rows if isinstance(t := row.get("type"), str) and t}
        priorities = {p for row in rows if isinstance(p := row.get("priority"), str) and p}
        unknown = {f"issue type {t!r} counts as task; types" for t in types if not words.knows(t)}
        unknown |= {
            f"priority {p!r} counts as none; priorities"
            for p in priorities
            if words.priority(p) is None
        }
        told: list[str] = self._load("words").get("told", [])
        new = sorted(unknown - set(told))
        for each in new[: max(_MOST_VALUES - len(told), 0)]:
            self._tell(f"{each} under connectors.{self._name} changes it")
            told = [*told, each]
        if new:
            self._save("words", {"told": told})

    def _look_at_values(self, field: str, rows: Sequence[RawRecord], *, first: bool) -> None:
        kept: list[str] = self._load("values").get(field, [])
        met = {v for row in rows if isinstance(v := row.get(field), str) and v}
        new = sorted(met - set(kept))
        if not new or len(kept) >= _MOST_VALUES:
            return
        if not first:
            self._tell(f"new values of {field}_field: {_some([repr(each) for each in new])}")
        self._save("values", {**self._load("values"), field: sorted([*kept, *new])})

    # -- memory ------------------------------------------------------------------------------

    def _tell(self, note: str) -> None:
        self._notes[note] = None

    def _load(self, key: str) -> dict[str, Any]:
        try:
            found = json.loads(self.memory.get(f"drift.{key}", "{}"))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _save(self, key: str, content: Mapping[str, Any]) -> None:
        text = json.dumps(content, ensure_ascii=False)
        if self.memory.get(f"drift.{key}") != text:
            self.memory[f"drift.{key}"] = text


def _entry(field: JiraField, wanted: str | None) -> dict[str, str | None]:
    return {"id": field.id, "name": field.name, "type": field.type, "wanted": wanted}


def _instead(now: Mapping[str, Any] | None) -> str:
    return f"; {now['name']!r} ({now['id']}) is read instead" if now else "; its values stay empty"


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - _SHOWN
    return ", ".join(texts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
