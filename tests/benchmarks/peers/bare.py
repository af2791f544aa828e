"""The floor: httpx fetches, orjson decodes, executemany writes the same fields; nothing else.

It appends to a table without any index; with ``merge`` the table has sys_id as its key, so that a
row that comes again replaces the old one. No bookmark, no types, no history, no raw payload.
"""

import json
import sqlite3
import sys

import httpx
import orjson

facts, folder = json.loads(sys.argv[1]), sys.argv[2]
merge = sys.argv[3:] == ["merge"]
fields = facts["fields"]
db = sqlite3.connect(f"{folder}/rows.db")
db.execute("pragma journal_mode = wal")
db.execute("pragma synchronous = normal")
key = ", primary key (sys_id)" if merge else ""
db.execute(f"create table incident ({', '.join(fields)}{key})")
verb = "insert or replace" if merge else "insert"
insert = f"{verb} into incident values ({', '.join('?' * len(fields))})"
total, where = 0, ""
with httpx.Client(
    base_url=facts["url"], auth=(facts["user"], facts["password"]), timeout=60, trust_env=False
) as client:
    while True:
        reply = client.get(
            "/api/now/table/incident",
            params={
                "sysparm_query": f"{where}^ORDERBYsys_updated_on^ORDERBYsys_id",
                "sysparm_limit": "1000",
                "sysparm_fields": ",".join(fields),
                "sysparm_exclude_reference_link": "true",
                "sysparm_no_count": "true",
            },
        )
        rows = orjson.loads(reply.content)["result"]
        if not rows:
            break
        db.executemany(insert, [[row[name] for name in fields] for row in rows])
        db.commit()
        total += len(rows)
        at, last = rows[-1]["sys_updated_on"], rows[-1]["sys_id"]
        where = f"sys_updated_on>{at}^NQsys_updated_on={at}^sys_id>{last}"
print(json.dumps({"rows": total}))
