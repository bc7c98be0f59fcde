"""What columns and streams say about people, as erasing needs it: whose a row is, who wrote it, what it is about.

Not here: what follows from it (find.py, take_out.py).
"""

from __future__ import annotations

from collections.abc import Mapping

# Streams whose every row is a person's record, and the columns of the name.
PEOPLE: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("canonical", "agent"): ("name",),
    ("canonical", "contact"): ("first_name", "last_name"),
    ("olist", "customers"): (),
    ("salesforce", "contact"): ("FirstName", "LastName"),
    ("zendesk", "users"): ("name",),
}
# Columns of these streams that name another record of the same person.
LINKS = frozenset({"MasterRecordId", "external_contact_id", "external_id", "merged_into_contact_id"})
# Columns of all other streams that say whose a row is.
SUBJECTS = frozenset(
    {"ContactId", "ExternalReference", "contact_id", "customer_id", "external_reference", "requester_id"}
)
# Columns that say who did something; those of the first kind wrote the row's texts.
WRITERS = frozenset({"author_id", "created_by_id", "submitter_id"})
ACTORS = WRITERS | {"agent_id", "assignee_id"}
# Conversations, and the columns that point to one.
TICKETS = frozenset({("canonical", "ticket"), ("salesforce", "case"), ("zendesk", "tickets")})
ABOUT = frozenset({"TicketId", "ticket_id"})
# Ids of things, and of staff of the CRM, which has no record of its own here: they stay.
THINGS = frozenset(
    {
        *("AccountId", "CreatedById", "MasterRecordId", "OpportunityId", "OrderId", "OwnerId", "ParentId"),
        *("account_id", "external_account_id", "external_id", "followup_ids", "invitation_id"),
        *(
            "merged_into_account_id",
            "merged_into_ticket_id",
            "order_id",
            "organization_id",
            "parent_account_id",
            "problem_id",
            "response_id",
        ),
        *("sdr_id", "seller_id", "sr_id"),
    }
)
