"""PySNC pages, joins, batches and writes over https; told where on stdin, tells on stdout."""

import json
import sys

from pysnc import ServiceNowClient
from pysnc.auth import ServiceNowPasswordGrantFlow
from pysnc.exceptions import AuthenticationException, InsertException, RequestException

told = json.load(sys.stdin)
sign_in = (told["user"], told["password"])
client = ServiceNowClient(told["url"], sign_in, verify=told["ca"], auto_retry=False)


def records(table, *, fields=None, encoded="", order="sys_id", **options):
    found = client.GlideRecord(table, **options)
    found.fields = fields
    found.order_by(order)
    if encoded:
        found.add_encoded_query(encoded)
    return found


def ids(found):
    found.query()
    return [row.get_value("sys_id") for row in found]


def joined():
    found = records("sys_user", fields=["sys_id"])
    found.add_join_query("sys_user_group", join_table_field="manager").add_query("active", "true")
    return ids(found)


def related(sign, stop=False):
    found = records("problem", fields=["sys_id"])
    listed = found.add_rl_query("incident", "problem_id", sign, stop)
    listed.add_query("priority", "1")
    return ids(found)


def either():
    found = records("incident", fields=["sys_id"])
    found.add_query("priority", "1").add_or_condition("priority", "2")
    found.add_active_query()
    found.add_not_null_query("assignment_group")
    return ids(found)


def refused(call):
    try:
        return call()
    except (AuthenticationException, InsertException, RequestException) as error:
        return type(error).__name__


def limited():
    found = records("incident", fields=["sys_id"], batch_size=30)
    found.limit = 70
    return ids(found)


one = client.GlideRecord("incident")
one.fields = ["number", "caller_id", "caller_id.name", "opened_at", "assignment_group"]
read = one.get(told["one"])
seen = {
    "paged": ids(records("incident", fields=["sys_id"], batch_size=200)),
    # Not with rewindable=False: at the first row it forgets "the row before", results[0 - 1],
    # which is the last one of the page it just read.
    "limited": limited(),
    "either": either(),
    "joined": joined(),
    "related": {sign: related(sign) for sign in (">=1", "=0", "<2", ">0")},
    "stopping": related(">=1", stop=True),
    # It sends a query as long as this in a batch, for the address would be too long.
    "long": ids(records("incident", fields=["sys_id"], encoded=told["long"])),
    "read": read,
    "one": one.serialize(display_value="both"),
    "dates": [str(one.opened_at.date_value()), one.opened_at.date_numeric_value()],
    "walked": one.caller_id.name.get_display_value(),
    "missing": client.GlideRecord("incident").get("0" * 32),
    "no table": refused(lambda: ids(records("no_such_table"))),
    "stranger": refused(
        lambda: ServiceNowClient(told["url"], ("no", "body"), verify=told["ca"])
        .GlideRecord("incident").get("x")
    ),
}  # fmt: skip

made = client.GlideRecord("incident")
made.initialize()
made.set_new_guid_value("A" * 16 + "f" * 16)
made.short_description = "from PySNC"
made.bunk_field = "dropped in silence"
seen["guid"] = str(made.insert())
seen["bunk"] = "bunk_field" in made
made.short_description = "changed"
seen["changes"] = made.changes()
seen["updated"] = str(made.update())
again = client.GlideRecord("incident")
again.get(seen["guid"])
seen["again"] = [again.get_value("short_description"), again.get_value("sys_mod_count")]
seen["deleted"] = again.delete()

for number in range(5):
    each = client.GlideRecord("problem")
    each.initialize()
    each.short_description = f"many {number}"
    each.insert()
many = records("problem", encoded="short_descriptionSTARTSWITHmany")
many.query()
for row in many:
    row.close_notes = f"note of {row.short_description}"
seen["all updated"] = many.update_multiple()
many = records("problem", encoded="short_descriptionSTARTSWITHmany", order="short_description")
many.query()
seen["notes"] = [row.get_value("close_notes") for row in many]
seen["all deleted"] = many.delete_multiple()

flow = ServiceNowPasswordGrantFlow(*sign_in, told["client_id"], told["client_secret"])
by_token = ServiceNowClient(told["url"], flow, verify=told["ca"], auto_retry=False)
seen["by token"] = by_token.GlideRecord("incident").get(told["one"])
json.dump(seen, sys.stdout)
