"""Whatever way a table is written, the same records come of it."""

from __future__ import annotations

import csv
import io
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

CELL = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t;,|\"'"), max_size=30
)
ROW = st.tuples(CELL, CELL, st.integers(1, 5))
HEADER = ["ID", "When", "Rating", "What was good?", "Anything else, or: nothing?"]


def as_csv(rows: list[list[Any]], draw: Any) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(
        text,
        delimiter=draw(st.sampled_from(",;\t|")),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])),
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
    ).writerows(rows)
    return text.getvalue().encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])))


def as_xlsx(rows: list[list[Any]]) -> bytes:
    book, data = Workbook(), io.BytesIO()
    for number, row in enumerate(rows, start=1):
        for at, value in enumerate(row, start=1):
            cell = book.active.cell(number, at, value)
            if isinstance(value, str) and cell.data_type == "f":
                cell.data_type = "s"  # a text that begins with = is a text
    book.save(data)
    return data.getvalue()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_way_a_table_is_written_does_not_matter(data: st.DataObject, read_file: Any) -> None:
    rows = data.draw(st.lists(ROW, min_size=1, max_size=6))
    table: list[list[Any]] = [
        [number, f"2026-10-{number + 1:02} 09:00:00", rating, good, other]
        for number, (good, other, rating) in enumerate(rows)
    ]
    wanted = {
        str(number): {text for text in (good, other) if text.strip()} | {float(rating)}
        for number, (good, other, rating) in enumerate(rows)
    }
    order = data.draw(st.permutations(range(len(HEADER))))
    shuffled = [[row[at] for at in order] for row in [HEADER, *data.draw(st.permutations(table))]]
    if data.draw(st.booleans()):
        name, content = "onboarding.xlsx", as_xlsx(shuffled)
    else:
        name, content = "onboarding.csv", as_csv(shuffled, data.draw)
    assert read_file(name, content) == wanted
