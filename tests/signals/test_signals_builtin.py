"""The built-ins go the same road as a stranger's plugin, and cost nothing to load."""

from __future__ import annotations

import os
import subprocess
import sys

import pluggy

from vmo_bridge.hooks import specs
from vmo_bridge.signals import builtin


def test_the_built_ins_answer_the_hook():
    manager = pluggy.PluginManager(specs.PROJECT)
    manager.add_hookspecs(specs)
    manager.register(builtin)
    manager.check_pending()
    (given,) = manager.hook.vmo_rules()
    names = [each.name for each in given]
    assert len(names) == len(set(names)) > 1


def test_loading_them_imports_no_engine():
    heavy = "{'duckdb', 'pyarrow', 'httpx', 'sqlite3'}"
    code = f"import sys, vmo_bridge.signals.builtin; print(sorted({heavy} & sys.modules.keys()))"
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
