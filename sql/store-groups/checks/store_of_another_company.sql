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
    stores.company as own_company
from members
left join stores on members.store_id = stores.id
where stores.company is distinct from members.company
