"""Which surveys there are, which of them are read, and which have moved since they were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from vmo_bridge.plugin import AccessError, SourceError
from vmo_bridge_surveymonkey.client import Client, Gone
from vmo_bridge_surveymonkey.settings import SurveyMonkeySettings

_MOST = 1000
"""Surveys a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A survey as the list tells it."""

    id: str
    title: str
    responses: int
    modified: str

    @property
    def print(self) -> str:
        """What differs when something of it moved."""
        return f"{self.responses}|{self.modified}"


class Surveys:
    """The chosen surveys of an account; asked for once, and told from then on."""

    def __init__(self, client: Client, settings: SurveyMonkeySettings) -> None:
        self._client = client
        self._settings = settings
        self._listed: list[Listed] | None = None
        self._details: dict[str, Mapping[str, Any]] = {}
        self._refused: dict[str, Gone | AccessError] = {}

    def forget(self) -> None:
        """Ask anew: a run begins."""
        self._listed = None
        self._details = {}
        self._refused = {}

    def chosen(self) -> list[Listed]:
        """Those that the configuration asks for; a name that fits none is refused.

        Nothing is read then: a survey that was renamed must not vanish without a word.
        """
        if self._listed is None:
            listed = self._list()
            wanted, unwanted = self._settings.surveys, self._settings.leave_out
            for key, names in (("surveys", wanted), ("leave_out", unwanted)):
                self._refuse_unknown(key, names, listed)
            self._listed = [
                each
                for each in listed
                if (not wanted or {each.id, each.title} & {*wanted})
                and not {each.id, each.title} & {*unwanted}
            ]
        return self._listed

    def details(self, survey: str) -> Mapping[str, Any]:
        """The survey with its questions; raises ``Gone`` or ``AccessError``, asked for or not.

        Both streams need it: what is refused to the first costs the second no call.
        """
        if survey in self._refused:
            raise self._refused[survey]
        if survey not in self._details:
            try:
                self._details[survey] = self._client.get(f"/v3/surveys/{survey}/details")
            except (Gone, AccessError) as error:
                self._refused[survey] = error
                raise
        return self._details[survey]

    def _list(self) -> list[Listed]:
        found: list[Listed] = []
        page = 1
        while True:
            content = self._client.get(
                "/v3/surveys",
                {
                    "include": "response_count,date_modified",
                    "page": str(page),
                    "per_page": str(_MOST),
                },
            )
            found += [self._read(each) for each in self._rows(content)]
            links = content.get("links")
            if not (isinstance(links, dict) and links.get("next")):
                return list({each.id: each for each in found}.values())
            page += 1

    def _rows(self, content: Mapping[str, Any]) -> Sequence[Any]:
        rows = content.get("data")
        if not isinstance(rows, list):
            raise SourceError(
                f"{self._client.name}: /v3/surveys: the answer has no list of surveys"
            )
        return rows

    def _read(self, row: Any) -> Listed:
        try:
            return Listed(
                id=str(row["id"]),
                title=str(row.get("title") or row["id"]),
                responses=int(row.get("response_count") or 0),
                modified=str(row.get("date_modified") or ""),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SourceError(
                f"{self._client.name}: /v3/surveys: a survey without an id or a count"
            ) from error

    def _refuse_unknown(self, key: str, names: Sequence[str], listed: Sequence[Listed]) -> None:
        known = {name for each in listed for name in (each.id, each.title)}
        source = self._client.name
        for name in names:
            if name not in known:
                near = get_close_matches(name, sorted(known), n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {len(listed)} surveys"
                told = f"connectors.{source}.{key}: the account has no survey {name!r}"
                raise SourceError(f"{source}: {told}; {hint}")
