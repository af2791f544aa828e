"""The conformance suite on the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vmo_bridge.plugin import Column, TargetTable
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.testing import Broken, ConnectorContract, Source, Target, Wire
from vmo_bridge_servicenow.connector import ServiceNow

KEY = Column(name="u_key", label="Key", type="string", max_length=200)
CSAT = Column(name="u_vmo_csat", label="Satisfaction", type="decimal")
STATUS = Column(name="u_vmo_status", label="Status", type="string", max_length=100)
RESULTS = TargetTable(
    table="u_vmo_kpi_result", label="KPI result", columns=(KEY, CSAT, STATUS), create=True
)


class TestServiceNow(ConnectorContract):
    @pytest.fixture
    def source(self, server: SandboxServer, settings, tmp_path: Path) -> Source:
        wire = Wire()

        def connect(**more: object) -> ServiceNow:
            asked = settings(**{"journals": True, **more})
            return ServiceNow("helpdesk", asked, tmp_path, transport=wire.open())

        def edit(table: str, key: str, moment: datetime) -> None:
            root = server._instance.dictionary.root(table)
            # An entry of a journal has no other moment; for the contract it moves.
            stamp = "sys_created_on" if table == "sys_journal_field" else "sys_updated_on"
            with server._instance.writing() as db:
                at = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
                db.execute(f'update "{root}" set {stamp} = ? where sys_id = ?', [at, key])

        def twice(body: Any) -> Any:
            rows = body.get("result")
            again = rows[:1] if isinstance(rows, list) else []
            return {**body, "result": [*rows, *again]} if again else body

        def insert(text: str) -> tuple[str, str]:
            row = {
                "sys_id": "A" * 32, "number": "INC9", "state": "1", "description": text,
                "sys_class_name": "incident", "opened_at": "2026-01-01 00:00:00",
                "sys_updated_on": "2026-01-01 00:00:00",
            }  # fmt: skip
            server.load("incident", [row])
            return "incident", row["sys_id"]

        def delete(table: str, key: str) -> bool:
            server.change({"operation": "delete", "table": table, "sys_id": key})
            return True

        def wrong_secret() -> ServiceNow:
            (tmp_path / "wrong").write_text("hunter2-not-this-one")
            wrong = {"method": "basic", "user": "vmo.bridge", "password": {"file": "wrong"}}
            return connect(auth=wrong)

        return Source(
            connect=connect,
            page_size=10,
            change=lambda table, key: edit(table, key, datetime.now(UTC)),
            edit=edit,
            sized=lambda size: connect(page_size=size),
            double=lambda: setattr(wire, "change", twice),
            limit=wire.limit,
            refuse_sign_in=wire.refuse_sign_in,
            insert=insert,
            delete=delete,
            unreachable=lambda: connect(url="http://127.0.0.1:9"),
            wrong_secret=wrong_secret,
            hide_error=lambda: server.faults.set("timeout", "200_error"),
            secrets=(server.user("vmo.bridge").password, "hunter2-not-this-one"),
            broken=(
                Broken(stream="incident", field="opened_at", changes={"opened_at": "01.02.2026"}),
                Broken(stream="incident", field="state", changes={"state": ""}),
                Broken(stream="task_sla", field="has_breached", changes={"has_breached": "x"}),
                Broken(stream="asmt_metric", field="min", changes={"min": "inf"}),
                Broken(stream="interaction", field="opened_at", changes={"opened_at": "today"}),
                Broken(stream="kb_feedback", field="rating", changes={"rating": "five"}),
                Broken(stream="sys_dictionary", field="column_label", changes={"column_label": ""}),
                Broken(stream="sys_journal_field", field="element_id", changes={"element_id": ""}),
                Broken(stream="sys_user_group", field="name", changes={"name": None}),
            ),
            target=Target(
                tables=(
                    RESULTS,
                    TargetTable(
                        table="cmdb_ci_service", columns=(CSAT,), show=("name", "u_vmo_csat")
                    ),
                ),
                match_field="u_key",
                values={"u_vmo_csat": "91.5", "u_vmo_status": "met"},
                others={"u_vmo_csat": "", "u_vmo_status": "missed, n = 7"},
                absent_key="f" * 32,
                record=("cmdb_ci_service", server.rows("cmdb_ci_service")[0]["sys_id"]),
            ),
        )
