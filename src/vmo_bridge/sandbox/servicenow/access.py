"""Who may sign in to the instance and what they may read and write."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from vmo_bridge.sandbox.servicenow.dictionary import Dictionary

_ADMIN_ONLY_READ = ("asmt_",)
_ADMIN_ONLY_WRITE = (
    "sys_",
    "cmdb_",
    "cmn_",
    "core_",
    "asmt_",
    "metric_",
    "contract_sla",
    "sc_cat_",
)


@dataclass(frozen=True, slots=True)
class User:
    """A user of the interfaces; ``password`` and ``api_key`` are for this sandbox alone."""

    user_name: str
    password: str
    api_key: str
    roles: tuple[str, ...]
    time_zone: str

    @property
    def is_admin(self) -> bool:
        """Admins pass every access rule."""
        return "admin" in self.roles


@dataclass(frozen=True, slots=True)
class Credentials:
    """All users and the one OAuth client of an instance."""

    users: tuple[User, ...]
    client_id: str
    client_secret: str
    client_user: str = "vmo.bridge"

    def user(self, user_name: str) -> User | None:
        """A user by name."""
        return next((user for user in self.users if user.user_name == user_name), None)

    def as_json(self) -> dict[str, Any]:
        """The content of credentials.json."""
        users = {user.user_name: asdict(user) | {"roles": list(user.roles)} for user in self.users}
        for user in users.values():
            del user["user_name"]
        return {
            "users": users,
            "oauth": {
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "user": self.client_user,
            },
        }


def new_credentials() -> Credentials:
    """Fresh random secrets: they are never drawn from the seed, which is no secret."""

    def made(name: str, roles: tuple[str, ...], zone: str) -> User:
        return User(name, secrets.token_urlsafe(18), secrets.token_urlsafe(24), roles, zone)

    return Credentials(
        (
            made("admin", ("admin",), "America/New_York"),
            # Tables made over REST have no access rules, so only an admin can use them; a real
            # instance would give the integration a role of its own by an Update Set instead.
            made("vmo.bridge", ("admin",), "UTC"),
            made("vmo.reader", ("itil",), "America/Los_Angeles"),
        ),
        secrets.token_hex(16),
        secrets.token_urlsafe(24),
    )


def read_credentials(content: dict[str, Any]) -> Credentials:
    """The content of credentials.json as an object."""
    users = tuple(
        User(name, each["password"], each["api_key"], tuple(each["roles"]), each["time_zone"])
        for name, each in content["users"].items()
    )
    oauth = content["oauth"]
    return Credentials(users, oauth["client_id"], oauth["client_secret"], oauth["user"])


class Access:
    """The access rules of the instance for one user."""

    def __init__(self, dictionary: Dictionary, user: User) -> None:
        self._dictionary = dictionary
        self._user = user

    def may_read(self, table: str) -> bool:
        """Whether a rule lets the user read the table; refused with 403."""
        return self._user.is_admin or not table.startswith(_ADMIN_ONLY_READ)

    def has_rules(self, table: str) -> bool:
        """Tables without any rule show nothing to non-admins: 404, as if nothing were there."""
        tables, chain = self._dictionary.tables, self._dictionary.chain(table)
        return self._user.is_admin or any(tables[name].has_acl for name in chain)

    def sees_deletions(self, table: str) -> bool:
        """sys_audit_delete is empty, not forbidden, for users without a role for it."""
        return self._user.is_admin or table != "sys_audit_delete"

    def may_write(self, table: str) -> bool:
        """Whether the user may insert, update or delete rows of the table."""
        return self._user.is_admin or not table.startswith(_ADMIN_ONLY_WRITE)

    def unwritable(self, elements: Iterator[str] | list[str]) -> set[str]:
        """Elements whose values are dropped in silence: custom columns belong to admins."""
        if self._user.is_admin:
            return set()
        return {element for element in elements if element.startswith(("u_", "x_"))}
