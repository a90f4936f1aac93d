-- known_stores: one row per store_id: the stores, under the names that prices use.
select
    id as store_id,
    company,
    division,
    name,
    latitude,
    longitude
from stores
