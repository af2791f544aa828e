"""The hooks: what VMO Bridge asks plugins for, and what it tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from vmo_bridge.hooks.extensions import ConnectorType, Kpi, Rule
    from vmo_bridge.records import KpiResult, Signal

PROJECT = "vmo_bridge"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def vmo_connectors() -> list[ConnectorType]:  # type: ignore[empty-body]
    """Kinds of source that this plugin can connect to."""


@hookspec
def vmo_rules() -> list[Rule]:  # type: ignore[empty-body]
    """Rules that spot demand which tickets miss."""


@hookspec
def vmo_kpis() -> list[Kpi]:  # type: ignore[empty-body]
    """KPIs that this plugin can measure."""


@hookspec
def vmo_signal_raised(signal: Signal) -> None:
    """A signal was raised for the first time; called after it is stored."""


@hookspec
def vmo_kpi_published(result: KpiResult, record: str) -> None:
    """A KPI result stands in ``record`` of the source; called after it was read back."""
