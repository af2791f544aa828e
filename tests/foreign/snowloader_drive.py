"""snowloader sweeps and reconciles; told where on stdin, tells on stdout."""

import json
import sys
from datetime import datetime

from snowloader import IncidentLoader, SnowConnection, SnowConnectionError

told = json.load(sys.stdin)
since = datetime.fromisoformat(told["since"])
secrets = {name: told[name] for name in told["secrets"]}
# It takes no address with numbers, so a name stands in until it has looked.
conn = SnowConnection(
    "http://sandbox.example", page_size=500, display_value="all", max_retries=0, **secrets
)
conn.instance_url = told["url"]


def ids(rows):
    return [row["sys_id"]["value"] for row in rows]


def horizon_refused():
    try:
        list(conn.get_deleted_records("task", since=since, check_horizon=True))
    except SnowConnectionError as refused:
        return str(refused)
    return ""


report = conn.reconcile("task", since, fields=["number"])
seen = {
    "swept": ids(conn.get_records("task", fields=["sys_id"], verify=True)),
    "keyset": ids(conn.get_records("task", fields=["sys_id"], keyset=True, verify=True)),
    "threads": ids(
        conn.concurrent_get_records("incident", fields=["sys_id"], max_workers=4, verify=True)
    ),
    "count": conn.get_count("incident", query="priority=1"),
    "classes": conn.get_table_descendants("task"),
    "added": ids(report.added),
    "updated": ids(report.updated),
    "deleted": report.deleted,
    "complete": report.is_complete,
    "horizon refused": horizon_refused(),
    "only the base": list(conn.get_deleted_records("task", since, include_subclasses=False)),
    "one": conn.get_record("incident", told["one"]),
    "document": IncidentLoader(
        connection=conn, query=f"sys_id={told['one']}", include_journals=True
    ).load()[0].page_content,
}  # fmt: skip
json.dump(seen, sys.stdout)
