{#- Accounts of every source system, as last known. Not here: how their versions were mapped (int_account__version). -#}
{{ config(
    touched_key=['source', 'account_id'],
    touches=['account_key'],
    touched_by="{{ new_versions('account', ['source', 'account_id']) }}"
) }}

with newest as (
    {{ newest_versions('int_account__version', ['source', 'account_id'], [
        'system', 'external_account_id', 'name', 'parent_account_id', 'account_type', 'industry', 'country', 'employees',
        'annual_revenue', 'created_at', 'merged_into_account_id', 'is_deleted', 'updated_at'
    ]) }}
)

select
    {{ surrogate_key(['source', 'account_id']) }} as account_key,
    source,
    system,
    account_id,
    external_account_id,
    name,
    parent_account_id,
    account_type,
    industry,
    country,
    employees,
    annual_revenue,
    created_at,
    merged_into_account_id,
    is_deleted or is_vanished as is_deleted,
    updated_at,
    _version_at
from newest
