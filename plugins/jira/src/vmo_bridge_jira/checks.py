"""Everything that can be found wrong before anything is read or written, a row each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from vmo_bridge.plugin import (
    AccessError,
    CheckRow,
    ConfigError,
    RetryLater,
    SignInError,
    SourceError,
)
from vmo_bridge_jira import moments, site
from vmo_bridge_jira.search import Search
from vmo_bridge_jira.settings import JiraSettings
from vmo_bridge_jira.site import JiraField

if TYPE_CHECKING:
    from vmo_bridge_jira.library import Library

Told = tuple[Literal["ok", "warning", "failed"], str]


class Checks:
    """Looks at one site, step by step; what a row can say is never raised."""

    def __init__(
        self,
        name: str,
        library: Library,
        settings: JiraSettings,
        *,
        search: Callable[[bool], Search],
        scope: str,
    ) -> None:
        self._name = name
        self._library = library
        self._settings = settings
        self._search = search
        self._scope = scope
        self._cloud = False
        self._fields: Sequence[JiraField] = ()
        self._issue = ""

    def rows(self) -> Iterator[CheckRow]:
        """One row for each thing; a site that is away, or refuses us, is asked nothing more."""
        for what, step in self._steps():
            try:
                state, detail = step()
            except (RetryLater, SignInError) as error:
                yield CheckRow(what=what, state="failed", detail=str(error))
                return
            except (AccessError, SourceError) as error:
                state, detail = "failed", str(error)
            yield CheckRow(what=what, state=state, detail=detail)

    def _steps(self) -> Iterator[tuple[str, Callable[[], Told]]]:
        yield "site", self._look_at_site
        yield "user", self._look_at_user
        for key in self._settings.projects:
            yield f"project {key}", partial(self._look_at_project, key)
        yield "fields", self._look_at_fields
        for setting, wanted in site.configured_fields(self._settings):
            yield setting, partial(self._look_at_field, setting, wanted)
        yield "issues", self._look_at_issues
        for fact, wanted in self._settings.value_fields.items():
            yield f"writing {fact}", partial(self._look_at_screen, f"value_fields.{fact}", wanted)

    def _look_at_site(self) -> Told:
        info = site.server_info(self._library, self._name)
        self._cloud = site.is_cloud(info, self._settings)
        spoken, found = "Cloud" if self._cloud else "Data Center", info.get("deploymentType")
        told = f"spoken to as {spoken}; it is {found} {info.get('version', '')}"
        return "ok" if self._cloud == (found == "Cloud") else "warning", told

    def _look_at_user(self) -> Told:
        zone = site.zone_name(self._library, self._name)
        if moments.zone(zone) is None:
            return "warning", (
                f"the user's time zone {zone!r:.40} is not known here; "
                "each read begins half a day too early"
            )
        return "ok", f"signed in; dates in queries are read in {zone}"

    def _look_at_project(self, key: str) -> Told:
        return "ok", site.see_project(self._library, key, self._name)

    def _look_at_fields(self) -> Told:
        self._fields = site.read_fields(self._library, self._name)
        return "ok", f"{len(self._fields)} fields"

    def _look_at_field(self, setting: str, wanted: str) -> Told:
        try:
            return "ok", site.find_field(self._fields, wanted, f"connectors.{self._name}.{setting}")
        except ConfigError as error:
            return "failed", str(error)

    def _look_at_issues(self) -> Told:
        jql = f"{self._scope} ORDER BY updated DESC"
        found = self._search(self._cloud).page(jql, ["updated"], 1, None)
        if not found.issues:
            return "warning", "none is found; is that right, or are they hidden from the user?"
        self._issue = str(found.issues[0].key)
        return "ok", "there are some" if found.total is None else f"{found.total} issues"

    def _look_at_screen(self, setting: str, wanted: str) -> Told:
        """Whether the newest issue can be edited there; others may have another screen."""
        state, found = self._look_at_field(setting, wanted)
        if state == "failed":
            return state, found
        if not self._issue:
            return "warning", "there is no issue to look at"
        editable = self._library.editmeta(self._issue).get("fields") or {}
        if found in editable:
            return "ok", f"{found} can be edited"
        return "warning", (
            f"{found} is not on the edit screen of {self._issue}; an admin of Jira puts it there, "
            "or else a write is refused"
        )
