"""Pluggy hooks: what plugins are asked for, what they hand over, and how they are loaded."""
