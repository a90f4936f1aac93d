-- store_companies: one row per store_id: the stores of either snapshot, as the newer
-- has them.
select
    store_id,
    company
from known_stores
union all
select
    before.id as store_id,
    before.company
from previous.stores as before
left join known_stores on before.id = known_stores.store_id
where known_stores.store_id is null
