"""The numbers behind the labels of the log: it tells "Awaiting Vendor", the platform stores 100."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import count

#: The incident states of an instance of that time (later ones folded 3 to 5 into "On Hold").
STATES = {
    "New": "1",
    "Active": "2",
    "Awaiting Problem": "3",
    "Awaiting User Info": "4",
    "Awaiting Evidence": "5",
    "Resolved": "6",
    "Closed": "7",
}
NOTIFY = {"Do Not Notify": "1", "Send Email": "2"}
NOT_IN_THE_LOG = ("-999", "Not in the log")
"""State of a record that the log only names: value and label."""

_OWN = 100
_NUMBER = re.compile(r"-?\d{1,9}", re.ASCII)


def numbers(labels: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Label to number: the platform's own; a label that is a number stands for itself (-100).

    A label of the customer's own gets the next number from 100 on, in order of the alphabet.
    """
    found: dict[str, str] = {}
    own = []
    for label in sorted(labels):
        if label in known:
            found[label] = known[label]
        elif _NUMBER.fullmatch(label):
            found[label] = str(int(label))
        else:
            own.append(label)
    taken = set(found.values())
    free = (number for each in count(_OWN) if (number := str(each)) not in taken)
    return found | dict(zip(own, free, strict=False))
