"""Who may sign in to Jira: e-mail with API token (Cloud); user name or access token (server)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Account:
    """One account; JQL dates are read in ``time_zone``. ``may_edit`` also allows properties.

    ``token`` is the password of the user name on Data Center.
    """

    email: str
    name: str
    token: str
    pat: str
    time_zone: str
    may_edit: bool

    @property
    def user_name(self) -> str:
        """What comes before the at sign."""
        return self.email.partition("@")[0]


def new_accounts() -> dict[str, Any]:
    """Fresh accounts as credentials.json keeps them; no secret is drawn from the seed."""
    made = (
        ("vmo.bridge", "VMO Bridge", "America/New_York", True),
        ("admin", "System Administrator", "UTC", True),
        ("vmo.reader", "VMO Reader", "Asia/Tokyo", False),
    )
    accounts = [
        Account(
            f"{user}@meridian.example", name, secrets.token_urlsafe(24), secrets.token_urlsafe(24),
            zone, may,
        )
        for user, name, zone, may in made
    ]  # fmt: skip
    return {"accounts": [asdict(account) for account in accounts]}


def read_accounts(content: Mapping[str, Any]) -> tuple[Account, ...]:
    """The accounts of credentials.json."""
    return tuple(Account(**each) for each in content["accounts"])


def account_id(user_name: str) -> str:
    """The Cloud's opaque id of a user."""
    digest = hashlib.md5(user_name.encode(), usedforsecurity=False).hexdigest()
    return f"557058:{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def signed_in(accounts: tuple[Account, ...], authorization: str, *, cloud: bool) -> Account | None:
    """Who sends this header; None for nobody."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, token = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return next((a for a in accounts if _named(a, name, cloud) and _same(a.token, token)), None)
    if not cloud and scheme.lower() == "bearer":
        return next((each for each in accounts if _same(each.pat, value.strip())), None)
    return None


def _named(account: Account, name: str, cloud: bool) -> bool:
    return name == (account.email if cloud else account.user_name)


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())
