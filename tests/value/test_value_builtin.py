"""The built-ins go the same road as a stranger's plugin, and cost nothing to load."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime

import pluggy
import pytest

from vmo_bridge.hooks import specs
from vmo_bridge.value import builtin

OPENED = int(datetime(2026, 9, 7, 9, 0, tzinfo=UTC).timestamp())


def talks(type_: str) -> list[dict[str, object]]:
    """Ten that were ended, and ten that were not."""
    common = {"type": type_, "service_ref": "s", "user_group_ref": "g", "opened_at": OPENED}
    ended = {"state": "closed", "resolved_at": OPENED + 600, "closed_at": OPENED + 600}
    return [
        {"ref": f"t{number}", **common, "state": "new", **(ended if number % 2 else {})}
        for number in range(20)
    ]


@pytest.mark.parametrize("kpi", builtin.vmo_kpis(), ids=lambda kpi: kpi.name)
def test_a_talk_with_the_desk_counts_in_no_kpi(again, kpi):
    results = again.measured(kpi, {"tickets": talks("interaction")})
    assert not any(each.n for each in results)


def test_the_same_as_incidents_would_count(again):
    results = again.measured(again.kpis["backlog_size"], {"tickets": talks("incident")})
    assert any(each.n == 10 for each in results)


def test_the_built_ins_answer_the_hook():
    manager = pluggy.PluginManager(specs.PROJECT)
    manager.add_hookspecs(specs)
    manager.register(builtin)
    manager.check_pending()
    (given,) = manager.hook.vmo_kpis()
    names = [each.name for each in given]
    assert len(names) == len(set(names)) > 1


def test_loading_them_imports_no_engine():
    heavy = "{'duckdb', 'pyarrow', 'httpx', 'sqlite3'}"
    code = f"import sys, vmo_bridge.value.builtin; print(sorted({heavy} & sys.modules.keys()))"
    # Coverage follows subprocesses by the environment, and brings sqlite3 with it.
    alone = {name: text for name, text in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=alone,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "[]"
