"""Read several slices at once: threads fetch and decode pages, one place takes them in."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from vmo_bridge.connectors.contract import Page

Piece = TypeVar("Piece")
_AHEAD = 2
"""Pages a thread may be ahead of what is kept: a bound on memory."""


def pages_at_once(
    pieces: Sequence[Piece], read: Callable[[Piece], Iterator[Page]], at_once: int
) -> Iterator[tuple[Piece, Page | None]]:
    """(piece, page) as they come, those of one piece in their order; (piece, None): it is whole.

    A piece that fails ends them all: its error is raised here, and what was not taken is read
    again. Whoever stops taking (closes the iterator) ends the threads at their next page.
    """
    if at_once <= 1 or len(pieces) <= 1:
        for piece in pieces:
            yield from ((piece, page) for page in read(piece))
            yield piece, None
        return
    ready: queue.Queue[tuple[Piece, Page | None] | BaseException] = queue.Queue(at_once * _AHEAD)
    ended = threading.Event()
    with ThreadPoolExecutor(at_once, thread_name_prefix="slice") as threads:
        for piece in pieces:
            threads.submit(_deliver, piece, read, ready, ended)
        try:
            whole = 0
            while whole < len(pieces):
                delivery = ready.get()
                if isinstance(delivery, BaseException):
                    raise delivery
                whole += delivery[1] is None
                yield delivery
        finally:
            ended.set()


def _deliver(
    piece: Piece,
    read: Callable[[Piece], Iterator[Page]],
    ready: queue.Queue[tuple[Piece, Page | None] | BaseException],
    ended: threading.Event,
) -> None:
    try:
        for page in read(piece):
            if not _put((piece, page), ready, ended):
                return
        _put((piece, None), ready, ended)
    except BaseException as error:  # noqa: BLE001 - raised again where the pages are taken
        _put(error, ready, ended)


def _put(
    delivery: tuple[Piece, Page | None] | BaseException,
    ready: queue.Queue[tuple[Piece, Page | None] | BaseException],
    ended: threading.Event,
) -> bool:
    """Hand over; False if nobody takes any more."""
    while not ended.is_set():
        try:
            ready.put(delivery, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
