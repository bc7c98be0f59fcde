"""The sample company: a believable business, simulated from a seed, delivering extracts in native shapes.

What lives here: the world (people, shopping, deals, support, surveys), its dirt, its export and its truth.
Not here: reading those extracts (the pipeline), or the command that calls `write_extracts`.
"""

from sample_company.company import Company
from sample_company.export import FIRST_DATE, write_extracts, write_next_day, written_through

__all__ = ["FIRST_DATE", "Company", "write_extracts", "write_next_day", "written_through"]
