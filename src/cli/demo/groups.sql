select
    company,
    array_length(stores) as stores,
    stores[1] as anchor
from store_groups
order by array_length(store_groups.stores) desc, store_groups.stores[1]
