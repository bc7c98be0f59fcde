"""Rows in order are cut into pages that hold each row once and never part rows of one place."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from assets.pulling.postgres.pages import PageSize, pages_of

SCHEMA = pa.schema([("updated_at", pa.string()), ("id", pa.string()), ("row", pa.string())])
ORDER = ("updated_at", "id")


@given(
    places=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=40).map(sorted),
    cuts=st.lists(st.integers(1, 40), max_size=5),
    size=st.builds(PageSize, rows=st.integers(1, 12), bytes=st.integers(1, 2000)),
)
def test_pages_hold_the_rows_in_order_and_part_no_place(
    places: list[tuple[int, int]], cuts: list[int], size: PageSize
) -> None:
    rows = pa.table(
        [[str(time) for time, _ in places], [str(key) for _, key in places], list(map(str, range(len(places))))],
        schema=SCHEMA,
    )
    edges = sorted({0, len(places), *(cut for cut in cuts if cut < len(places))})
    batches = [batch for begin, end in pairwise(edges) for batch in rows.slice(begin, end - begin).to_batches()]

    pages = list(pages_of(iter(batches), SCHEMA, ORDER, size))

    assert pa.concat_tables([page for page, _ in pages]).to_pylist() == rows.to_pylist()
    assert [end for _, end in pages] == [False] * (len(pages) - 1) + [True]
    found = [{tuple(row[name] for name in ORDER) for row in page.to_pylist()} for page, _ in pages]
    assert not any(one & other for one, other in pairwise(found))
    # No page is larger than it must be: without the rows of its last place it would not be full.
    for page, _ in pages[:-1]:
        last = tuple(page[name][-1].as_py() for name in ORDER)
        before = [row for row in page.to_pylist() if tuple(row[name] for name in ORDER) != last]
        assert len(before) < size.rows
