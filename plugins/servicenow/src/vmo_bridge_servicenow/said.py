"""What people say outside surveys: of knowledge articles, and in the journals of tickets.

Neither is asked by a survey: the columns they are written into are the questions, which the
instance's own dictionary words as people read them.
"""

from __future__ import annotations

from typing import Any

from vmo_bridge.plugin import Answer, Feedback, Question, Record
from vmo_bridge_servicenow.row import Row

_Scale = tuple[float | None, float | None]

_COLUMNS: dict[str, tuple[str, str, _Scale]] = {
    "kb_feedback.rating": ("Knowledge feedback", "rating", (1.0, 5.0)),
    "kb_feedback.useful": ("Knowledge feedback", "yes or no", (0.0, 1.0)),
    "kb_feedback.comments": ("Knowledge feedback", "text", (None, None)),
    "task.comments": ("Comments on tickets", "journal", (None, None)),
    "task.work_notes": ("Work notes on tickets", "journal", (None, None)),
}
"""Column to what we call those who are asked, the kind of answer, and its scale."""

_USEFUL = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0}


def question(row: Row) -> Record | None:
    """The question that a column is; None for a column of which no answer is read."""
    column = f"{row.need('name')}.{row.need('element')}"
    if column not in _COLUMNS:
        return None
    survey, datatype, (least, most) = _COLUMNS[column]
    return Question(
        **row.base() | row.named(column),
        survey=survey,
        # With the survey's name: "Comments" alone would be the question of many a survey.
        text=f"{survey}: {row.need('column_label')}",
        datatype=datatype,
        scale_min=least,
        scale_max=most,
    )


def of_article(row: Row) -> list[Record]:
    """What a reader said of an article: stars (0 is none given), whether it helped, words.

    The article is the survey, so that a tie of the configuration can name the service it is about.
    """
    stars, useful = row.number("rating"), row.text("useful")
    helped = _USEFUL.get(useful.lower()) if useful else None
    values = {"rating": stars or None, "useful": helped}
    texts = {"comments": row.text("comments")}
    said = Feedback(
        **row.base(),
        number=row.need("sys_id"),
        survey_ref=row.ref("article"),
        survey=row.text("article.short_description"),
        person_ref=row.ref("user"),
        state="answered",
        original_state="",  # it has none
        answered_at=row.time("sys_created_on") or row.updated(),
    )
    answers = [
        _answer(
            row, said, f"kb_feedback.{column}", value=values.get(column), text=texts.get(column)
        )
        for column in ("rating", "useful", "comments")
        if values.get(column) is not None or texts.get(column)
    ]
    return [said, *answers] if answers else []


def in_journal(row: Row) -> list[Record]:
    """A comment or a work note, and who wrote it: known by user name alone.

    Where user names are e-mail addresses, the person is found by it.
    """
    element = row.need("element")
    column = f"task.{element}"
    said = Feedback(
        **row.base(),
        number=row.need("sys_id"),
        survey=_COLUMNS.get(column, (element,))[0],
        person_ref=row.ref("sys_created_by"),
        contact=row.text("sys_created_by"),
        ticket_ref=row.need_ref("element_id"),
        state="answered",
        original_state=element,
        answered_at=row.updated(),
    )
    text = row.text("value")
    return [said, _answer(row, said, column, text=text)] if text else []


def _answer(row: Row, said: Feedback, column: str, **given: Any) -> Record:
    least, most = _COLUMNS[column][2] if column in _COLUMNS else (None, None)
    element = column.partition(".")[2]
    return Answer(
        **row.base() | {"ref": f"{said.ref}:{element}", "id": f"{said.id}:{element}"},
        feedback_ref=said.ref,
        question_ref=row.named(column)["ref"],
        scale_min=least,
        scale_max=most,
        **given,
    )
