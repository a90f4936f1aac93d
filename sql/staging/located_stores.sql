-- located_stores: one row per store_id: the stores whose place is known. It is not where
-- both coordinates are 0, one is null or not a number, or out of range.
select
    store_id,
    company,
    division,
    name,
    latitude,
    longitude
from known_stores
where
    latitude between -90 and 90
    and longitude between -180 and 180
    and not (latitude = 0 and longitude = 0)
