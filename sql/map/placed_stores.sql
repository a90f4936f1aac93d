-- placed_stores: one row per store_id: stores that have a place and belong on the map.
-- Of Coles and Woolworths only the supermarkets: their other divisions sell drinks and
-- petrol.
select
    store_id,
    company,
    coalesce(name, concat(company, ' ', store_id)) as name,
    latitude,
    longitude
from located_stores
where
    case lower(company)
        when 'coles' then coalesce(division = 'Coles Supermarkets', false)
        when 'woolworths' then coalesce(division = 'SUPERMARKETS', false)
        else true
    end
