"""Our side: a sync as ``vmo-bridge sync`` does it. Run with the source's facts as JSON.

It prints what it did as JSON: rows read and changed, and the seconds of the sync itself. With
``read`` at the end of the command it only reads.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vmo_bridge.connectors.opening import opened
from vmo_bridge.hooks.loader import load_plugins
from vmo_bridge.settings import load_settings

Facts = Mapping[str, Any]

_SERVICENOW = """\
[connectors.bench]
plugin = "servicenow"
url = "{url}"
tables = ["incident"]
page_size = 1000
auth = {{ method = "basic", user = "{user}", password = {{ file = "secret" }} }}
"""
_CLOUD = """\
[connectors.bench]
plugin = "jira"
url = "{jira}"
projects = ["HELP"]
page_size = 1000
auth = {{ method = "token", email = "{email}", token = {{ file = "secret" }} }}
"""
_SERVER = """\
[connectors.bench]
plugin = "jira"
url = "{jiradc}"
projects = ["HELP"]
page_size = 1000
auth = {{ method = "pat", token = {{ file = "secret" }} }}
"""
_KINDS = {
    "servicenow": (_SERVICENOW, "password"),
    "jira": (_CLOUD, "token"),
    "jiradc": (_SERVER, "pat"),
}


def configured(kind: str, facts: Facts, folder: Path) -> Path:
    """The configuration of a bridge in a folder."""
    template, secret = _KINDS[kind]
    (folder / "secret").write_text(facts[secret])
    file = folder / "bench.toml"
    parallel = f"parallel = {facts['parallel']}\n" if "parallel" in facts else ""
    # What is measured is the read; a sweep of all names has its own line in the docs.
    sync = "\n[sync]\nsweep_hours = 0\n"
    file.write_text(template.format(**facts) + parallel + sync)
    return file


def synced(kind: str, facts: Facts, folder: Path) -> dict[str, Any]:
    """Sync, and tell of it."""
    from vmo_bridge.pipeline import Bridge  # reading alone does without

    settings, plugins = load_settings(configured(kind, facts, folder)), load_plugins()
    began = time.perf_counter()
    with Bridge(settings, plugins, owner="bench") as bridge:
        outcomes = bridge.sync()
    seconds = time.perf_counter() - began
    trouble = [each for each in outcomes if each.problem or each.quarantined]
    if trouble:
        raise SystemExit(f"the sync is not whole: {trouble}")
    last = outcomes[-1]
    return {"rows": last.read, "changed": last.changed, "seconds": seconds}


def read(kind: str, facts: Facts, folder: Path) -> dict[str, Any]:
    """Only read: all pages of the last stream as its connector gives them; nothing is kept."""
    settings, plugins = load_settings(configured(kind, facts, folder)), load_plugins()
    rows = entries = 0
    with opened("bench", settings, plugins) as connector:
        for piece in connector.slices(connector.streams[-1], None, None):
            for page in connector.read(piece):
                rows += len(page.records)
                entries += sum(len(each.get("history") or ()) for each in page.records)
    return {"rows": rows, "entries": entries}


def main() -> None:
    """What is asked for: a kind of source, its facts, the folder of the store, perhaps ``read``."""
    kind, facts, folder, more = (
        sys.argv[1],
        json.loads(sys.argv[2]),
        Path(sys.argv[3]),
        sys.argv[4:],
    )
    work = read if more == ["read"] else synced
    sys.stdout.write(json.dumps(work(kind, facts, folder)) + "\n")


if __name__ == "__main__":
    main()
