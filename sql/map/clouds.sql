-- clouds: one row per cloud, store_id: a company with five stores or more is a cloud,
-- named as the company; all stores together are one, without a name, that the stores of
-- smaller companies are held against.
with sizes as (
    select
        company,
        count(*) as store_count
    from placed_stores
    group by company
)

select
    placed_stores.company as cloud,
    placed_stores.store_id,
    placed_stores.latitude,
    placed_stores.longitude,
    true as is_judged
from placed_stores
inner join sizes on placed_stores.company = sizes.company
where sizes.store_count >= 5
union all
select
    '' as cloud,
    placed_stores.store_id,
    placed_stores.latitude,
    placed_stores.longitude,
    sizes.store_count < 5 as is_judged
from placed_stores
inner join sizes on placed_stores.company = sizes.company
