"""tap-jira syncs its streams; told configuration and state on stdin, tells messages on stdout."""

import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path

import requests

told = json.load(sys.stdin)


class Trusting(requests.Session):
    """It sends prepared requests, which pass REQUESTS_CA_BUNDLE by: the session has to know."""

    def __init__(self):
        super().__init__()
        self.verify = told["ca"]


requests.Session = Trusting

import tap_jira  # noqa: E402 — after the session is what it shall be


def run(*arguments):
    sys.argv = ["tap-jira", *arguments]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        tap_jira.main()
    return out.getvalue()


with tempfile.TemporaryDirectory() as folder:
    files = {name: Path(folder, f"{name}.json") for name in ("config", "state", "properties")}
    files["config"].write_text(json.dumps(told["config"]))
    files["state"].write_text(json.dumps(told["state"]))
    catalog = json.loads(run("--config", str(files["config"]), "--discover"))
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"] == []:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in told["streams"]
            else:
                entry["metadata"]["selected"] = True
    files["properties"].write_text(json.dumps(catalog))
    text = run(*(part for name in files for part in (f"--{name}", str(files[name]))))

records, state = {}, {}
for line in text.splitlines():
    message = json.loads(line)
    if message["type"] == "RECORD":
        records.setdefault(message["stream"], []).append(message["record"])
    elif message["type"] == "STATE":
        state = message["value"]
json.dump({"records": records, "state": state}, sys.stdout)
