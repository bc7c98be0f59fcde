"""What a night on an engine needs, looked at: pyspark, Java, the engine, and whether both see the data folder.

What lives here: looking, and a sentence for each. Not here: how they are shown (orchestration/cli/doctor.py).
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestration.config.settings import PROJECT, Settings
from orchestration.config.sources_file import EngineKeys
from orchestration.engine.night import spark_python
from orchestration.engine.process import HAS_SPARK, spark_environment
from orchestration.engine.run import CONNECT

# Of these the marts are known to be equal (docs/spark.md).
_TESTED = "4"
_OLDEST_JAVA = 17
# Seconds. A driver is started within one on a machine that has nothing else to do.
_ANSWER = 300
_REACH = 10


@dataclass(frozen=True)
class Finding:
    """Something looked at: whether a night can do with it, and what was found or is to be done."""

    what: str
    is_fine: bool
    said: str


def inspect(engine: EngineKeys, settings: Settings) -> Iterator[Finding]:
    """Look at all of it, in the order in which a night needs it; what needs what is not there is not looked at."""
    is_connect = engine.address.startswith(CONNECT)
    looks = [pyspark(spark_python(settings)), reach(engine.address) if is_connect else java()]
    yield from looks
    if all(found.is_fine for found in looks):
        yield answer(engine.address, settings)


def pyspark(python: Path) -> Finding:
    """Whether there is a Python that speaks to Spark."""
    asked = "from pyspark import __version__; print(__version__)"
    try:
        done = subprocess.run([str(python), "-c", asked], capture_output=True, text=True, check=False)
    except OSError as error:
        return Finding("pyspark", False, f"{python} cannot be started ({error.strerror}): {HAS_SPARK}.")
    if done.returncode:
        return Finding("pyspark", False, f"{python} has no pyspark: install pyspark 4 there, or {HAS_SPARK}.")
    found = done.stdout.strip()
    if found.partition(".")[0] != _TESTED:
        return Finding("pyspark", False, f"{found} is installed in {python}: install pyspark {_TESTED} there.")
    return Finding("pyspark", True, f"{found} in {python}")


def java() -> Finding:
    """Whether there is a Java that a driver can be started with."""
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    remedy = f"install Java {_OLDEST_JAVA}, or set JAVA_HOME to one, or name a server: sc://host:port"
    if program is None:
        return Finding("java", False, f"is not found, and a master needs it: {remedy}.")
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)[^"]*"', said)
    if version is None or int(version[1]) < _OLDEST_JAVA:
        return Finding("java", False, f"{program} is none that Spark 4 runs on: {remedy}.")
    return Finding("java", True, version[0].removeprefix("version ").strip('"'))


def reach(address: str) -> Finding:
    """Whether anything answers at an address; Spark's client would go on asking for minutes."""
    host, _, port = address.removeprefix(CONNECT).rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_REACH).close()
    except OSError as error:
        reason = error.strerror or "no answer in time"
        return Finding(
            "engine",
            False,
            f"nothing answers at {address} ({reason}): start the server, or mend 'address' of 'engine'.",
        )
    return Finding("reach", True, address)


def answer(address: str, settings: Settings) -> Finding:
    """Whether the engine writes a row into the data folder and reads it again."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".engine-", dir=settings.data) as folder:
        command = [str(spark_python(settings)), "-m", "orchestration.engine.probe", address, folder]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                text=True,
                check=False,
                env=spark_environment(),
                cwd=PROJECT,
                timeout=_ANSWER,
            )
        except subprocess.TimeoutExpired:
            return Finding(
                "engine", False, f"{address} gave no answer within {_ANSWER // 60} minutes: see its own log."
            )
    said = done.stdout.strip()
    if done.returncode:
        return Finding(
            "engine",
            False,
            f"{address} does not write a row into {settings.data} and read it again ({said or done.returncode}): see "
            "that it runs, and that it reaches that folder under the same path.",
        )
    return Finding("engine", True, f"Spark {said} at {address} writes into {settings.data} and reads it")
