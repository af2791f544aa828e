"""The schema, as numbered steps; each runs once, in one transaction with its own record."""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.db import Table
from sqlite_utils.migrations import Migrations

from vmo_bridge.store.schema import KINDS, shape

migrations = Migrations("vmo_bridge")


def _table(db: Database, name: str) -> Table:
    table = db[name]
    assert isinstance(table, Table)  # noqa: S101 - tells the type checker it is no view
    return table


@migrations()
def m001_runs_and_facts(db: Database) -> None:
    """What was done when, and what the store knows about itself."""
    _table(db, "run").create(
        {
            "id": int,
            "stage": str,
            "state": str,
            "started_at": int,
            "ended_at": int,
            "as_of": int,
            "detail": str,
        },
        pk="id",
        not_null={"stage", "state", "started_at"},
    )
    _table(db, "fact").create({"name": str, "value": str}, pk="name", not_null={"value"})


@migrations()
def m002_raw_pages(db: Database) -> None:
    """Raw payloads with their lineage, the ledger of what we hold, and the quarantine."""
    _table(db, "stream").create(
        {
            "id": int,
            "source": str,
            "name": str,
            "kinds": str,
            "watermark": int,
            "complete_at": int,
            "expected": int,
            "problem": str,
            "problem_at": int,
        },
        pk="id",
        not_null={"source", "name", "kinds"},
    ).create_index(["source", "name"], unique=True)
    _table(db, "slice").create(
        {
            "id": int,
            "stream_id": int,
            "since": int,
            "until": int,
            "cursor": str,
            "newest": int,
            "resumed_from": int,
            "done": int,
        },
        pk="id",
        not_null={"stream_id", "done"},
    )
    _table(db, "raw_page").create(
        {"id": int, "stream_id": int, "run_id": int, "fetched_at": int, "content": bytes},
        pk="id",
        not_null={"stream_id", "fetched_at", "content"},
    )
    # WITHOUT ROWID: the ledger is only ever asked by its key, and this halves its size.
    db.execute(
        "create table ledger (stream_id integer not null, key text not null, hash blob not null, "
        "page integer not null, position integer not null, primary key (stream_id, key)"
        ") without rowid"
    )
    _table(db, "quarantine").create(
        {
            "stream_id": int,
            "key": str,
            "reason": str,
            "page": int,
            "position": int,
            "seen_at": int,
        },
        pk=("stream_id", "key"),
        not_null={"reason", "seen_at"},
    )


@migrations()
def m003_records(db: Database) -> None:
    """A table a kind for what is, and one for what was."""
    for kind in KINDS:
        db.execute(shape(kind).create_sql(kind, unique=True))
        db.execute(shape(kind).create_sql(f"{kind}_history", unique=False))
        _table(db, kind).create_index(["id"])
        _table(db, f"{kind}_history").create_index(["ref"])


@migrations()
def m004_findings(db: Database) -> None:
    """Signals with their life, and KPI results by window and scope."""
    _table(db, "signal").create(
        {
            "id": str,
            "rule": str,
            "state": str,
            "raised_at": int,
            "seen_at": int,
            "as_of": int,
            "run_id": int,
            "finding": str,
        },
        pk="id",
        not_null={"rule", "state", "raised_at", "seen_at", "as_of", "finding"},
    )
    _table(db, "kpi_result").create(
        {
            "id": str,
            "kpi": str,
            "window": str,
            "data_as_of": int,
            "run_id": int,
            "result": str,
        },
        pk="id",
        not_null={"kpi", "window", "data_as_of", "result"},
    ).create_index(["kpi", "window"])


@migrations()
def m005_outbox(db: Database) -> None:
    """What waits to be written back, and what the target stored."""
    _table(db, "outbox").create(
        {
            "id": int,
            "run_id": int,
            "target": str,
            "table": str,
            "key": str,
            "match": str,
            "values": str,
            "before": str,
            "state": str,
            "reason": str,
            "queued_at": int,
            "ended_at": int,
        },
        pk="id",
        not_null={"target", "table", "match", "values", "before", "state", "queued_at"},
    ).create_index(["state"])
    _table(db, "receipt").create(
        {
            "id": int,
            "outbox_id": int,
            "target": str,
            "table": str,
            "key": str,
            "stored": str,
            "verdict": str,
            "seen_at": int,
        },
        pk="id",
        not_null={"outbox_id", "target", "table", "key", "stored", "verdict", "seen_at"},
    ).create_index(["target", "table", "key"])


