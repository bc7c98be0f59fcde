"""The pointer of an object store: what lies there is a version's name, or refused in one sentence."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from obstore.store import MemoryStore

from assets.object_store.client import ObjectStore
from assets.object_store.pointer import CURRENT, Pointer, move_pointer, read_pointer
from storage.errors import JourneymartError

POINTER = Pointer("2026-03-01-run00001", 7, "2026-03-01", "me")
SAID = asdict(POINTER)


@pytest.fixture
def store():
    return ObjectStore("s3://bucket/prefix", MemoryStore())


def test_a_pointer_is_read_as_it_was_moved(store):
    assert read_pointer(store) == (None, None)
    move_pointer(store, POINTER, None)
    pointer, tag = read_pointer(store)
    assert tag
    assert {**asdict(pointer), "move": ""} == SAID


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[1]",
        b"{}",
        json.dumps(SAID | {"version": 5}).encode(),
        json.dumps(SAID | {"version": ""}).encode(),
        json.dumps(SAID | {"version": "../../other"}).encode(),
        json.dumps(SAID | {"sequence": "new"}).encode(),
        json.dumps(SAID | {"publisher": None}).encode(),
        json.dumps(SAID).encode()[:-9],
    ],
)
def test_what_is_no_pointer_is_refused_with_what_to_do(store, content):
    store.client.put(CURRENT, content)
    with pytest.raises(JourneymartError, match="does not name a version: name a prefix of your own under `publish`"):
        read_pointer(store)


def test_a_pointer_of_a_newer_release_that_says_more_is_read(store):
    store.client.put(CURRENT, json.dumps(SAID | {"region": "eu"}).encode())
    assert read_pointer(store)[0] == POINTER
