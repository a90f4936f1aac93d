-- store_groups: one row per group, under its anchor's id.
-- A company that the database does not know stays null and is rejected.
select
    artifact.stores[1] as id,
    companies.id as company,
    artifact.stores[1] as anchor,
    true as is_active,
    'healthy' as status
from artifact
left join db.companies on artifact.company = companies.name
