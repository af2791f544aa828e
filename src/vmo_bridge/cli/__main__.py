"""Lets ``python -m vmo_bridge.cli`` stand for ``vmo-bridge``."""

from vmo_bridge.cli import main

main()
