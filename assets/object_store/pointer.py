"""The one object that says which version readers of the store see: `current.json`, moved by one conditional PUT.

What lives here: what it says, reading it, moving it. Not here: what it is moved to and when (mirror.py).
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from pydantic import TypeAdapter, ValidationError

from assets.object_store.client import ObjectStore
from assets.versions.versions import VERSION_ID
from storage.errors import JourneymartError

CURRENT = "current.json"


@dataclass(frozen=True)
class Pointer:
    """What readers of the store see.

    Attributes:
        version: Its name; its objects lie below `versions/<name>/`.
        sequence: Its number in the data folder it was made in.
        as_of: Its business date.
        publisher: The data folder that publishes here.
        move: Another for every move, so that no content, and with it no ETag, ever comes back: a PUT that the network
            held up cannot undo what came after it.
    """

    version: str
    sequence: int
    as_of: str
    publisher: str
    move: str = ""


def read_pointer(store: ObjectStore) -> tuple[Pointer | None, str | None]:
    """What the store names now, with the ETag of just that; None and None: nothing yet.

    Raises:
        JourneymartError: The store cannot be asked, or what lies there is no pointer.
    """
    found = store.read(CURRENT)
    if found is None:
        return None, None
    content, tag = found
    with suppress(ValidationError):
        pointer = TypeAdapter(Pointer).validate_json(content, strict=True)
        if VERSION_ID.fullmatch(pointer.version):
            return pointer, tag
    raise JourneymartError(
        f"{store.url}/{CURRENT} does not name a version: name a prefix of your own under `publish` in "
        "company.yml, or delete that object."
    )


def move_pointer(store: ObjectStore, to: Pointer, tag: str | None) -> None:
    """Let readers of the store see another version, if nobody moved the pointer since it was read.

    Raises:
        MovedMeanwhileError: Somebody did; or the store did as asked and its answer was lost: read it again.
    """
    said = asdict(replace(to, move=secrets.token_hex(8)))
    store.put_if(CURRENT, (json.dumps(said, indent=1) + "\n").encode(), tag)
