-- distances: one row per cloud, store_id, reading: for each way to read a store's
-- coordinates, how far in kilometres that is from the middle of the cloud: its median
-- latitude and longitude.
with middles as (
    select
        cloud,
        median(latitude) as latitude,
        median(longitude) as longitude
    from clouds
    group by cloud
),

readings as (
    select
        *,
        'as it is' as reading
    from clouds
    union all
    select
        cloud,
        store_id,
        longitude as latitude,
        latitude as longitude,
        is_judged,
        'with latitude and longitude swapped' as reading
    from clouds
    where longitude between -90 and 90
    union all
    select
        cloud,
        store_id,
        -latitude as latitude,
        longitude,
        is_judged,
        'with the other sign of its latitude' as reading
    from clouds
    union all
    select
        cloud,
        store_id,
        latitude,
        -longitude as longitude,
        is_judged,
        'with the other sign of its longitude' as reading
    from clouds
)

select
    readings.cloud,
    readings.store_id,
    readings.reading,
    readings.is_judged,
    -- Haversine, on the sphere that dbscan measures on.
    2 * 6371.0088 * asin(least(1.0, sqrt(
        power(sin(radians(readings.latitude - middles.latitude) / 2), 2)
        + cos(radians(readings.latitude)) * cos(radians(middles.latitude))
        * power(sin(radians(readings.longitude - middles.longitude) / 2), 2)
    ))) as distance_km
from readings
inner join middles on readings.cloud = middles.cloud
