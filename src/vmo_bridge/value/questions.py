"""What a survey question may measure, by its words, its scale and the shape of its answers.

Pure, and careful: what is not clear is not proposed, for a wrong metric is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Scale = tuple[float, float]
_NPS: Final[Scale] = (0.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question, and what is known of its answers without reading what they say."""

    text: str
    datatype: str | None = None
    """The source's own word for the kind of answer."""
    scale: Scale | None = None
    answers: int = 0
    numbers: int = 0
    """How many of the answers are numbers."""
    observed: Scale | None = None
    """The lowest and the highest number, where enough people gave one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is proposed for the question map; ``metric`` None: nothing, and ``why`` says why."""

    metric: str | None
    why: str
    scale: Scale | None = None
    """To be written, where the source does not tell it."""
    best: Literal["high", "low"] = "high"


# The sentences of A-11 section 280, and what cannot be meant otherwise.
_CLEAR: Final[Mapping[str, str]] = {
    "csat": r"\bi am satisfied with",
    "trust": r"increased my (trust|confidence)|\bi trust\b|how much do you trust",
    "effectiveness": r"my need was addressed|my issue was resolved|"
    r"found what i (was looking for|needed)|"
    r"was your (issue|problem|question|request) (resolved|solved|answered)",
    "ease": r"easy to complete what i needed",
    "efficiency": r"reasonable amount of time",
    "transparency": r"underst(an|oo)d what was being asked|treated fairly",
    "employee": r"employees? i interacted with",
    "humanity": r"treated (me )?with (respect|dignity|compassion|empathy)",
}

_WORDS: Final[Mapping[str, str]] = {
    "nps": r"\brecommend",
    "ces": r"\beas(y|e|ily|ier)\b|\beffort(less)?\b|\b(how|was|is|it) (difficult|hard|simple)\b|"
    r"\bdifficult|\bcomplicated\b",
    "csat": r"\b(dis|un)?satisf|\b(un)?happy\b|\bpleased\b|\boverall (experience|impression)\b|"
    r"\brate (your|the|our) (\w+ )?(experience|service|support)\b|"
    r"\bquality of (the |our |your )?(service|support|help)\b",
    "trust": r"\b(dis)?trust|\bconfidence\b|\bconfident\b",
    "effectiveness": r"\beffective",
    "efficiency": r"\befficien|\bquickly\b|\bfast enough\b|\btimely\b",
    "transparency": r"\btransparen|\bkept informed\b",
    "employee": r"^(?=.*\b(agent|analyst|employee|technician|staff|person)s?\b)"
    r"(?=.*\b(courteous|friendly|helpful|polite|professional))",
    "humanity": r"\brespect(ed|fully)?\b|\bdignity\b|\bempath",
}
_LOST: Final = (
    r"\b(lost|lose|losing|cost|wasted?|miss(ed)?|waiting|interrupt(ed)?|unable to work)\b"
)
_TIME: Final = r"\b(minutes?|mins?|hours?|days?|(work(ing)?|productive) time|time)\b"

_BAD: Final[Mapping[str, str]] = {
    "ces": r"\beffort\b|\bdifficult|\bhard\b|\bcomplicated\b",
    "csat": r"\b(dis|un)satisf|\bunhappy\b",
    "trust": r"\bdistrust",
}
"""Words by which a high answer is a bad one, unless a word of ``_GOOD`` stands beside them."""
_GOOD: Final[Mapping[str, str]] = {
    "ces": r"\beas(y|e|ily|ier)\b|\beffortless\b|\bsimple\b|\b(little|low|less) effort\b",
    "csat": r"\bsatisf|\bhappy\b|\bpleased\b|\bexperience\b|\bquality\b",
    "trust": r"\btrust",
}

_TEXTS: Final = r"string|text|essay|open.?ended|comment|paragraph"
_RATINGS: Final = r"scale|likert|rating|number|numeric|nps|percent|slider|star|thumb|bool|yes"
_NO_OPINION: Final = r"date|checkbox|multi|template|file|attachment|signature|ranking|matrix_menu"
_LABEL: Final = (
    r"\b(name|e-?mail|phone|number|department|bureau|office|location|title|id|url|link|address)\b"
)


