"""So many Jira issues with their changelogs, on a Cloud and a Data Center address.

Issues are those of the sample agency over and over, each with an id, key, moment and history ids
of its own; two searches and the Cloud's changelogs answer for them as the sandbox would. Ids, keys
and moments (of making as of the last change) have one order, so what a query finds is a range.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

START = datetime(2024, 1, 1, tzinfo=UTC)
SECONDS_APART = 7
_FIRST_ID = 1_000_000
_MOMENT = re.compile(r'(?:updated|created) (>=|<) "([^"]+)"')
_NAMED = re.compile(r"(?:id|key) in \(([^)]*)\)")
_MOST = {"cloud": 100, "server": 1000}
_MOST_IDS = 5000
"""On the Cloud, of searches for nothing but ids."""
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
        self._cloud = cloud
        self._zone = zone
        self._template = cache(self._make_template)

    def by_offset(self, asked: Mapping[str, Any]) -> bytes:
        """Data Center's search."""
        found = self._found(str(asked["jql"]))
        start, size = int(asked.get("startAt") or 0), self._size(asked)
        head = f'"startAt":{start},"maxResults":{size},"total":{len(found)}'
        shown = self._shown(found[start : start + size], asked)
        return f'{{{head},"issues":[{shown}]}}'.encode()

    def by_token(self, asked: Mapping[str, Any]) -> bytes:
        """The Cloud's search; a token is the place of the next issue."""
        found = self._found(str(asked["jql"]))
        start = int(asked.get("nextPageToken") or 0)
        end = start + self._size(asked)
        last = end >= len(found)
        token = "" if last else f',"nextPageToken":"{end}"'
        shown = self._shown(found[start:end], asked)
        return f'{{"isLast":{str(last).lower()}{token},"issues":[{shown}]}}'.encode()

    def changelogs(self, asked: Mapping[str, Any]) -> bytes:
        """The Cloud's changelogs of a page of issues (all fields, in one answer)."""
        many = len(self._logs)
        shown = [
            self._filled(self._log(number % many), number)
            for number in (int(each) - _FIRST_ID for each in asked["issueIdsOrKeys"])
        ]
        return f'{{"issueChangeLogs":[{",".join(shown)}]}}'.encode()

    def count(self, asked: Mapping[str, Any]) -> bytes:
        """The Cloud's count."""
        return f'{{"count":{len(self._found(str(asked["jql"])))}}}'.encode()

    def _found(self, jql: str) -> Sequence[int]:
        """The numbers of the issues a query finds, in its order."""
        named = _NAMED.search(jql.removeprefix("project in "))
        if named:
            ours = (each.strip().removeprefix("HELP-") for each in named[1].split(","))
            named_ = sorted(int(each) - _FIRST_ID for each in ours if each.isdigit())
            return [each for each in named_ if 0 <= each < self._rows]
        first, end = 0, self._rows
        for sign, text in _MOMENT.findall(jql):
            moment = datetime.fromisoformat(text.replace("/", "-")).replace(tzinfo=self._zone)
            at = math.ceil((moment - START).total_seconds() / SECONDS_APART)
            first, end = (max(first, at), end) if sign == ">=" else (first, min(end, at))
        numbers = range(first, max(first, end))
        return numbers[::-1] if " DESC" in jql else numbers

    def _size(self, asked: Mapping[str, Any]) -> int:
        most = _MOST["cloud" if self._cloud else "server"]
        if self._cloud and set(_words(asked.get("fields"))) <= {"id", "key"}:
            most = _MOST_IDS
        return min(int(asked.get("maxResults", 50)), most)

    def _shown(self, numbers: Sequence[int], asked: Mapping[str, Any]) -> str:
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
        shown["fields"] |= dict.fromkeys({"created", "updated"} & {*shown["fields"]}, "\x01")
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
