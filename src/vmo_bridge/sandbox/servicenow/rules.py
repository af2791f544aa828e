"""The access rules that sys_security_acl holds: who may do what with a table or a field."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Rules:
    """(table or ``table.field``, operation) to the roles of each rule for it; no role: anybody."""

    roles: Mapping[tuple[str, str], list[frozenset[str]]] = field(default_factory=dict)

    @classmethod
    def read(
        cls,
        rules: Iterable[Mapping[str, str]],
        links: Iterable[Mapping[str, str]],
        roles: Iterable[Mapping[str, str]],
    ) -> Self:
        """From rows of sys_security_acl, sys_security_acl_role and sys_user_role."""
        names = {row["sys_id"]: row["name"] for row in roles}
        asked: dict[str, set[str]] = {}
        for row in links:
            asked.setdefault(row["sys_security_acl"], set()).add(
                names.get(row["sys_user_role"], "")
            )
        found: dict[tuple[str, str], list[frozenset[str]]] = {}
        for row in rules:
            if row["active"] == "true":
                wanted = frozenset(asked.get(row["sys_id"], ()))
                found.setdefault((row["name"], row["operation"]), []).append(wanted)
        return cls(found)

    def allow(self, name: str, operation: str, roles: Collection[str]) -> bool | None:
        """Whether one of the rules lets these roles through; None where there is no rule."""
        rules = self.roles.get((name, operation))
        if rules is None:
            return None
        return any(not wanted or wanted & {*roles} for wanted in rules)
