"""The words that came with a rating, where the rating's own field does not hold them.

One call for each rated issue that is read: there is no way to ask for many at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from vmo_bridge.plugin import AccessError
from vmo_bridge_jira.client import JiraClient, NotThere
from vmo_bridge_jira.shapes import RawIssue


class RatingComments:
    """Asks the service desk; ``tell`` takes a note where it lets nobody of ours ask."""

    def __init__(self, client: JiraClient, tell: Callable[[str], None]) -> None:
        self._client = client
        self._tell = tell
        self._refused = False

    def add(self, issues: Sequence[RawIssue], fields: Sequence[str]) -> None:
        """Put the comment beside the rating of each issue that has one in one of ``fields``."""
        for issue in issues:
            for field in fields:
                rating = issue.values.get(field)
                if isinstance(rating, dict) and rating.get("rating") and not rating.get("comment"):
                    rating["comment"] = self._comment(str(issue.id))

    def _comment(self, key: str) -> Any:
        if self._refused:
            return None
        try:
            found = self._client.get(f"/rest/servicedeskapi/request/{key}/feedback")
        except NotThere:
            return None  # it was never a request, or its feedback is gone
        except AccessError as error:
            self._refused = True
            self._tell(f"what people wrote with their ratings is not read: {error}")
            return None
        return found.get("comment") if isinstance(found, dict) else None
