"""Removes versions that hold people who were erased, once readers see one that does not.

What lives here: which versions go and when an erasure is done. Not here: taking people out of extracts
(erase_person.py), removing a version (assets/versions/retention.py).
"""

from __future__ import annotations

from datetime import datetime

from assets.erasure.register import has_entries, open_register, settled
from assets.versions.retention import remove
from storage.data_folder import DataFolder


def remove_versions_of_the_erased(folder: DataFolder, now: datetime, *, is_everywhere: bool = True) -> None:
    """Remove versions that hold people who were erased, now that readers see one that does not.

    Args:
        folder: The data folder.
        now: When they are gone.
        is_everywhere: What is gone from the data folder is gone; else an object store may hold it still, and no
            erasure is entered as done.
    """
    if not has_entries(folder):
        return
    register = open_register(folder)
    for entry in register.entries:
        if entry.status == "rewritten":
            left = remove(folder, entry.versions)
            if is_everywhere:
                register.save(settled(entry, left, now))
