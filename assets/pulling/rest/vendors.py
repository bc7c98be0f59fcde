"""The vendors whose APIs can be pulled. Adding one is its file and its line here."""

from __future__ import annotations

from collections.abc import Mapping

from assets.pulling.rest.freshdesk import FRESHDESK
from assets.pulling.rest.hubspot import HUBSPOT
from assets.pulling.rest.intercom import INTERCOM
from assets.pulling.rest.qualtrics import QUALTRICS
from assets.pulling.rest.salesforce import SALESFORCE
from assets.pulling.rest.surveymonkey import SURVEYMONKEY
from assets.pulling.rest.typeform import TYPEFORM
from assets.pulling.rest.vendor import Vendor
from assets.pulling.rest.zendesk import ZENDESK

VENDORS: Mapping[str, Vendor] = {
    vendor.system: vendor
    for vendor in (FRESHDESK, HUBSPOT, INTERCOM, QUALTRICS, SALESFORCE, SURVEYMONKEY, TYPEFORM, ZENDESK)
}
