"""What is attached to an issue: links to other places, and comments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vmo_bridge.sandbox.jira.issues import Issues, may_edit
from vmo_bridge.sandbox.jira.render import Renderer, plain
from vmo_bridge.sandbox.jira.replies import JiraCall, JiraRefused, whole
from vmo_bridge.sandbox.jira.store import Attached, Issue, JiraStore
from vmo_bridge.sandbox.servicenow.replies import Reply

LINK, COMMENT = "remotelink", "comment"
_LINK_PARTS = ("globalId", "application", "relationship", "object")
_LONGEST = 255
_PAGE = 100
_MOST = 5000
_NO_LINK = "The remote issue link does not exist."
_NO_COMMENT = "Can not find a comment for the id."

_Answer = Callable[[JiraCall, Issue], Reply]
_Single = Callable[[JiraCall, Issue, Attached], Reply]


class Attachments:
    """``/issue/{key}/remotelink`` and ``/issue/{key}/comment``, each also with an id."""

    def __init__(self, store: JiraStore, issues: Issues) -> None:
        self._store = store
        self._issues = issues

    def answer(self, call: JiraCall, name: str, kind: str, number: str | None) -> Reply:
        """One call; whoever may edit an issue may attach to it, and change what others did."""
        issue = self._issues.found(name)
        if call.method != "GET":
            may_edit(call)
        if number is None:
            several: dict[tuple[str, str], _Answer] = {
                (LINK, "GET"): self._links, (LINK, "POST"): self._add_link,
                (LINK, "DELETE"): self._drop_by_global_id, (COMMENT, "GET"): self._comments,
                (COMMENT, "POST"): self._add_comment,
            }  # fmt: skip
            whole_kind = several.get((kind, call.method))
            if whole_kind is None:
                raise JiraRefused(405, "Method Not Allowed")
            return whole_kind(call, issue)
        singles: dict[tuple[str, str], _Single] = {
            (LINK, "GET"): self._link, (LINK, "PUT"): self._put_link,
            (COMMENT, "GET"): self._comment, (COMMENT, "PUT"): self._put_comment,
            (LINK, "DELETE"): self._drop_link, (COMMENT, "DELETE"): self._drop_comment,
        }  # fmt: skip
        single = singles.get((kind, call.method))
        if single is None:
            raise JiraRefused(405, "Method Not Allowed")
        found = [each for each in self._store.attached(kind, issue["id"]) if each.id == int(number)]
        if not found:
            raise JiraRefused(404, _NO_LINK if kind == LINK else _NO_COMMENT)
        return single(call, issue, found[0])

    # -- links to other places ---------------------------------------------------------------

    def _links(self, call: JiraCall, issue: Issue) -> Reply:
        """All of them; with ``globalId`` the one that has it."""
        wanted = call.asked().get("globalId")
        links = self._store.attached(LINK, issue["id"])
        if wanted is None:
            return Reply(200, [_shown_link(call, issue, each) for each in links])
        return Reply(200, _shown_link(call, issue, _by_global_id(links, str(wanted))))

    def _link(self, call: JiraCall, issue: Issue, link: Attached) -> Reply:
        return Reply(200, _shown_link(call, issue, link))

    def _add_link(self, call: JiraCall, issue: Issue) -> Reply:
        """201 for a new one; one whose ``globalId`` is known is changed, and 200 says so."""
        content = _link_content(call)
        known = [
            each.id
            for each in self._store.attached(LINK, issue["id"])
            if content.get("globalId") and each.content.get("globalId") == content["globalId"]
        ]
        to = known[0] if known else None
        made = self._store.attach(LINK, issue, content, call.account.user_name, to=to)
        shown = {"id": made, "self": _address(call, issue, LINK, made)}
        return Reply(200 if known else 201, shown)

    def _put_link(self, call: JiraCall, issue: Issue, link: Attached) -> Reply:
        content = _link_content(call)
        self._store.attach(LINK, issue, content, call.account.user_name, to=link.id)
        return Reply(204)

    def _drop_link(self, call: JiraCall, issue: Issue, link: Attached) -> Reply:
        self._store.detach(LINK, issue, link.id, call.account.user_name)
        return Reply(204)

    def _drop_by_global_id(self, call: JiraCall, issue: Issue) -> Reply:
        wanted = call.asked().get("globalId")
        if not wanted:
            raise JiraRefused(400, "The globalId has to be given.")
        links = self._store.attached(LINK, issue["id"])
        return self._drop_link(call, issue, _by_global_id(links, str(wanted)))

    # -- comments ----------------------------------------------------------------------------

    def _comments(self, call: JiraCall, issue: Issue) -> Reply:
        """A page of them; Data Center gives all unless it is asked for fewer."""
        asked = call.asked()
        found = self._store.attached(COMMENT, issue["id"])
        if str(asked.get("orderBy", "")).startswith("-"):
            found.reverse()
        start = max(0, whole(asked.get("startAt"), 0))
        usual = _PAGE if call.cloud else max(len(found), 1)
        size = min(max(1, whole(asked.get("maxResults"), usual)), _MOST)
        page = [self._shown_comment(call, issue, each) for each in found[start : start + size]]
        body = {"startAt": start, "maxResults": size, "total": len(found), "comments": page}
        return Reply(200, body)

    def _comment(self, call: JiraCall, issue: Issue, comment: Attached) -> Reply:
        return Reply(200, self._shown_comment(call, issue, comment))

    def _add_comment(self, call: JiraCall, issue: Issue) -> Reply:
        content = {"body": _comment_body(call)}
        made = self._store.attach(COMMENT, issue, content, call.account.user_name, to=None)
        return Reply(201, self._again(call, issue, made))

    def _put_comment(self, call: JiraCall, issue: Issue, comment: Attached) -> Reply:
        content = {"body": _comment_body(call)}
        self._store.attach(COMMENT, issue, content, call.account.user_name, to=comment.id)
        return Reply(200, self._again(call, issue, comment.id))

    def _drop_comment(self, call: JiraCall, issue: Issue, comment: Attached) -> Reply:
        self._store.detach(COMMENT, issue, comment.id, call.account.user_name)
        return Reply(204)

    def _again(self, call: JiraCall, issue: Issue, number: int) -> dict[str, Any]:
        found = {each.id: each for each in self._store.attached(COMMENT, issue["id"])}
        return self._shown_comment(call, issue, found[number])

    def _shown_comment(self, call: JiraCall, issue: Issue, comment: Attached) -> dict[str, Any]:
        renderer = Renderer(self._store, call)
        author = renderer.user(comment.author)
        return {
            "self": _address(call, issue, COMMENT, comment.id),
            "id": str(comment.id),
            "author": author,
            "updateAuthor": author,
            "body": renderer.text(comment.content["body"]),
            "created": renderer.moment(comment.created),
            "updated": renderer.moment(comment.updated),
        }


def _address(call: JiraCall, issue: Issue, kind: str, number: int) -> str:
    return f"{call.base}/rest/api/{call.version}/issue/{issue['id']}/{kind}/{number}"


def _shown_link(call: JiraCall, issue: Issue, link: Attached) -> dict[str, Any]:
    return {"id": link.id, "self": _address(call, issue, LINK, link.id), **link.content}


def _by_global_id(links: list[Attached], wanted: str) -> Attached:
    found = [each for each in links if each.content.get("globalId") == wanted]
    if not found:
        raise JiraRefused(404, _NO_LINK)
    return found[0]


def _link_content(call: JiraCall) -> dict[str, Any]:
    """What of a link is kept; an address and a title are wanted."""
    body = call.body()
    given = body.get("object")
    shown = given if isinstance(given, dict) else {}
    errors = {
        name: f"'{name}' is required."
        for name in ("url", "title")
        if not isinstance(shown.get(name), str) or not shown[name]
    }
    for name, value in (("title", shown.get("title")), ("globalId", body.get("globalId"))):
        if isinstance(value, str) and len(value) > _LONGEST:
            errors[name] = f"'{name}' must be no longer than {_LONGEST} characters."
    if errors:
        raise JiraRefused(400, errors=errors)
    return {name: body[name] for name in _LINK_PARTS if body.get(name) is not None}


def _comment_body(call: JiraCall) -> str:
    """The text of a comment: wiki text in version 2, a document in version 3."""
    given = call.body().get("body")
    is_document = isinstance(given, dict) and given.get("type") == "doc"
    if call.version == "3" and not is_document:
        raise JiraRefused(400, errors={"comment": "Comment body is not valid!"})
    text = plain(given) if is_document else given
    if not isinstance(text, str) or not text.strip():
        raise JiraRefused(400, errors={"comment": "Comment body can not be empty!"})
    return text
