"""What the demo tells of every instance, be it the agency's or a log's."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vmo_bridge.publish.stage import PublishOutcome


def published(outcomes: Sequence[PublishOutcome]) -> Iterator[str]:
    """What was written to each target."""
    lead = "4  publish "
    for each in outcomes:
        if each.delivery is not None:
            yield (
                f"{lead} {each.target}: {each.delivery.stored} records written and read back, "
                f"{each.counts()['unchanged']} unchanged, {len(each.delivery.troubled)} not stored"
            )
            lead = " " * len(lead)
    if not lead.isspace():
        yield f"{lead} nothing"


def stages(seconds: Mapping[str, float]) -> str:
    """How long each stage took."""
    return ", ".join(f"{stage} {taken:.1f} s" for stage, taken in seconds.items())


def command() -> str:
    """How the person called us, so that lines can be pasted."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "vmo-bridge" else "vmo-bridge"


def pages(url: str, config: Path) -> str:
    """Where the sandbox's own pages are, now and later."""
    again = f"{command()} sandbox --dir {config.parent / 'sandbox'}"
    return f"  {url}/   the sandbox's own pages (later: {again})"
