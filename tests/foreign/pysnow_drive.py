"""pysnow lists, asks, creates, changes and deletes; told where on stdin, tells on stdout."""

import json
import os
import sys

import pysnow

told = json.load(sys.stdin)
where = {"host": told["host"], "use_ssl": False}
client = pysnow.Client(user=told["user"], password=told["password"], **where)


def table(name):
    # A resource keeps the parameters of its last call: each call takes a fresh one.
    return client.resource(api_path=f"/table/{name}")


urgent = pysnow.QueryBuilder().field("priority").equals("1").AND().field("number").order_ascending()
pages = [
    [
        row["sys_id"]
        for row in table("incident").get(query="ORDERBYsys_id", limit=1000, offset=start).all()
    ]
    for start in range(0, 6000, 1000)
]
seen = {
    "pages": pages,
    "urgent": [row["number"] for row in table("incident").get(query=urgent, limit=10_000).all()],
    "streamed": [row["number"] for row in table("incident").get(query=urgent, stream=True).all()],
    "none": table("incident").get(query={"number": "none"}).one_or_none(),
}
made = table("incident").create(payload={"short_description": "from pysnow"}).one()
query = {"sys_id": made["sys_id"]}
seen["made"] = table("incident").get(query=query).one()
seen["changed"] = table("incident").update(query=query, payload={"urgency": "1"}).one()
seen["deleted"] = table("incident").delete(query=query)

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # it would refuse plain http
tokens = pysnow.OAuthClient(
    client_id=told["client_id"], client_secret=told["client_secret"], token_updater=print, **where
)
tokens.set_token(tokens.generate_token(told["user"], told["password"]))
rows = tokens.resource(api_path="/table/incident").get(query=urgent, limit=3).all()
seen["by token"] = [row["number"] for row in rows]
json.dump(seen, sys.stdout)
