select
    {{ salesforce_id('Id') }} as opportunity_history_id,
    {{ salesforce_id('OpportunityId') }} as opportunity_id,
    StageName as stage_name,
    Amount as amount,
    CloseDate as close_date,
    Probability as probability,
    CreatedDate as created_date,
    {{ salesforce_id('CreatedById') }} as created_by_id,
    IsDeleted as is_deleted,
    _source,
    _batch_id,
    _night,
    _extract_date,
    _file,
    _row,
    _op,
    _version_at
from {{ source('salesforce', 'opportunity_history') }}
