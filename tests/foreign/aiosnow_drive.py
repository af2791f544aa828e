"""aiosnow streams, asks and writes with typed fields; told where on stdin, tells on stdout."""

import asyncio
import json
import sys

import aiosnow
from aiosnow.models import TableModel, fields


class Incident(TableModel):
    """Some fields of each kind it knows."""

    sys_id = fields.String(is_primary=True)
    number = fields.String()
    short_description = fields.String()
    priority = fields.IntegerMap()
    reassignment_count = fields.Integer()
    active = fields.Boolean()
    opened_at = fields.DateTime()
    assignment_group = fields.StringMap()


def plain(record):
    return {
        name: [value.key, value.value] if hasattr(value, "key") else
        value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in record.items()
    }  # fmt: skip


async def seen(told):
    client = aiosnow.Client(
        told["host"], basic_auth=(told["user"], told["password"]), use_ssl=False
    )
    async with Incident(client, table_name="incident") as incidents:
        selection = aiosnow.select().order_asc(Incident.sys_id)
        streamed = [
            plain(row) async for _, row in incidents.stream(selection, limit=20_000, page_size=500)
        ]
        urgent = await incidents.get(Incident.priority.equals(1), limit=10_000)
        made = await incidents.create({"short_description": "from aiosnow", "urgency": "2"})
        number = made["number"]
        one = await incidents.get_one(Incident.number == number)
        changed = await incidents.update(
            Incident.number == number, {"short_description": "changed"}
        )
        gone = await incidents.delete(Incident.number == number)
        return {
            "streamed": streamed,
            "urgent": [row["number"] for row in urgent.data],
            "made": plain(made.data),
            "one": plain(one.data),
            "changed": plain(changed.data),
            "deleted": gone.status,
        }


json.dump(asyncio.run(seen(json.load(sys.stdin))), sys.stdout)
