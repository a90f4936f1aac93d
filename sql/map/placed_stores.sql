-- placed_stores: one row per store_id: stores that have a place and belong on the map.
-- Of Coles and Woolworths only the supermarkets: their other divisions sell drinks and
-- petrol. No place: both coordinates 0, one null or not a number, or out of range.
select
    id as store_id,
    company,
    coalesce(name, concat(company, ' ', id)) as name,
    latitude,
    longitude
from stores
where
    case lower(company)
        when 'coles' then coalesce(division = 'Coles Supermarkets', false)
        when 'woolworths' then coalesce(division = 'SUPERMARKETS', false)
        else true
    end
    and latitude between -90 and 90
    and longitude between -180 and 180
    and not (latitude = 0 and longitude = 0)
