"""VMO Bridge: the hub of a Value Management Office beside existing ITSM platforms."""

__version__ = "0.1.0"
