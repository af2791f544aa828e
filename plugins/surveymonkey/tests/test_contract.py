"""The conformance suite on the sandbox's account."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.testing import Broken, ConnectorContract, Source, Wire
from vmo_bridge_surveymonkey.connector import SurveyMonkey


class TestSurveyMonkey(ConnectorContract):
    """Everything the suite can ask for; nothing is written to surveys."""

    @pytest.fixture
    def source(self, server: SandboxServer, connect: Any, tmp_path: Path) -> Source:
        store = server.surveymonkey.store
        wire = Wire()

        def change(stream: str, key: str) -> None:
            if stream == "responses":
                store.touch(key)
                return
            survey = store.survey(key) or {}
            del survey["response_count"]
            now = store.now().strftime("%Y-%m-%dT%H:%M:%S")
            store.put(survey | {"title": "New title", "date_modified": now})

        def edit(stream: str, key: str, moment: datetime) -> None:
            at = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
            with store._instance.writing() as db:
                (doc,) = db.execute("select doc from _sm_response where id = ?", [key]).fetchone()
                changed = json.dumps(json.loads(doc) | {"date_modified": f"{at}+00:00"})
                sql = "update _sm_response set modified = ?, doc = ? where id = ?"
                db.execute(sql, [at, changed, key])

        def twice(body: Any) -> Any:
            if isinstance(body, dict) and body.get("data"):
                return {**body, "data": [*body["data"], body["data"][0]]}
            return body

        def insert(text: str) -> tuple[str, str]:
            like = json.loads(
                store.page(
                    "410000001", size=1, offset=0, sort="id", desc=False, status="completed"
                )[0][0]
            )
            question = {"id": "41000000103", "answers": [{"text": text, "tag_data": []}]}
            pages = [{"id": "4100000011", "questions": [question]}]
            store.load("410000001", [like | {"id": "118499999999", "pages": pages}])
            return "responses", "118499999999"

        def wrong_secret() -> SurveyMonkey:
            (tmp_path / "wrong").write_text("hunter2-not-this-one")
            found: SurveyMonkey = connect(token={"file": "wrong"})
            return found

        return Source(
            connect=lambda: connect(transport=wire.open()),
            page_size=10,
            change=change,
            edit=edit,
            sized=lambda size: connect(transport=wire.open(), page_size=size),
            double=lambda: setattr(wire, "change", twice),
            limit=wire.limit,
            refuse_sign_in=wire.refuse_sign_in,
            insert=insert,
            unreachable=lambda: connect(url="http://127.0.0.1:9"),
            wrong_secret=wrong_secret,
            hide_error=wire.cut,
            secrets=(server.surveymonkey.token, "hunter2-not-this-one"),
            broken=[
                Broken(stream="responses", field="date_modified", changes={"date_modified": "x"}),
                Broken(stream="responses", field="id", changes={"id": None}),
                Broken(stream="responses", field="survey_id", changes={"survey_id": 7}),
                Broken(
                    stream="responses", field="response_status", changes={"response_status": ""}
                ),
                Broken(stream="responses", field="answers", changes={"answers": [{"key": 1}]}),
                Broken(stream="questions", field="pages", changes={"pages": None}),
                Broken(stream="questions", field="date_modified", changes={"date_modified": ""}),
            ],
        )
