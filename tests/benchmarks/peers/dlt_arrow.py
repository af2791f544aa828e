"""dlt into SQLite, given Arrow tables: its fastest way, with all types and columns told by hand.

What is given as Arrow dlt does not normalise; it goes as Parquet to the sqlalchemy destination and
is appended. Fetching, decoding and making the tables is the bare loop's code, not dlt's.
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
import httpx  # noqa: E402
import orjson  # noqa: E402
import pyarrow as pa  # noqa: E402

fields = facts["fields"]
schema = pa.schema([(name, pa.string()) for name in fields])


@dlt.resource(name="incident", write_disposition="append")
def incident():
    """Pages by keyset, as Arrow tables."""
    where = ""
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
                return
            yield pa.Table.from_pylist(rows, schema=schema)
            at, last = rows[-1]["sys_updated_on"], rows[-1]["sys_id"]
            where = f"sys_updated_on>{at}^NQsys_updated_on={at}^sys_id>{last}"


pipeline = dlt.pipeline(
    pipeline_name="bench",
    destination=dlt.destinations.sqlalchemy(f"sqlite:///{folder}/rows.db"),
    dataset_name="main",
)
pipeline.run(incident(), loader_file_format="parquet")
with pipeline.sql_client() as client:
    rows = client.execute_sql("select count(*) from incident")[0][0]
print(json.dumps({"rows": rows}))
