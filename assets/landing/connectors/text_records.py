r"""Where the records of a text file begin and end, found without a parser, to hold a parser to the count.

What lives here: record boundaries of CSV (quotes and all) and JSONL as NumPy arrays, and damage any record
can have. Not here: what a record holds (csv_file.py, jsonl_file.py).

CSV follows what spreadsheets, Python's `csv` and Arrow agree on: a quote opens a quoted field only as its
first character and is plain text elsewhere in an unquoted field; two quotes in a quoted field stand for one;
\n, \r\n and \r outside quotes end a record; an empty line is no record. One thing those readers do
silently is refused here: text between a closing quote and the next delimiter.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from assets.landing.connectors.unpack import Bytes
from quality.landed.extract import BAD_ENCODING

Offsets = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

WINDOW_BYTES = 16 * 1024**2

NUL = "a NUL character"
TOO_LONG = "longer than the limit for one record"
TEXT_AFTER_QUOTE = "text after a closing quote"
UNTERMINATED = "a quote that is never closed: everything from here to the end of the file"

_LF, _CR, _QUOTE = 10, 13, 34

VALID_UTF8 = (
    r"(?s)^(?:[\x00-\x7F]|[\xC2-\xDF][\x80-\xBF]|\xE0[\xA0-\xBF][\x80-\xBF]|[\xE1-\xEC\xEE\xEF][\x80-\xBF]{2}"
    r"|\xED[\x80-\x9F][\x80-\xBF]|\xF0[\x90-\xBF][\x80-\xBF]{2}|[\xF1-\xF3][\x80-\xBF]{3}|\xF4[\x80-\x8F][\x80-\xBF]{2})*$"
)


@dataclass(frozen=True)
class Records:
    """Consecutive records of one file.

    Attributes:
        data: All bytes of the file.
        first: Number of the first of these records, 1-based.
        starts: Offset of each record.
        ends: Offset behind each record, its line ending not counted.
        stop: Offset behind the last record and its line ending.
        misquoted: Records with text after a closing quote.
        unterminated: The last record is a quote that is never closed.
    """

    data: Bytes
    first: int
    starts: Offsets
    ends: Offsets
    stop: int
    misquoted: Flags
    unterminated: bool = False

    def __len__(self) -> int:
        return len(self.starts)

    def text(self, index: int, max_bytes: int) -> str:
        """One record as delivered, undecodable bytes replaced, cut at `max_bytes`."""
        start, end = int(self.starts[index]), int(self.ends[index])
        return self.data[start : min(end, start + max_bytes)].tobytes().decode("utf-8", errors="replace")

    def slice(self, keep: Flags) -> tuple[Bytes, Offsets]:
        """The bytes of the kept records, line endings included, and the offsets of these records in them."""
        limits = np.append(self.starts, self.stop)
        lengths = np.diff(limits)
        offsets = np.concatenate(([0], np.cumsum(lengths[keep])))
        if keep.all():
            return self.data[int(limits[0]) : self.stop], offsets
        edges = np.flatnonzero(np.diff(np.concatenate(([False], keep, [False])).astype(np.int8)))
        runs = [self.data[limits[begin] : limits[end]] for begin, end in edges.reshape(-1, 2)]
        return np.concatenate(runs) if runs else self.data[:0], offsets


def csv_records(data: Bytes, begin: int, delimiter: str, window: int = WINDOW_BYTES) -> Iterator[Records]:
    """Records of a CSV text from offset `begin` on, in order, about `window` bytes at a time."""
    return _scan(data, begin, ord(delimiter), window)


def line_records(data: Bytes, begin: int, window: int = WINDOW_BYTES) -> Iterator[Records]:
    """Lines of a text from offset `begin` on, about `window` bytes at a time; empty lines are none."""
    return _scan(data, begin, None, window)


def damage(records: Records, max_record_bytes: int) -> dict[int, str]:
    """Which records cannot be read whatever their format, by index, each with the reason."""
    found: dict[int, str] = {}
    block = records.data[int(records.starts[0]) : records.stop]
    if not _is_utf8(block):
        limits = np.append(records.starts, records.stop) - records.starts[0]
        texts = pa.Array.from_buffers(
            pa.large_binary(),
            len(records),
            [None, pa.py_buffer(limits), pa.py_buffer(np.ascontiguousarray(block))],
        )
        wrong = pc.invert(pc.match_substring_regex(texts, VALID_UTF8)).to_numpy(zero_copy_only=False)
        found.update(dict.fromkeys(np.flatnonzero(wrong).tolist(), BAD_ENCODING))
    if not block.all():
        holes = np.flatnonzero(block == 0) + records.starts[0]
        owners = np.unique(np.searchsorted(records.starts, holes, side="right") - 1)
        found.update(dict.fromkeys(owners.tolist(), NUL))
    found.update(dict.fromkeys(np.flatnonzero(records.misquoted).tolist(), TEXT_AFTER_QUOTE))
    too_long = records.ends - records.starts > max_record_bytes
    found.update(dict.fromkeys(np.flatnonzero(too_long).tolist(), TOO_LONG))
    if records.unterminated:
        found[len(records) - 1] = UNTERMINATED
    return found


def _is_utf8(block: Bytes) -> bool:
    ends = pa.py_buffer(np.array([0, len(block)], dtype=np.int64))
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, ends, pa.py_buffer(block)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _scan(data: Bytes, begin: int, delimiter: int | None, window: int) -> Iterator[Records]:
    size = len(data)
    position, open_start, number = begin, begin, 1
    in_quotes, open_misquoted = False, False
    while position < size:
        stop = _window_end(data, min(position + window, size))
        if delimiter is None:
            breaks = _positions(data, position, stop, _LF)
            wrong: list[int] = []
        else:
            quotes, wrong = _structural_quotes(data, position, stop, begin, delimiter, in_quotes=in_quotes)
            breaks = _line_breaks(data, position, stop)
            breaks = breaks[(np.searchsorted(quotes, breaks) + in_quotes) % 2 == 0]
            in_quotes = bool((len(quotes) + in_quotes) % 2)
        position = stop
        at_end = stop == size and (len(breaks) == 0 or breaks[-1] + 1 < size) and open_start < size
        # The last record may lack a line ending: let it end behind the last byte.
        closes = np.append(breaks, size) if at_end else breaks
        misquoted = np.zeros(len(closes) + 1, dtype=np.bool_)
        misquoted[0] = open_misquoted
        misquoted[np.searchsorted(closes, np.array(wrong, dtype=np.int64))] = True
        open_misquoted = bool(misquoted[-1])
        if len(closes) == 0:
            continue
        starts = np.concatenate(([open_start], closes[:-1] + 1)).astype(np.int64)
        open_start = int(closes[-1]) + 1
        unterminated = at_end and in_quotes
        is_crlf = (data[np.maximum(closes - 1, 0)] == _CR) & (closes > starts)
        # Inside a quote that is never closed, the last \r ends no line.
        is_crlf[-1] &= not unterminated
        ends = closes - is_crlf
        real = ends > starts
        if not real.any():
            continue
        yield Records(
            data=data,
            first=number,
            starts=starts[real],
            ends=ends[real],
            stop=min(open_start, size),
            misquoted=misquoted[:-1][real],
            unterminated=unterminated,
        )
        number += int(real.sum())


def _positions(data: Bytes, start: int, stop: int, byte: int) -> Offsets:
    return np.flatnonzero(data[start:stop] == byte) + start


def _window_end(data: Bytes, stop: int) -> int:
    r"""Move the end of a window so that it parts neither a run of quotes nor \r from \n."""
    size = len(data)
    while stop < size and data[stop - 1] == _QUOTE:
        ahead = np.flatnonzero(data[stop : stop + WINDOW_BYTES] != _QUOTE)
        if len(ahead):
            # The byte behind the run goes with it; it is no quote, so this is the last round.
            stop += int(ahead[0]) + 1
        else:
            stop = min(stop + WINDOW_BYTES, size)
    if stop < size and data[stop - 1] == _CR and data[stop] == _LF:
        stop += 1
    return stop


def _line_breaks(data: Bytes, start: int, stop: int) -> Offsets:
    """Offsets of the last byte of each line ending."""
    feeds = _positions(data, start, stop, _LF)
    returns = _positions(data, start, stop, _CR)
    if len(returns) == 0:
        return feeds
    following = data[np.minimum(returns + 1, len(data) - 1)]
    alone = returns[following != _LF]
    return np.sort(np.concatenate((feeds, alone))) if len(alone) else feeds


def _structural_quotes(
    data: Bytes, start: int, stop: int, begin: int, delimiter: int, *, in_quotes: bool
) -> tuple[Offsets, list[int]]:
    """Offsets of the quotes that open or close, and of the closing ones that text follows.

    In well-formed text the quotes open and close in turn, so their parity tells which newlines are inside. A
    quote whose neighbours forbid its role shows where that breaks; only those few are looked at one by one.
    """
    quotes = _positions(data, start, stop, _QUOTE)
    if len(quotes) == 0:
        return quotes, []
    left = data[np.maximum(quotes - 1, 0)]
    right = data[np.minimum(quotes + 1, len(data) - 1)]
    after_edge = (left == delimiter) | (left == _LF) | (left == _CR) | (quotes == begin)
    before_edge = (right == delimiter) | (right == _LF) | (right == _CR) | (quotes == len(data) - 1)
    after_quote = (left == _QUOTE) & (quotes > begin)
    cannot_open = ~(after_edge | after_quote)
    cannot_close = ~(before_edge | (right == _QUOTE))
    is_even = np.arange(len(quotes)) % 2 == 0
    # wrong_if[p]: quotes in an impossible role if those with (index + p) even are the opening ones.
    wrong_if = [
        np.flatnonzero(np.where(is_even == (shift == 0), cannot_open, cannot_close)).tolist() for shift in (0, 1)
    ]
    shift, index = int(in_quotes), 0
    literal: list[int] = []
    misquoted: list[int] = []
    while (at := bisect_left(wrong_if[shift], index)) < len(wrong_if[shift]):
        index = wrong_if[shift][at]
        if (index + shift) % 2 == 1:
            misquoted.append(int(quotes[index]))
            index += 1
            continue
        # Inside an unquoted field: this quote and those right behind it are plain text; the next one may
        # open.
        literal.append(index)
        index += 1
        while index < len(quotes) and after_quote[index]:
            literal.append(index)
            index += 1
        shift = index % 2
    return np.delete(quotes, literal), misquoted
