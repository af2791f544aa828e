"""What the check says of each form: its files, its columns, and what is odd about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vmo_bridge.plugin import CheckRow
from vmo_bridge_files.folder import belongs
from vmo_bridge_files.form import FAILURES, Form
from vmo_bridge_files.layout import Layout, changes
from vmo_bridge_files.settings import FilesSettings

_MOST_NAMES = 5


def check_form(form: Form, questions: str) -> Iterator[CheckRow]:
    """The rows of one form; only the headers of files are read."""
    look = form.look()
    waiting, refused = look.waiting, dict(look.refused)
    newest: Layout | None = None
    odd: list[str] = []
    good = taken = 0
    for export in look.ready:
        is_taken = form.books.taken(form.name, export.sha256, form.hash) is not None
        try:
            newest = form.layout(export)
        except FAILURES as reason:
            refused[export.name] = str(reason)
            continue
        good, taken = good + 1, taken + is_taken
        before = form.books.header(form.name)
        if before is not None and not is_taken and (told := changes(before, newest.names)):
            odd.append(f"{export.name}: {told}")
    yield _questions_row(questions, newest)
    found = [f"files: {good}, taken: {taken}"] if good else ["no file yet"]
    found += [f"{name} waits: {why}" for name, why in waiting.items()]
    detail = "; ".join(found)
    yield CheckRow(what=form.name, state="ok" if good and not waiting else "warning", detail=detail)
    for name, why in refused.items():
        yield CheckRow(what=form.name, state="failed", detail=f"{name} {why}")
    for each in odd:
        yield CheckRow(what=form.name, state="warning", detail=each)


def _questions_row(name: str, newest: Layout | None) -> CheckRow:
    if newest is None:
        return CheckRow(what=name, state="warning", detail="no file that could be read yet")
    asked = [repr(each.header) for each in newest.questions]
    dropped = [repr(each) for each in newest.dropped]
    detail = f"{len(asked)} questions"
    detail += f": {_some(asked)}" if asked else ""
    detail += f"; not read: {_some(dropped)}" if dropped else ""
    return CheckRow(what=name, state="ok" if asked else "warning", detail=detail)


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def unclaimed(names: Iterable[str], settings: FilesSettings) -> Iterator[CheckRow]:
    """Files that are of no form, or of two."""
    for name in sorted(names):
        forms = [form for form, entry in settings.forms.items() if belongs(name, entry)]
        if not forms:
            yield CheckRow(what=name, state="warning", detail="no form's files have such a name")
        elif len(forms) > 1:
            detail = f"is read for more than one form: {', '.join(forms)}"
            yield CheckRow(what=name, state="warning", detail=detail)
