"""The command line `journeymart`: one file for each group of commands.

What lives here: where it is entered. Not here: the commands (app.py and its neighbours), what they do.
"""

from orchestration.cli.app import main

__all__ = ["main"]
