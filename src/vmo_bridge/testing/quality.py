"""The contract of a plugin's folder: its quality list, its entry point, what importing it costs."""

# ruff: noqa: S101 - a conformance suite is made of asserts

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, ClassVar

from vmo_bridge.testing.connector import ConnectorContract

OWED = {
    "conformance",
    "sandbox",
    "secrets",
    "check",
    "resume",
    "broken-records",
    "people",
    "last-page",
    "repeated-token",
    "duplicate-ids",
    "boundary-seconds",
    "late-commits",
    "changing-pages",
    "limits",
    "sign-in-mid-run",
    "unicode",
    "huge-fields",
    "clock-skew",
    "deletions",
}
"""The rules that every connector has to speak of."""


class QualityContract:
    """Subclass it as ``Test…`` beside a plugin's tests, and name the plugin."""

    folder: ClassVar[Path]
    """Where the plugin's ``pyproject.toml`` and ``QUALITY.toml`` stand."""
    plugin: ClassVar[str]
    """What the configuration calls it; its module is ``vmo_bridge_`` and that."""
    unwanted: ClassVar[tuple[str, ...]]
    """Modules that are slow to import and must wait until a source is opened."""

    @property
    def module(self) -> str:
        """The name of the plugin's module."""
        return f"vmo_bridge_{self.plugin}"

    def test_each_rule_is_done_or_exempt_with_its_reason(self) -> None:
        """What is done names its test, and the test is there."""
        for name, rule in self._toml("QUALITY.toml").items():
            assert rule["asks"], name
            assert ("done" in rule) != ("exempt" in rule), name
            assert set(rule) <= {"asks", "done", "exempt"}, name
            if "exempt" in rule:
                assert len(rule["exempt"]) > 20, f"{name}: an exemption needs its reason"
                continue
            file, _, test = rule["done"].partition("::")
            text = (self.folder / "tests" / file).read_text(encoding="utf-8")
            assert not test or _is_held(text, test), f"{name}: {rule['done']} is not there"

    def test_the_rules_that_every_connector_owes_are_there(self) -> None:
        """Silence about one is not an exemption."""
        missing = OWED - set(self._toml("QUALITY.toml"))
        assert not missing, f"QUALITY.toml says nothing of {sorted(missing)}"

    def test_importing_the_plugin_is_cheap(self) -> None:
        """Every command imports every plugin."""
        code = f"import sys, {self.module} as plugin; plugin.vmo_connectors(); print(*sys.modules)"
        done = subprocess.run(  # noqa: S603 - our own interpreter and our own line
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
        )
        imported = set(done.stdout.split())
        assert self.module in imported
        assert not imported & {*self.unwanted}

    def test_the_entry_point_leads_to_the_plugin(self) -> None:
        """It is how the core finds it."""
        points = self._toml("pyproject.toml")["project"]["entry-points"]["vmo_bridge"]
        assert points == {self.plugin: self.module}

    def _toml(self, name: str) -> dict[str, Any]:
        return tomllib.loads((self.folder / name).read_text(encoding="utf-8"))


def _is_held(text: str, test: str) -> bool:
    """Whether a file of tests has this one, or runs it as a check of the suite.

    A check that is skipped because the source gives no means for it holds nothing.
    """
    if f"def {test}(" in text:
        return True
    check = getattr(ConnectorContract, test, None)
    if check is None or "ConnectorContract)" not in text:
        return False
    means = re.findall(r"need\(source\.(\w+)", inspect.getsource(check))
    return all(f"{each}=" in text for each in means)