def propose(asked: Asked) -> Proposal:
    """What the question may measure, with the reason; no metric where that is not clear."""
    words = " ".join(asked.text.casefold().split())
    datatype = (asked.datatype or "").casefold()
    if asked.scale is None and re.search(_NO_OPINION, datatype):
        return _nothing(f"answers of the kind {asked.datatype!r} are no rating and no text")
    if _is_text(asked, datatype):
        return _text(words)
    if not (asked.scale or asked.numbers or re.search(_RATINGS, datatype)):
        return _nothing("neither its scale nor an answer tells what kind of question it is")
    if re.search(_LOST, words) and re.search(_TIME, words):
        return _lost_time(asked, words)
    metrics = _fitting(words)
    if len(metrics) != 1:
        told = f"its words fit {' and '.join(metrics)}" if metrics else "its words fit no metric"
        return _nothing(told)
    return _rated(asked, metrics[0], words)


def _nothing(why: str) -> Proposal:
    return Proposal(metric=None, why=why)


def _is_text(asked: Asked, datatype: str) -> bool:
    if asked.numbers:
        return False
    # A platform may give even a text question the default ends of a scale.
    if re.search(_TEXTS, datatype):
        return True
    return asked.scale is None and not datatype and asked.answers > 0


def _text(words: str) -> Proposal:
    if re.search(_LABEL, words) and not re.search(r"comment|tell us|\bwhy\b|feedback", words):
        return _nothing("free text, but it asks for a name or a number")
    return Proposal(metric="comment", why="free text")


def _lost_time(asked: Asked, words: str) -> Proposal:
    if not re.search(r"\bmin(ute)?s?\b", words):
        return _nothing("asks for lost time, but not in minutes, which is what lost_time counts")
    if asked.scale is not None and asked.scale[1] - asked.scale[0] <= 20:
        return _nothing(f"asks for lost time, but on boxes ({_told(asked.scale)}), not in minutes")
    return Proposal(metric="lost_time", why="asks for minutes lost")


def _fitting(words: str) -> list[str]:
    """The metrics that the words speak of; a clear sentence beats single words."""
    clear = [metric for metric, pattern in _CLEAR.items() if re.search(pattern, words)]
    return clear or [metric for metric, pattern in _WORDS.items() if re.search(pattern, words)]


def _rated(asked: Asked, metric: str, words: str) -> Proposal:
    if metric == "nps":
        return _nps(asked)
    scale, told = asked.scale, "the source's scale"
    if scale is None:
        scale, told = asked.observed, "observed, so its ends may lie further out"
    if scale is None or not scale[0] < scale[1]:
        return _nothing(
            f"sounds like {metric}, but its scale is not known and too few answers show it"
        )
    best, remark = _good_end(metric, words)
    return Proposal(
        metric=metric,
        why=f"its words; {_told(scale)} ({told}){remark}",
        scale=scale if asked.scale is None else None,
        best=best,
    )


def _good_end(metric: str, words: str) -> tuple[Literal["high", "low"], str]:
    """Which end of the scale is the good one, and what to say of it."""
    bad = re.search(_BAD[metric], words) if metric in _BAD else None
    if bad is None:
        return "high", ""
    if re.search(_GOOD[metric], words):
        return "high", "; both ends are named: high is taken for the good one, check it"
    return "low", f"; {bad[0]!r} means that low is the good end"


def _nps(asked: Asked) -> Proposal:
    if asked.scale is not None:
        if asked.scale == _NPS:
            return Proposal(metric="nps", why="asks for a recommendation on 0 to 10")
        return _nothing(f"asks for a recommendation, but on {_told(asked.scale)}: nps is 0 to 10")
    seen = asked.observed
    if seen is None or not (seen[0] >= 0 and 7 < seen[1] <= 10):
        return _nothing("asks for a recommendation, but nothing shows that it is on 0 to 10")
    return Proposal(
        metric="nps",
        why=f"asks for a recommendation; {_told(seen)} observed, taken for the 0 to 10 of nps",
        scale=_NPS,
    )


def _told(scale: Scale) -> str:
    return f"{scale[0]:g} to {scale[1]:g}"
