-- suspicious_entries: one row per store_id: a place that cannot be right, in the page's
-- list.
select
    store_id,
    left(name, 200) as name,
    left(company, 100) as company,
    latitude,
    longitude,
    distance_km,
    case when would_fit is null then '' else concat('; ', would_fit, ' it would fit') end
        as remark
from suspicious_stores
