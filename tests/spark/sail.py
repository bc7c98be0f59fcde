"""A server of Sail, which speaks Spark's language without Java; run by the Python where it is installed.

Sail is for tests and never for figures: its whole numbers overflow without a word, so what it says is only ever
compared with DuckDB's.

    python tests/spark/sail.py

Prints its port, and ends when its input does.
"""

from __future__ import annotations

import sys

from pysail.spark import SparkConnectServer

server = SparkConnectServer(port=0)
server.start(background=True)
sys.stdout.write(f"{server.listening_address[1]}\n")
sys.stdout.flush()
sys.stdin.read()
server.stop()
