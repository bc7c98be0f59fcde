{{ config(
    touched_key=['source', 'account_id'],
    touches=['account_key'],
    touched_by="
        {{ new_rows('stg_salesforce__account', ['_source', 'account_id']) }}
        union {{ new_rows('stg_zendesk__organizations', ['_source', 'organization_id']) }}
        union {{ new_rows('stg_canonical__account', ['_source', 'account_id']) }}
    "
) }}

with salesforce_accounts as (
    {{ newest_versions('stg_salesforce__account', ['account_id'], [
        'name', 'parent_id', 'account_type', 'industry', 'billing_country', 'number_of_employees', 'annual_revenue',
        'created_date', 'master_record_id', 'is_deleted', 'system_modstamp'
    ]) }}
),

zendesk_organizations as (
    {{ newest_versions('stg_zendesk__organizations', ['organization_id'], [
        'name', 'external_id', 'created_at', 'updated_at', 'deleted_at'
    ]) }}
),

canonical_accounts as (
    {{ newest_versions('stg_canonical__account', ['account_id'], [
        'external_account_id', 'name', 'parent_account_id', 'account_type', 'industry', 'country', 'employees',
        'annual_revenue', 'created_at', 'merged_into_account_id', 'is_deleted', 'updated_at'
    ]) }}
),

unioned as (
    select
        _source as source,
        'salesforce' as system,
        account_id,
        cast(null as varchar) as external_account_id,
        name,
        parent_id as parent_account_id,
        account_type,
        industry,
        billing_country as country,
        number_of_employees as employees,
        annual_revenue,
        created_date as created_at,
        master_record_id as merged_into_account_id,
        is_deleted or is_vanished as is_deleted,
        system_modstamp as updated_at,
        _version_at
    from salesforce_accounts
    union all
    select
        _source,
        'zendesk',
        organization_id,
        external_id,
        name,
        null,
        null,
        null,
        null,
        null,
        null,
        created_at,
        null,
        deleted_at is not null or is_vanished,
        updated_at,
        _version_at
    from zendesk_organizations
    union all
    select
        _source,
        'canonical',
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
        coalesce(is_deleted, false) or is_vanished,
        updated_at,
        _version_at
    from canonical_accounts
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
    is_deleted,
    updated_at,
    _version_at
from unioned
