"""From delivered bytes to plain UTF-8 text on disk: decompression and encodings, under limits.

What lives here: gzip (whose checksum is verified) and transcoding. Not here: records (text_records.py). Bytes
the encoding does not know become bytes that are not UTF-8 either, so that the reader can reject just the
records that hold them.
"""

from __future__ import annotations

import codecs
import gzip
import mmap
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from assets.landing.connectors.config import FileLimits
from storage.errors import JourneymartError

Bytes = npt.NDArray[np.uint8]

_PIECE_BYTES = 4 * 1024**2
# Below this size any ratio is harmless, and small repetitive files do reach high ones.
_RATIO_FLOOR_BYTES = 1024**2
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def plain_text(path: Path, encoding: str, limits: FileLimits, workspace: Path) -> Path:
    """The file itself if it is plain UTF-8 already, else an unpacked, transcoded copy in `workspace`.

    Raises:
        JourneymartError: The file is damaged, unpacks to more than the limits allow, or is in another
            encoding.
    """
    is_utf8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
    packed = path.suffix == ".gz"
    if is_utf8 and not packed:
        with path.open("rb") as file:
            _require_no_utf16_mark(file.read(2), path)
        return path
    # Under its own name, which is what messages say.
    target = workspace / "plain" / path.name
    target.parent.mkdir(exist_ok=True)
    pieces = unpacked_pieces(path, limits)
    with target.open("xb") as plain:
        if is_utf8:
            for number, piece in enumerate(pieces):
                if number == 0:
                    _require_no_utf16_mark(piece[:2], path)
                plain.write(piece)
        else:
            _transcode(pieces, encoding, plain, path)
    return target


def map_bytes(path: Path) -> Bytes:
    """The bytes of a file, mapped into memory, read-only."""
    if path.stat().st_size == 0:
        return np.empty(0, dtype=np.uint8)
    with path.open("rb") as file:
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), dtype=np.uint8)


def release(data: Bytes) -> None:
    """Let go of what was read of mapped bytes: a file larger than memory is read through a small part of it.

    What is read again comes from the file again, so other threads may go on reading.
    """
    view: Any = data.base
    if isinstance(view, memoryview) and isinstance(view.obj, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        view.obj.madvise(mmap.MADV_DONTNEED)


def text_start(data: Bytes) -> int:
    """Offset of the first character: behind the byte order mark, if there is one."""
    return 3 if data[:3].tobytes() == codecs.BOM_UTF8 else 0


def unpacked_pieces(path: Path, limits: FileLimits) -> Iterator[bytes]:
    """The bytes of a file, unpacked, a few million at a time.

    Raises:
        JourneymartError: It is damaged, or unpacks to more than the limits allow.
    """
    packed = path.suffix == ".gz"
    packed_size = max(path.stat().st_size, 1)
    total = 0
    with cast(BinaryIO, gzip.open(path, "rb")) if packed else path.open("rb") as file:
        while True:
            try:
                piece = file.read(_PIECE_BYTES)
            except (OSError, EOFError, zlib.error) as error:
                if isinstance(error, OSError) and error.errno is not None:
                    raise
                raise JourneymartError(
                    f"{path.name} is damaged (its compression does not check out): have it delivered again."
                ) from None
            if not piece:
                return
            total += len(piece)
            over_ratio = total > _RATIO_FLOOR_BYTES and total > packed_size * limits.max_ratio
            if packed and (total > limits.max_bytes or over_ratio):
                raise JourneymartError(
                    f"{path.name} unpacks to more than the limits allow ({limits.max_bytes:,} bytes, "
                    f"{limits.max_ratio:g} times its packed size): deliver smaller files, or raise the "
                    "limits."
                )
            yield piece


def _transcode(pieces: Iterator[bytes], encoding: str, plain: BinaryIO, path: Path) -> None:
    decoder = codecs.getincrementaldecoder(encoding)(errors="surrogateescape")
    at_start = True
    try:
        for piece in _with_end(pieces):
            text = decoder.decode(piece or b"", final=piece is None)
            if at_start and text:
                text, at_start = text.removeprefix("\ufeff"), False
            plain.write(text.encode("utf-8", errors="surrogatepass"))
    except UnicodeError:
        raise JourneymartError(
            f"{path.name} is not in the encoding {encoding}: declare the `encoding` it is in for its stream in "
            "company.yml, or have it delivered in this one."
        ) from None


def _with_end(pieces: Iterator[bytes]) -> Iterator[bytes | None]:
    yield from pieces
    yield None


def _require_no_utf16_mark(head: bytes, path: Path) -> None:
    if head in _UTF16_MARKS:
        raise JourneymartError(
            f"{path.name} is UTF-16, not UTF-8: declare `encoding: utf-16` for its stream in company.yml."
        )
