"""Pairs of records that may be one person, for a person to review: an option that never merges anything.

What lives here: the comparison by Splink (`pip install journeymart[splink]`), with weights that are the same every
time. Not here: what joins records (dbt). What a reviewer confirms goes into the seed `identity_overrides`, whose
first columns are those of the file.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

from assets.versions.contents import literal
from storage.data_folder import warehouse_file
from storage.engine import connect
from storage.errors import JourneymartError

SUGGESTIONS = "identity_suggestions.csv"

# One row per living contact record: what Splink compares.
_RECORDS = """
select
    nodes.node_key as unique_id,
    nodes.full_name,
    split_part(nodes.full_name, ' ', -1) as family_name,
    nodes.account_key,
    min(value) filter (kind = 'email' and is_personal and not is_former) as email,
    split_part(min(value) filter (kind = 'email' and is_personal and not is_former), '@', 1) as mailbox,
    min(value) filter (kind = 'phone' and not is_former) as phone
from warehouse.intermediate.int_identity__node as nodes
left join warehouse.intermediate.int_identity__contact_point as points on points.contact_key = nodes.node_key
where nodes.is_contact and nodes.is_live
group by all
"""

# Pairs that are not one customer yet and that nobody decided about.
_PAIRS = """
select
    '' as action,
    a.source as source_a,
    a.contact_id as record_a,
    b.source as source_b,
    b.contact_id as record_b,
    round(pairs.match_probability, 4) as probability,
    concat_ws(', ',
        case when one.full_name = other.full_name then 'name' end,
        case when one.email = other.email then 'e-mail address' end,
        case when one.phone = other.phone then 'phone' end,
        case when one.account_key = other.account_key then 'account' end
    ) as equal
from pairs
inner join warehouse.intermediate.map_customer_identity as a on a.contact_key = pairs.unique_id_l
inner join warehouse.intermediate.map_customer_identity as b on b.contact_key = pairs.unique_id_r
inner join records as one on one.unique_id = a.contact_key
inner join records as other on other.unique_id = b.contact_key
anti join warehouse.intermediate.int_identity__evidence as decided
    on decided.blocked_by = 'keep_apart'
    and decided.node_a = least(a.contact_key, b.contact_key)
    and decided.node_b = greatest(a.contact_key, b.contact_key)
where a.customer_key <> b.customer_key
order by all desc
"""


def suggest(version: Path, folder: Path, threshold: float) -> tuple[int, Path]:
    """Compare the records of a version and write the pairs that may be one person.

    Args:
        version: Folder of a published version.
        folder: Private folder the file is written to.
        threshold: Probability from which a pair is written.

    Returns:
        How many pairs there are, and the file, which only its owner may read.

    Raises:
        JourneymartError: Splink is not installed.
    """
    try:
        import splink
        import splink.comparison_library as compare
    except ImportError:
        raise JourneymartError(
            "Suggestions need Splink: install it with `pip install 'journeymart[splink]'`."
        ) from None
    with connect() as connection:
        connection.execute(f"attach {literal(str(warehouse_file(version)))} as warehouse (read_only)")
        connection.execute(f"create table records as {_RECORDS}")
        database = splink.DuckDBAPI(connection)
        linker = splink.Linker(database.register("records"), _settings(splink, compare), log_level=None)
        pairs = linker.inference.predict(threshold_match_probability=threshold, warning_mode="never")
        connection.execute(f"create view pairs as select * from {pairs.physical_name}")
        found = connection.execute(_PAIRS)
        names = [column[0] for column in found.description]
        rows = found.fetchall()
    path = folder / SUGGESTIONS
    folder.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(
        os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w", encoding="utf-8", newline=""
    ) as file:
        csv.writer(file).writerows([names, *rows])
    return len(rows), path


def _settings(splink: Any, compare: Any) -> Any:  # noqa: ANN401 - Splink need not be installed
    """What is compared, and how much each says: fixed, so that two runs agree and nothing is learnt from customers."""
    block_on = splink.block_on
    return splink.SettingsCreator(
        link_type="dedupe_only",
        probability_two_random_records_match=1e-4,
        comparisons=[
            compare.JaroWinklerAtThresholds("full_name", [0.93]).configure(
                m_probabilities=[0.85, 0.1, 0.05], u_probabilities=[0.0005, 0.002, 0.9975]
            ),
            # A mailbox often is a name: one that is merely similar says nothing the name has not said.
            compare.ExactMatch("mailbox").configure(m_probabilities=[0.5, 0.5], u_probabilities=[0.0005, 0.9995]),
            compare.ExactMatch("phone").configure(m_probabilities=[0.7, 0.3], u_probabilities=[0.0002, 0.9998]),
            compare.ExactMatch("account_key").configure(m_probabilities=[0.6, 0.4], u_probabilities=[0.001, 0.999]),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("full_name"),
            block_on("phone"),
            block_on("mailbox"),
            block_on("account_key", "family_name"),
        ],
    )
