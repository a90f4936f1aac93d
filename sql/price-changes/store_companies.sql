-- store_companies: one row per store_id: the stores of either snapshot, as the newer
-- has them.
select
    id as store_id,
    company
from stores
union all
select
    before.id as store_id,
    before.company
from previous.stores as before
left join stores on before.id = stores.id
where stores.id is null
