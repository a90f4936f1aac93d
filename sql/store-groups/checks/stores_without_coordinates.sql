-- stores_without_coordinates: stores that geography cannot place; each is alone.
-- The same rule as dbscan's: both 0, one null or not a number, or out of range.
select
    id as store_id,
    company,
    latitude,
    longitude
from stores
where
    $method = 'geography'
    and (
        latitude is null
        or longitude is null
        or latitude not between -90 and 90
        or longitude not between -180 and 180
        or (latitude = 0 and longitude = 0)
    )
