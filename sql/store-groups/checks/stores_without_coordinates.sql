-- stores_without_coordinates: stores that geography cannot place; each is alone.
select
    known_stores.store_id,
    known_stores.company,
    known_stores.latitude,
    known_stores.longitude
from known_stores
left join located_stores on known_stores.store_id = located_stores.store_id
where
    $method = 'geography'
    and located_stores.store_id is null
