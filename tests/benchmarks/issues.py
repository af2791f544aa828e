"""So many Jira issues with their changelogs, on a Cloud and a Data Center address.

Issues are those of the sample agency over and over, each with an id, key, moment and history ids
of its own; two searches and the Cloud's changelogs answer for them as the sandbox would.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

START = datetime(2024, 1, 1, tzinfo=UTC)
SECONDS_APART = 7
_FIRST_ID = 1_000_000
_SINCE = re.compile(r'updated >= "([^"]+)"')
_ASCENDING = re.compile(r"ORDER BY updated ASC(, key ASC)?", re.IGNORECASE)
_MOST = {"cloud": 100, "server": 1000}
_OWN = "\x00"
"""In a template: where the issue's number belongs."""

Model = Mapping[str, Any]


class Issues:
    """The issues of one deployment: ``models`` are what the sandbox shows of its own."""

    def __init__(
        self,
        models: Sequence[Model],
        logs: Sequence[Model],
        rows: int,
        *,
        cloud: bool,
        zone: ZoneInfo,
    ) -> None:
        self._models = models
        self._logs = logs
        self._rows = rows
        self._most = _MOST["cloud" if cloud else "server"]
        self._zone = zone
        self._template = cache(self._make_template)

    def by_offset(self, asked: Mapping[str, Any]) -> bytes:
        """Data Center's search."""
        first = self._first(asked)
        start, size = int(asked.get("startAt") or 0), self._size(asked)
        numbers = range(min(first + start, self._rows), min(first + start + size, self._rows))
        head = f'"startAt":{start},"maxResults":{size},"total":{self._rows - first}'
        return f'{{{head},"issues":[{self._shown(numbers, asked)}]}}'.encode()

    def by_token(self, asked: Mapping[str, Any]) -> bytes:
        """The Cloud's search; a token is the number of the next issue."""
        first = int(asked.get("nextPageToken") or self._first(asked))
        end = min(first + self._size(asked), self._rows)
        last = end >= self._rows
        token = "" if last else f',"nextPageToken":"{end}"'
        shown = self._shown(range(first, end), asked)
        return f'{{"isLast":{str(last).lower()}{token},"issues":[{shown}]}}'.encode()

    def changelogs(self, asked: Mapping[str, Any]) -> bytes:
        """The Cloud's changelogs of a page of issues (all fields, in one answer)."""
        many = len(self._logs)
        shown = [
            self._filled(self._log(number % many), number)
            for number in (int(each) - _FIRST_ID for each in asked["issueIdsOrKeys"])
        ]
        return f'{{"issueChangeLogs":[{",".join(shown)}]}}'.encode()

    def count(self) -> bytes:
        """The Cloud's count."""
        return f'{{"count":{self._rows}}}'.encode()

    def _first(self, asked: Mapping[str, Any]) -> int:
        jql = str(asked["jql"])
        if not _ASCENDING.search(jql) and self._size(asked):
            raise ValueError(f"the bench does not serve {jql!r}")
        since = _SINCE.search(jql)
        if since is None:
            return 0
        moment = datetime.fromisoformat(since[1].replace("/", "-"))
        passed = (moment.replace(tzinfo=self._zone) - START).total_seconds()
        return min(max(0, -int(-passed // SECONDS_APART)), self._rows)

    def _size(self, asked: Mapping[str, Any]) -> int:
        return min(int(asked.get("maxResults", 50)), self._most)

    def _shown(self, numbers: range, asked: Mapping[str, Any]) -> str:
        fields, expand = _words(asked.get("fields")), _words(asked.get("expand"))
        many = len(self._models)
        return ",".join(
            self._filled(self._template(number % many, fields, "changelog" in expand), number)
            for number in numbers
        )

    def _filled(self, template: str, number: int) -> str:
        moment = START + timedelta(seconds=number * SECONDS_APART)
        return template.replace("\x01", f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000").replace(
            _OWN, str(_FIRST_ID + number)
        )

    def _make_template(self, model: int, fields: tuple[str, ...], changelog: bool) -> str:
        issue = self._models[model]
        every = not fields or "*all" in fields
        shown: dict[str, Any] = {
            "id": _OWN,
            "key": f"HELP-{_OWN}",
            "self": issue["self"].rpartition("/")[0] + f"/{_OWN}",
            "fields": {n: v for n, v in issue["fields"].items() if every or n in fields},
        }
        if "updated" in shown["fields"]:
            shown["fields"]["updated"] = "\x01"
        if changelog:
            shown["changelog"] = {
                **issue["changelog"], "histories": _renumbered(issue["changelog"]["histories"]),
            }  # fmt: skip
        return _text(shown)

    def _log(self, model: int) -> str:
        histories = _renumbered(self._logs[model]["changeHistories"])
        return _text({"issueId": _OWN, "changeHistories": histories})


def _renumbered(histories: Sequence[Model]) -> list[dict[str, Any]]:
    return [{**each, "id": f"{_OWN}{turn:03d}"} for turn, each in enumerate(histories)]


def _text(shown: Mapping[str, Any]) -> str:
    return json.dumps(shown).replace("\\u0000", _OWN).replace("\\u0001", "\x01")


def _words(given: Any) -> tuple[str, ...]:
    listed = given if isinstance(given, list) else [given or ""]
    return tuple(word for each in listed for word in str(each).split(",") if word)
