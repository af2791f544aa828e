"""The conformance suites that a plugin's tests subclass; docs/plugins.md shows how.

It needs pytest, which the product itself does not: only tests import this package.
"""

from vmo_bridge.testing.connector import ConnectorContract
from vmo_bridge.testing.keeping import KeepingContract
from vmo_bridge.testing.quality import QualityContract
from vmo_bridge.testing.reading import ReadingContract
from vmo_bridge.testing.reconciling import ReconcilingContract
from vmo_bridge.testing.records import RecordsContract
from vmo_bridge.testing.refusing import RefusingContract
from vmo_bridge.testing.source import Broken, Source, Target
from vmo_bridge.testing.trouble import TroubleContract
from vmo_bridge.testing.wire import Wire
from vmo_bridge.testing.writing import WritingContract

__all__ = [
    "Broken",
    "ConnectorContract",
    "KeepingContract",
    "QualityContract",
    "ReadingContract",
    "ReconcilingContract",
    "RecordsContract",
    "RefusingContract",
    "Source",
    "Target",
    "TroubleContract",
    "Wire",
    "WritingContract",
]
