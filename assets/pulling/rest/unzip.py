"""The one file in a ZIP archive that a vendor made, line by line, within limits.

Not here: what its lines mean (one file per vendor), files somebody delivers (assets/landing/connectors/unpack.py).
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from assets.pulling.rest.paging import NotAPage

MAX_RATIO = 200
# Below this size any ratio is harmless, and small repetitive files do reach high ones.
_RATIO_FLOOR_BYTES = 1024**2
MAX_BYTES = 4 * 1024**3
_MAX_LINE_BYTES = 16 * 1024**2


def lines_of(archive: bytes) -> Iterator[bytes]:
    """The lines of the only file in an archive; its checksum is verified with the last.

    Raises:
        NotAPage: It is no archive of one file, is damaged, or unpacks to more than the limits allow. Its sizes are
            counted while it is unpacked, whatever it says of itself.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as packed:
            names = packed.namelist()
            if len(names) != 1:
                raise NotAPage("that is a ZIP archive of not just one file")
            with packed.open(names[0]) as file:
                yield from _lines(file, len(archive))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise NotAPage("that is no ZIP archive, or a damaged one") from None


def _lines(file: IO[bytes], packed_bytes: int) -> Iterator[bytes]:
    total = 0
    while line := file.readline(_MAX_LINE_BYTES + 1):
        total += len(line)
        over_ratio = total > _RATIO_FLOOR_BYTES and total > packed_bytes * MAX_RATIO
        if len(line) > _MAX_LINE_BYTES or total > MAX_BYTES or over_ratio:
            raise NotAPage(
                f"whose archive unpacks to more than is let in ({MAX_RATIO} times its size, {MAX_BYTES:,} bytes, "
                f"{_MAX_LINE_BYTES:,} bytes a record)"
            )
        yield line
