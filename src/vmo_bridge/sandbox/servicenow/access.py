"""Who may sign in to the instance and what they may read and write."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from typing import Any

from vmo_bridge.sandbox.servicenow.dictionary import Dictionary

_ADMIN_ONLY_READ = ("asmt_", "sys_security_acl")
_ELEVATED = ("sys_security_acl", "sys_security_acl_role")
"""Written by who has raised his rights in the browser: never over REST."""
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
            # Tables made over REST have no access rules, so only an admin can use them; an Update
            # Set brings rules, and the role by which vmo.writer then needs no other.
            made("vmo.bridge", ("admin",), "UTC"),
            made("vmo.writer", ("u_vmo_bridge_writer",), "UTC"),
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
        if self._user.is_admin:
            return True
        return self._allowed(table, "read") is not False and not table.startswith(_ADMIN_ONLY_READ)

    def has_rules(self, table: str) -> bool:
        """Tables without any rule show nothing to non-admins: 404, as if nothing were there."""
        tables, chain = self._dictionary.tables, self._dictionary.chain(table)
        return (
            self._user.is_admin
            or any(tables[name].has_acl for name in chain)
            or self._allowed(table, "read") is not None
        )

    def sees_deletions(self, table: str) -> bool:
        """sys_audit_delete is empty, not forbidden, for users without a role for it."""
        return self._user.is_admin or table != "sys_audit_delete"

    def may_write(self, table: str, operation: str = "write") -> bool:
        """Whether the user may ``write``, ``create`` or ``delete`` rows of the table."""
        if table in _ELEVATED:
            return False
        return self._may_all(table, operation) or (operation == "write" and self._some(table))

    def unwritable(self, table: str, operation: str) -> set[str]:
        """Elements whose values are dropped in silence.

        Custom columns belong to admins, and to who passes a rule for the column or for the whole
        of a table that was made by somebody.
        """
        if self._user.is_admin:
            return set()
        made = self._allowed(table, operation) is True and table.startswith(("u_", "x_"))
        others = made or self._may_all(table, operation)
        dropped = set()
        for element in self._dictionary.columns(table):
            allowed = self._allowed(f"{table}.{element}", "write")
            custom = element.startswith(("u_", "x_"))
            if not (others and (made or not custom) if allowed is None else allowed):
                dropped.add(element)
        return dropped

    def _may_all(self, table: str, operation: str) -> bool:
        allowed = self._allowed(table, operation)
        if self._user.is_admin or allowed is not None:
            return self._user.is_admin or bool(allowed)
        return "itil" in self._user.roles and not table.startswith(_ADMIN_ONLY_WRITE)

    def _some(self, table: str) -> bool:
        """Whether there is a field of the table that the user may write."""
        columns = self._dictionary.columns(table)
        return any(self._allowed(f"{table}.{element}", "write") for element in columns)

    def _allowed(self, name: str, operation: str) -> bool | None:
        return self._dictionary.rules.allow(name, operation, self._user.roles)
