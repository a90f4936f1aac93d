-- places_that_cannot_be_right: stores that are far outside of their company's cloud.
select
    store_id,
    company,
    name,
    latitude,
    longitude,
    distance_km,
    would_fit
from suspicious_stores
