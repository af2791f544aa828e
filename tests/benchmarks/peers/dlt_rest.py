"""dlt into SQLite by its own REST client: pages of rows, normalised by dlt, written as Parquet.

Whole pages are yielded (not row by row), Parquet is the file format, the sqlalchemy destination
appends: what dlt's documentation says of speed, as far as rows come as JSON.
"""

import json
import os
import sys

facts, folder = json.loads(sys.argv[1]), sys.argv[2]
os.environ |= {
    "DLT_DATA_DIR": folder,
    "DLT_CONFIG_FOLDER": folder,
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
}

import dlt  # noqa: E402 - it reads its settings as it is imported
from dlt.sources.helpers.rest_client import RESTClient  # noqa: E402
from dlt.sources.helpers.rest_client.auth import HttpBasicAuth  # noqa: E402
from dlt.sources.helpers.rest_client.paginators import BasePaginator  # noqa: E402

fields = facts["fields"]


class Keyset(BasePaginator):
    """The next page begins behind the last row."""

    where = ""

    def init_request(self, request):
        """The first page."""
        self.update_request(request)

    def update_state(self, response, data=None):
        """What the next page asks."""
        rows = data or []
        self._has_next_page = bool(rows)
        if rows:
            at, last = rows[-1]["sys_updated_on"], rows[-1]["sys_id"]
            self.where = f"sys_updated_on>{at}^NQsys_updated_on={at}^sys_id>{last}"

    def update_request(self, request):
        """One page."""
        query = f"{self.where}^ORDERBYsys_updated_on^ORDERBYsys_id"
        request.params = {**(request.params or {}), "sysparm_query": query}


# Told what columns are: left to itself dlt makes timestamps of dates, which are other rows.
texts = {name: {"data_type": "text"} for name in fields}


@dlt.resource(name="incident", write_disposition="append", columns=texts)
def incident():
    """Pages of rows."""
    client = RESTClient(
        base_url=facts["url"],
        auth=HttpBasicAuth(facts["user"], facts["password"]),
        paginator=Keyset(),
        data_selector="result",
    )
    yield from client.paginate(
        "/api/now/table/incident",
        params={
            "sysparm_limit": "1000",
            "sysparm_fields": ",".join(fields),
            "sysparm_exclude_reference_link": "true",
            "sysparm_no_count": "true",
        },
    )


pipeline = dlt.pipeline(
    pipeline_name="bench",
    destination=dlt.destinations.sqlalchemy(f"sqlite:///{folder}/rows.db"),
    dataset_name="main",
)
pipeline.run(incident(), loader_file_format="parquet")
with pipeline.sql_client() as client:
    rows = client.execute_sql("select count(*) from incident")[0][0]
print(json.dumps({"rows": rows}))
