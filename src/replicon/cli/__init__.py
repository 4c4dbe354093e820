"""The command ``replicon``."""

from replicon.cli.app import app, main, run

__all__ = ["app", "main", "run"]
