"""Rows of the survey tables: definitions, questions, what was sent, what was answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from vmo_bridge.sandbox.agency import calendar
from vmo_bridge.sandbox.agency.model import Agency, Answer, Ticket
from vmo_bridge.sandbox.servicenow import moments
from vmo_bridge.sandbox.servicenow.catalogue import sys_id
from vmo_bridge.sandbox.servicenow.dictionary import Row

_SURVEYS = {"incident": "Incident resolution survey", "request": "Request fulfilment survey"}
_TABLES = {"incident": "incident", "request": "sc_req_item"}
# name, question, data type, lowest and highest value
_QUESTIONS = (
    ("Satisfaction", "How satisfied are you with the way this was handled?", "scale", "1", "5"),
    ("Lost working time", "How many minutes of work did this cost you?", "number", "0", "10000"),
    ("Comment", "What should we know?", "string", "", ""),
)
_OPTIONS = ("Very dissatisfied", "Dissatisfied", "Neutral", "Satisfied", "Very satisfied")


def survey_rows(agency: Agency, seed: str) -> Iterator[tuple[str, list[Row]]]:
    """(table, rows) of the assessment tables."""
    yield from _definitions(seed)
    asked = [ticket for ticket in agency.tickets if ticket.survey]
    asked.sort(key=lambda ticket: ticket.survey.sent if ticket.survey else ticket.opened)
    instances, questions, results = [], [], []
    for number, ticket in enumerate(asked, start=10_001):
        instances.append(_instance(seed, ticket, f"AINST{number:07d}"))
        for question, result in _answers(seed, ticket):
            questions.append(question)
            results.append(result)
    yield "asmt_assessment_instance", instances
    yield "asmt_assessment_instance_question", questions
    yield "asmt_metric_result", results


def _definitions(seed: str) -> Iterator[tuple[str, list[Row]]]:
    types, categories, metrics, options = [], [], [], []
    for survey in _SURVEYS.values():
        metric_type = sys_id(seed, "asmt_metric_type", survey)
        category = sys_id(seed, "asmt_metric_category", survey)
        types.append(
            {"sys_id": metric_type, "name": survey, "evaluation_method": "survey",
             "publish_state": "published", "active": "true",
             "assessment_duration": moments.duration(14 * 86_400)}
        )  # fmt: skip
        categories.append(
            {"sys_id": category, "name": survey, "metric_type": metric_type, "weight": "10"}
        )
        for order, (name, question, datatype, low, high) in enumerate(_QUESTIONS):
            metric = sys_id(seed, "asmt_metric", survey, name)
            metrics.append(
                {"sys_id": metric, "name": name, "question": question, "datatype": datatype,
                 "category": category, "metric_type": metric_type, "method": "assessment",
                 "scale": "high", "min": low, "max": high, "order": str(order),
                 "mandatory": "true" if order < 2 else "false", "weight": "10", "active": "true"}
            )  # fmt: skip
            if datatype == "scale":
                options += [
                    {"sys_id": sys_id(seed, "asmt_metric_definition", survey, display),
                     "metric": metric, "display": display, "value": str(value),
                     "order": str(value)}
                    for value, display in enumerate(_OPTIONS, start=1)
                ]  # fmt: skip
    yield "asmt_metric_type", types
    yield "asmt_metric_category", categories
    yield "asmt_metric", metrics
    yield "asmt_metric_definition", options


def _instance(seed: str, ticket: Ticket, number: str) -> Row:
    survey = ticket.survey
    if survey is None:
        raise ValueError(ticket.number)
    table = _TABLES[ticket.kind]
    task = sys_id(seed, table, ticket.number)
    answer = survey.answer
    expired = answer is None and survey.due <= calendar.DATA_END
    updated = answer.taken if answer else survey.due if expired else survey.sent
    day = survey.due.strftime("%Y-%m-%d")
    return {
        "sys_id": sys_id(seed, "asmt_assessment_instance", ticket.number),
        "number": number,
        "metric_type": sys_id(seed, "asmt_metric_type", _SURVEYS[ticket.kind]),
        "user": sys_id(seed, "sys_user", ticket.caller),
        "state": "complete" if answer else "expired" if expired else "ready",
        "taken_on": moments.text(answer.taken) if answer else "",
        "due_date": day,
        "expiration_date": day,
        "percent_answered": "100" if answer else "0",
        "trigger_table": table,
        "trigger_id": task,
        "task_id": task,
        "sys_created_on": moments.text(survey.sent),
        "sys_updated_on": moments.text(updated),
    }


def _answers(seed: str, ticket: Ticket) -> Iterator[tuple[Row, Row]]:
    answer = ticket.survey.answer if ticket.survey else None
    if answer is None:
        return
    survey = _SURVEYS[ticket.kind]
    for name, _, datatype, _, _ in _QUESTIONS:
        value, text = _value(answer, name)
        common = {
            "metric": sys_id(seed, "asmt_metric", survey, name),
            "instance": sys_id(seed, "asmt_assessment_instance", ticket.number),
            "source_table": "asmt_metric_type",
            "source_id": sys_id(seed, "asmt_metric_type", survey),
            "string_value": text,
            **_stamps(answer.taken),
        }
        question = sys_id(seed, "asmt_assessment_instance_question", ticket.number, name)
        asked = {
            "sys_id": question,
            "category": sys_id(seed, "asmt_metric_category", survey),
            "value": "" if datatype == "string" else value,
        }
        result = {
            "sys_id": sys_id(seed, "asmt_metric_result", ticket.number, name),
            "instance_question": question,
            "user": sys_id(seed, "sys_user", ticket.caller),
            "actual_value": value,
            "normalized_value": f"{(answer.rating - 1) * 2.5:g}" if datatype == "scale" else "",
        }
        yield common | asked, common | result


def _value(answer: Answer, name: str) -> tuple[str, str]:
    """(actual_value, string_value): the platform writes -1 for texts, N/A for no text."""
    if name == "Satisfaction":
        return str(answer.rating), _OPTIONS[answer.rating - 1]
    if name == "Comment":
        return "-1", answer.comment or "N/A"
    return str(answer.lost_minutes), ""


def _stamps(taken: datetime) -> Row:
    """Results are reckoned a little after the answer was given."""
    later = min(taken + timedelta(seconds=40), calendar.DATA_END)
    return {"sys_created_on": moments.text(taken), "sys_updated_on": moments.text(later)}
