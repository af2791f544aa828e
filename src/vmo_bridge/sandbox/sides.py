"""Jira and SurveyMonkey beside the ServiceNow instance: making, mounting, handles for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vmo_bridge.sandbox.agency.model import Agency
from vmo_bridge.sandbox.jira import gateway as jira
from vmo_bridge.sandbox.jira import seed as jira_seed
from vmo_bridge.sandbox.jira.accounts import Account, new_accounts, read_accounts
from vmo_bridge.sandbox.jira.store import JiraStore
from vmo_bridge.sandbox.servicenow.faults import Faults
from vmo_bridge.sandbox.servicenow.instance import Instance
from vmo_bridge.sandbox.servicenow.replies import Reply, Request
from vmo_bridge.sandbox.surveymonkey import gateway as surveys
from vmo_bridge.sandbox.surveymonkey import seed as survey_seed
from vmo_bridge.sandbox.surveymonkey.store import SurveyStore

Mount = tuple[str, Callable[[Request], Reply]]


def fill(instance: Instance, agency: Agency) -> None:
    """Put the agency's development and surveys into the sandbox's file."""
    jira_seed.fill(JiraStore(instance), agency)
    survey_seed.fill(SurveyStore(instance), agency)


def new_secrets() -> dict[str, Any]:
    """What the two add to credentials.json."""
    return {"jira": new_accounts(), "surveymonkey": surveys.new_token()}


class JiraSide:
    """The Jira of a running sandbox; ``url`` is the Cloud, ``server_url`` Data Center.

    ``root`` tells the address of the sandbox; ``store`` reads and loads past the interfaces.
    """

    def __init__(
        self, store: JiraStore, accounts: tuple[Account, ...], root: Callable[[], str]
    ) -> None:
        self.store = store
        self.accounts = accounts
        self._root = root

    @property
    def url(self) -> str:
        """Address of the Cloud site."""
        return self._root() + jira.CLOUD

    @property
    def server_url(self) -> str:
        """Address of the Data Center site: the same issues."""
        return self._root() + jira.SERVER

    def account(self, name: str = "vmo.bridge") -> Account:
        """An account by the name before the at sign."""
        return next(each for each in self.accounts if each.user_name == name)

    def auth(self, name: str = "vmo.bridge") -> tuple[str, str]:
        """E-mail and API token for the Cloud."""
        account = self.account(name)
        return account.email, account.token

    def pat(self, name: str = "vmo.bridge") -> str:
        """Personal access token for Data Center."""
        return self.account(name).pat


class SurveySide:
    """The SurveyMonkey of a running sandbox: base address, token, and the store behind it."""

    def __init__(self, store: SurveyStore, token: str, root: Callable[[], str]) -> None:
        self.store = store
        self.token = token
        self._root = root

    @property
    def url(self) -> str:
        """Base address; paths under it begin with ``/v3``."""
        return self._root() + surveys.PREFIX


class Sides:
    """Both, if ``content`` of credentials.json knows them: older directories do not."""

    def __init__(
        self,
        instance: Instance,
        content: Mapping[str, Any],
        faults: Faults,
        root: Callable[[], str],
    ) -> None:
        self.jira: JiraSide | None = None
        self.surveymonkey: SurveySide | None = None
        self.mounts: list[Mount] = []
        if "jira" in content:
            store, accounts = JiraStore(instance), read_accounts(content["jira"])
            store.make_room()
            self.jira = JiraSide(store, accounts, root)
            for prefix, cloud in ((jira.CLOUD, True), (jira.SERVER, False)):
                gateway = jira.JiraGateway(store, accounts, faults, cloud=cloud)
                self.mounts.append((prefix, gateway.answer))
        if "surveymonkey" in content:
            kept, token = SurveyStore(instance), content["surveymonkey"]["access_token"]
            self.surveymonkey = SurveySide(kept, token, root)
            answer = surveys.SurveyGateway(kept, token, faults).answer
            self.mounts.append((surveys.PREFIX, answer))
