-- limits: one row per cloud: how far from its middle a store may be: max_spread times
-- the median distance, the cloud's or that of all stores, whichever is larger (half of
-- a company's stores may be in one town), and never under 100 km.
with medians as (
    select
        cloud,
        median(distance_km) as distance_km
    from distances
    where reading = 'as it is'
    group by cloud
)

select
    own.cloud,
    cast(greatest(
        100,
        $max_spread * own.distance_km,
        $max_spread * everyone.distance_km
    ) as double) as limit_km
from medians as own
cross join medians as everyone
where everyone.cloud = ''