@migrations()
def m006_more_voices(db: Database) -> None:
    """Fields and kinds of record that older stores lack; what connectors remember."""
    for kind in KINDS:
        for name in (kind, f"{kind}_history"):
            if not db[name].exists():
                db.execute(shape(kind).create_sql(name, unique=name == kind))
                _table(db, name).create_index(["id" if name == kind else "ref"])
            for column in shape(kind).all_columns:
                if column not in db[name].columns_dict:
                    db.execute(f"alter table {name} add column {shape(kind).column_sql(column)}")
    # What was read before lacks the new fields: all is read again, and what is the same stays.
    db.execute("update stream set watermark = null")
    _table(db, "memory").create(
        {"source": str, "key": str, "value": str}, pk=("source", "key"), not_null={"value"}
    )


@migrations()
def m007_certificates(db: Database) -> None:
    """When raw records changed, which are gone, what a stream's certificate says."""
    db.execute("alter table ledger add column changed_at integer")
    db.execute("alter table ledger add column gone_at integer")
    for kind in KINDS:
        # Which records a raw record became; pages only grow, so the index is cheap to keep.
        _table(db, kind).create_index(["page"])
        # Only people look for a readable id, and a scan is fast enough for them.
        db.execute(f"drop index if exists idx_{kind}_id")
        # A record carries the moment of its raw record; of several the latest.
        db.execute(
            "update ledger set changed_at = max(coalesce(changed_at, 0), r.at) from ("
            f"select page, position, max(valid_from) as at from {kind} group by 1, 2) r "
            "where r.page = ledger.page and r.position = ledger.position"
        )
    _table(db, "tombstone").create(
        {
            "stream_id": int,
            "key": str,
            "ref": str,
            "state": str,
            "gone_at": int,
            "seen_at": int,
            "back_at": int,
            "proof": str,
        },
        not_null={"stream_id", "key", "state", "gone_at", "seen_at"},
    ).create_index(["stream_id", "key"])
    _table(db, "tombstone").create_index(["ref"])
    for column in ("swept_at", "hidden", "alarm_at", "accepted"):
        db.execute(f"alter table stream add column {column} integer")
    db.execute("alter table stream add column alarm text")
    db.execute("alter table slice add column backfill integer not null default 0")
    _table(db, "certificate").create(
        {
            "id": int,
            "stream_id": int,
            "run_id": int,
            "taken_at": int,
            "grade": str,
            "content": str,
        },
        pk="id",
        not_null={"stream_id", "taken_at", "grade", "content"},
    ).create_index(["stream_id", "taken_at"])


@migrations()
def m008_careful_writes(db: Database) -> None:
    """When a change was sent, when the record changed by it, and which fields are contested."""
    db.execute("alter table outbox add column still text")
    db.execute("alter table outbox add column sent_at integer")
    # What an older version delivered was sent when it ended.
    db.execute("update outbox set sent_at = ended_at where state not in ('waiting', 'superseded')")
    db.execute("alter table receipt add column changed_at integer")
    _table(db, "receipt").create_index(["target", "key"])
    _table(db, "outbox").create_index(["run_id"])
    _table(db, "outbox").create_index(["target", "sent_at"])
    _table(db, "contest").create(
        {
            "target": str,
            "table": str,
            "record": str,
            "field": str,
            "wished": str,
            "strikes": int,
            "retry_at": int,
            "reason": str,
        },
        pk=("target", "table", "record", "field"),
        not_null={"wished", "strikes", "reason"},
    )


STEPS = (
    m001_runs_and_facts,
    m002_raw_pages,
    m003_records,
    m004_findings,
    m005_outbox,
    m006_more_voices,
    m007_certificates,
    m008_careful_writes,
)
"""All of them: a store with any other step was made by a newer version."""
