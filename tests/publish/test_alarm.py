"""While an alarm stands nothing is written, whatever there would be to write."""

from __future__ import annotations

from typing import Any


def test_nothing_is_written_or_queued_while_an_alarm_stands(desk: Any, result: Any) -> None:
    desk.store.findings.save_kpis(1, [result()], keep=set())
    stream = desk.store.marks.streams()[0]
    with desk.store.transaction():
        desk.store.certificates.raise_alarm(stream.id, "500 records fell to 3")
    outcome = desk.apply()
    assert outcome.blocked == (f"desk:{stream.name}: 500 records fell to 3",)
    assert outcome.counts()["create"] + outcome.counts()["change"] > 0
    assert outcome.delivery is None
    assert desk.platform.written == []
    assert desk.store.outbox.counts() == {}
    with desk.store.transaction():
        desk.store.certificates.raise_alarm(stream.id, None)
    outcome = desk.apply()
    assert outcome.blocked == ()
    assert desk.platform.written
