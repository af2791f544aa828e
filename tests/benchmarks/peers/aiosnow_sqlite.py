"""aiosnow into sqlite3: ``get`` with keyset queries (its stream pages by offset), executemany.

It appends. aiosnow asks for every value beside its display value, whatever one does; the source
answers so, as an instance would.
"""

import asyncio
import json
import sqlite3
import sys
from urllib.parse import urlsplit

from aiosnow import Client, TableModel, fields

facts, folder = json.loads(sys.argv[1]), sys.argv[2]
names = facts["fields"]
Incident = type(TableModel)("Incident", (TableModel,), {name: fields.String() for name in names})


async def main():
    """Page after page."""
    db = sqlite3.connect(f"{folder}/rows.db")
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = normal")
    db.execute(f"create table incident ({', '.join(names)})")
    insert = f"insert into incident values ({', '.join('?' * len(names))})"
    client = Client(
        urlsplit(facts["url"]).netloc, (facts["user"], facts["password"]), use_ssl=False
    )
    total, where = 0, ""
    async with Incident(client, table_name="incident") as incident:
        while True:
            reply = await incident.get(
                f"{where}^ORDERBYsys_updated_on^ORDERBYsys_id", limit=1000, return_only=names
            )
            rows = reply.data
            if not rows:
                break
            db.executemany(insert, [[row[name] for name in names] for row in rows])
            db.commit()
            total += len(rows)
            at, last = rows[-1]["sys_updated_on"], rows[-1]["sys_id"]
            where = f"sys_updated_on>{at}^NQsys_updated_on={at}^sys_id>{last}"
    print(json.dumps({"rows": total}))


asyncio.run(main())
