select
    store_groups.company,
    array_length(store_groups.stores) as stores,
    anchor.name as anchor
from store_groups
inner join stores as anchor on anchor.id = store_groups.stores[1]
order by stores desc, anchor.id
