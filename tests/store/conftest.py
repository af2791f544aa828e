"""Stores to open, and tickets to put into them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vmo_bridge.records import Ticket
from vmo_bridge.store import Store

NewTicket = Callable[..., Ticket]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vmo-bridge.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path, owner="vmo-bridge test") as store:
        yield store


@pytest.fixture
def digest() -> Callable[[Path], str]:
    return lambda path: hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="session")
def new_ticket() -> NewTicket:
    def made(key: str = "1", updated: int = 1000, **more: Any) -> Ticket:
        given: dict[str, Any] = {
            "ref": f"desk/{key}",
            "id": f"desk:incident:INC{key}",
            "source": "desk",
            "updated_at": updated,
            "type": "incident",
            "original_type": "incident",
            "number": f"INC{key}",
            "state": "new",
            "original_state": "1",
            "opened_at": 0,
        }
        given |= more
        for name in ("updated_at", "opened_at", "resolved_at", "closed_at"):
            if isinstance(given.get(name), int):
                given[name] = datetime.fromtimestamp(given[name], tz=UTC)
        return Ticket(**given)

    return made
