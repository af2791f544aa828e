"""When two notations of a value say the same."""

from __future__ import annotations


def same(stored: str, wished: str) -> bool:
    """Whether two notations say the same: ``1`` and ``true`` differ, ``0.50`` and ``.5`` do not.

    A number that is zero by default on a record nobody wrote to reads as ``0``, or as empty; the
    two are different: empty is *not known*.
    """
    if stored == wished:
        return True
    try:
        return bool(stored and wished) and abs(float(stored) - float(wished)) < 1e-9
    except ValueError:
        return False
