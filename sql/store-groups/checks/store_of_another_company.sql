-- store_of_another_company: members that are not stores of their group's company.
with members as (
    select
        company,
        unnest(stores) as store_id
    from store_groups
)

select
    members.store_id,
    members.company,
    known_stores.company as own_company
from members
left join known_stores on members.store_id = known_stores.store_id
where known_stores.company is distinct from members.company
