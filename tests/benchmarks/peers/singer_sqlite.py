"""A Singer SDK tap piped into a Singer SDK SQLite target, as Singer means it: two processes.

The tap is a ``RESTStream`` with keyset pages of 1,000; the target the SDK's own ``SQLTarget`` with
its generic bulk insert, in batches of 10,000. It appends. Checking each record against the schema
is switched off (documented: it is the larger part of the target's work).
"""

import json
import subprocess
import sys

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BasicAuthenticator
from singer_sdk.pagination import BaseAPIPaginator
from singer_sdk.sql import SQLConnector, SQLSink, SQLTarget


class Keyset(BaseAPIPaginator):
    """The next page begins behind the last row."""

    def get_next(self, response):
        """What the next page asks."""
        rows = response.json()["result"]
        if not rows:
            return None
        at, last = rows[-1]["sys_updated_on"], rows[-1]["sys_id"]
        return f"sys_updated_on>{at}^NQsys_updated_on={at}^sys_id>{last}"


class Incidents(RESTStream):
    """The table."""

    name = "incident"
    path = "/api/now/table/incident"
    records_jsonpath = "$.result[*]"
    primary_keys = ("sys_id",)

    @property
    def url_base(self):
        """The address."""
        return self.config["url"]

    @property
    def schema(self):
        """All fields are texts."""
        return th.PropertiesList(
            *(th.Property(name, th.StringType) for name in self.config["fields"])
        ).to_dict()

    @property
    def authenticator(self):
        """User and password."""
        return BasicAuthenticator(username=self.config["user"], password=self.config["password"])

    def get_new_paginator(self):
        """By keyset."""
        return Keyset("")

    def get_url_params(self, context, next_page_token):
        """One page."""
        return {
            "sysparm_query": f"{next_page_token or ''}^ORDERBYsys_updated_on^ORDERBYsys_id",
            "sysparm_limit": 1000,
            "sysparm_fields": ",".join(self.config["fields"]),
            "sysparm_exclude_reference_link": "true",
            "sysparm_no_count": "true",
        }


class BenchTap(Tap):
    """The tap."""

    name = "tap-bench"
    config_jsonschema = th.PropertiesList(th.Property("url", th.StringType)).to_dict()

    def discover_streams(self):
        """One stream."""
        return [Incidents(self)]


class SQLiteConnector(SQLConnector):
    """A file."""

    def get_sqlalchemy_url(self, config):
        """Its address."""
        return f"sqlite:///{config['path']}"


class SQLiteSink(SQLSink):
    """Appends."""

    connector_class = SQLiteConnector
    max_size = 10_000
    validate_schema = False


class SQLiteTarget(SQLTarget):
    """The target."""

    name = "target-bench"
    config_jsonschema = th.PropertiesList(th.Property("path", th.StringType)).to_dict()
    default_sink_class = SQLiteSink


def main():
    """Without a role: both processes, tied by a pipe."""
    config, folder, *role = sys.argv[1:]
    if role == ["tap"]:
        BenchTap(config=json.loads(config)).sync_all()
    elif role == ["target"]:
        SQLiteTarget(config={"path": f"{folder}/rows.db", "add_record_metadata": False}).listen(
            sys.stdin
        )
    else:
        me = [sys.executable, __file__, config, folder]
        with open(f"{folder}/log", "w") as log:
            tap = subprocess.Popen([*me, "tap"], stdout=subprocess.PIPE, stderr=log)
            target = subprocess.Popen([*me, "target"], stdin=tap.stdout, stdout=log, stderr=log)
            if tap.wait() or target.wait():
                sys.exit(open(f"{folder}/log").read()[-2000:])
        print("{}")


if __name__ == "__main__":
    main()
