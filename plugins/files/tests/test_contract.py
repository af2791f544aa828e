"""The conformance suite on a drop folder, as CSV and as a workbook."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vmo_bridge.testing import Broken, ConnectorContract, Source
from vmo_bridge_files.connector import Files
from vmo_bridge_files.settings import FilesSettings

Write = Callable[..., Path]


class _OfAFolder(ConnectorContract):
    """Three files of some forms' months, read with the clock of this machine."""

    suffix = ""

    def write(self, drop: Any) -> Write:
        raise NotImplementedError

    @pytest.fixture
    def source(self, drop: Any, tmp_path: Path) -> Source:
        write = self.write(drop)
        form = {**drop.form, "files": "onboarding*", "user_group": "Bureau"}
        header = [*drop.header, "Bureau", "One more question"]
        files: dict[str, list[list[Any]]] = {
            f"onboarding-{month}{self.suffix}": [
                header,
                *(
                    [*drop.row(month * 100 + at, day=month * 7 + at), "Parks", "yes"]
                    for at in range(5)
                ),
            ]
            for month in (1, 2, 3)
        }
        for month, (name, rows) in enumerate(files.items()):
            write(name, rows, old=3600 * (4 - month))

        def connect(folder: str = "drop", page_size: int = 2) -> Files:
            content = {
                "folder": folder, "forms": {"onboarding": form}, "page_size": page_size,
                "settle_seconds": 0,
            }  # fmt: skip
            return Files("files", FilesSettings.model_validate(content), tmp_path)

        def rewrite(name: str, rows: list[list[Any]]) -> None:
            now = time.time()
            write(name, rows)
            os.utime(drop.path / name, (now, now))

        def change(stream: str, key: str) -> None:
            if stream == "onboarding":
                name, (line,) = next(
                    (name, found)
                    for name, rows in files.items()
                    if (found := [each for each in rows if str(each[0]) == key])
                )
                line[1] = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z"
            else:
                name = list(files)[-1]
                for at in range(3, len(header)):
                    files[name][0] = [*files[name][0]]
                    files[name][0][at] = files[name][0][at].upper()
            rewrite(name, files[name])

        def insert(text: str) -> tuple[str, str]:
            name = list(files)[-1]
            files[name].append([*drop.row(999, day=29, comment=text), "Parks", "yes"])
            rewrite(name, files[name])
            return "onboarding", "999"

        def hide_error() -> None:
            page = "<html><title>Sign in</title><body>Your session has ended</body></html>"
            drop.text(next(iter(files)), page)

        return Source(
            connect=connect,
            page_size=2,
            change=change,
            sized=lambda size: connect(page_size=size),
            insert=insert if self.suffix == ".csv" else None,  # a cell of a sheet is too small
            unreachable=lambda: connect("not-mounted"),
            hide_error=hide_error,
            secrets=[f"user{number}@example.org" for number in (100, 101, 302)],
            broken=(
                Broken(stream="onboarding", field="answered_at", changes={"answered_at": "1.2."}),
                Broken(stream="onboarding", field="updated_at", changes={"updated_at": None}),
                Broken(stream="onboarding", field="answers", changes={"answers": ["x"]}),
                Broken(
                    stream="onboarding",
                    field="value",
                    changes={"answers": {"q": {"value": "4", "text": None}}},
                ),
                Broken(stream="onboarding.questions", field="text", changes={"text": None}),
                Broken(stream="onboarding.questions", field="scale", changes={"scale": [1]}),
            ),
        )


class TestCsv(_OfAFolder):
    suffix = ".csv"

    def write(self, drop: Any) -> Write:
        return drop.csv


class TestXlsx(_OfAFolder):
    suffix = ".xlsx"

    def write(self, drop: Any) -> Write:
        return drop.xlsx
