"""Rows of knowledge: an article a matter that people ask for, and what readers say of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from vmo_bridge.sandbox.agency import calendar
from vmo_bridge.sandbox.agency.model import Agency, Service, Topic
from vmo_bridge.sandbox.servicenow import moments
from vmo_bridge.sandbox.servicenow.catalogue import sys_id
from vmo_bridge.sandbox.servicenow.dictionary import Row

_BASE = "IT help for everybody"
_MOST_READERS = 6
"""Who says something of an article in the year, at most."""
_STARS = (1, 2, 3, 4, 5)
_WEIGHTS = (4, 6, 15, 40, 35)
_SAID = {
    True: ("Just what I needed.", "Clear, thank you.", "Worked at once."),
    False: ("The pictures are of the old version.", "Step 3 is missing.", "Did not work for me."),
}


def knowledge_rows(agency: Agency, seed: str) -> Iterator[tuple[str, list[Row]]]:
    """(table, rows) of articles and feedback; drawn by itself, so that it moves nothing else."""
    random = Random(f"{seed} knowledge")  # noqa: S311 — repeatable, nothing secret
    base = sys_id(seed, "kb_knowledge_base", _BASE)
    yield "kb_knowledge_base", [{"sys_id": base, "title": _BASE, "active": "true"}]
    articles, feedback = [], []
    readers = [person.user_name for person in agency.people if person.active]
    authors = {team.name: team.members for team in agency.teams}
    matters = [(service, topic) for service in agency.services for topic in service.requests]
    for number, (service, topic) in enumerate(matters, start=10_001):
        author = random.choice(authors[service.team])
        article = _article(seed, number, service, topic, author)
        said = [_said(seed, random, article, each) for each in _some(random, readers)]
        articles.append(article | _figures(random, said))
        feedback += said
    yield "kb_knowledge", articles
    yield "kb_feedback", feedback


def _article(seed: str, number: int, service: Service, topic: Topic, author: str) -> Row:
    name = f"KB{number:07d}"
    published = calendar.DATA_START + timedelta(days=number % 60)
    return {
        "sys_id": sys_id(seed, "kb_knowledge", name),
        "number": name,
        "article_id": name,
        "short_description": f"{service.name}: how to ask for {topic.key}",
        "text": f"<p>Order it in the catalogue under {service.name}: {topic.phrases[0]}.</p>",
        "workflow_state": "published",
        "kb_knowledge_base": sys_id(seed, "kb_knowledge_base", _BASE),
        "cmdb_ci": sys_id(seed, "cmdb_ci_service", service.name),
        "author": sys_id(seed, "sys_user", author),
        "published": f"{published:%Y-%m-%d}",
        "valid_to": "2100-01-01",
        "active": "true",
        "sys_created_on": moments.text(published),
        "sys_created_by": author,
    }


def _some(random: Random, readers: list[str]) -> list[str]:
    return random.sample(readers, random.randint(0, _MOST_READERS))


def _said(seed: str, random: Random, article: Row, reader: str) -> Row:
    begin = moments.read(article["sys_created_on"]) or calendar.DATA_START
    at = moments.text(calendar.moment(random, begin, calendar.DATA_END))
    stars = random.choices(_STARS, _WEIGHTS)[0]
    helped = stars >= 4
    rated = random.random() < 0.7
    return {
        "sys_id": sys_id(seed, "kb_feedback", article["number"], reader),
        "article": article["sys_id"],
        "user": sys_id(seed, "sys_user", reader),
        "rating": str(stars) if rated else "0",
        "useful": ("yes" if helped else "no") if not rated or random.random() < 0.5 else "",
        "comments": random.choice(_SAID[helped]) if random.random() < 0.3 else "",
        "flagged": "false",
        "sys_created_on": at,
        "sys_created_by": reader,
    }


def _figures(random: Random, said: list[Row]) -> Row:
    """What the platform counts of an article itself."""
    stars = [int(each["rating"]) for each in said if each["rating"] != "0"]
    return {
        "sys_view_count": str(40 * len(said) + random.randrange(200)),
        "use_count": str(sum(each["useful"] == "yes" for each in said)),
        "rating": f"{sum(stars) / len(stars):.2f}" if stars else "",
    }
