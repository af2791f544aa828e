"""Documents of the Cloud as text: every word once, and nobody's name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge_jira.adf import is_document, text_of
from vmo_bridge_jira.flatten import shown, without_people


def doc(*content: Any) -> dict[str, Any]:
    return {"type": "doc", "version": 1, "content": list(content)}


def block(kind: str, *content: Any, **attrs: Any) -> dict[str, Any]:
    return {"type": kind, "attrs": attrs, "content": list(content)}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def test_blocks_are_lines_and_lists_and_tables_keep_their_words() -> None:
    document = doc(
        block("heading", text("It broke"), level=2),
        block("paragraph", text("See "), text("INC0012345"), {"type": "hardBreak"}, text("now")),
        block("bulletList", block("listItem", block("paragraph", text("one"))),
              block("listItem", block("paragraph", text("two")))),
        block("table", block("tableRow", block("tableHeader", block("paragraph", text("a"))),
                             block("tableCell", block("paragraph", text("b"))))),
        block("codeBlock", text("x = 1")),
    )  # fmt: skip
    assert text_of(document) == "It broke\nSee INC0012345\nnow\none\ntwo\na b\nx = 1"


def test_who_is_mentioned_is_not_named() -> None:
    mention = {"type": "mention", "attrs": {"id": "557058:abc", "text": "@Jane Doe"}}
    document = doc(block("paragraph", mention, text(" saw it, "), text("[~jdoe]")))
    assert without_people(document) == "[~user] saw it, [~user]"
    assert shown(document) == "[~user] saw it, [~user]"


def test_what_is_no_document_is_left_as_it_is() -> None:
    assert without_people({"type": "user", "content": 1}) == {"type": "user", "content": 1}
    assert without_people("plain") == "plain"
    assert without_people(None) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["type", "content", "attrs", "text"]), inner, max_size=4
    ),
)  # fmt: skip


@given(content=JSON)
def test_whatever_stands_in_a_document_it_gives_a_text(content: Any) -> None:
    assert isinstance(text_of({"type": "doc", "content": content}), str)


@pytest.mark.parametrize("value", [None, "doc", [], {"type": "doc"}, {"content": []}])
def test_only_a_document_is_one(value: Any) -> None:
    assert not is_document(value)


def test_a_document_nested_without_end_ends() -> None:
    node: dict[str, Any] = block("paragraph", text("deep"))
    for _ in range(5000):
        node = block("panel", node)
    assert text_of(doc(node, block("paragraph", text("flat")))) == "flat"
