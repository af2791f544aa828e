"""The conformance suites that a plugin's tests subclass; docs/plugins.md shows how.

It needs pytest, which the product itself does not: only tests import this package.
"""

from vmo_bridge.testing.quality import QualityContract
from vmo_bridge.testing.reading import ReadingContract
from vmo_bridge.testing.reconciling import ReconcilingContract
from vmo_bridge.testing.records import RecordsContract
from vmo_bridge.testing.source import Broken, Source, Target
from vmo_bridge.testing.trouble import TroubleContract
from vmo_bridge.testing.writing import WritingContract


class ConnectorContract(
    ReadingContract, RecordsContract, TroubleContract, ReconcilingContract, WritingContract
):
    """Everything the core asks of a connector.

    Subclass it as ``Test…`` and give the fixture ``source``. What the source cannot do is skipped,
    with the reason.
    """


__all__ = [
    "Broken",
    "ConnectorContract",
    "QualityContract",
    "ReadingContract",
    "ReconcilingContract",
    "RecordsContract",
    "Source",
    "Target",
    "TroubleContract",
    "WritingContract",
]
