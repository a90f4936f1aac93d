-- limits: one row per cloud, how far from its middle a store may be: max_spread times
-- the median distance, and never under 100 km.
select
    cloud,
    cast(greatest(100, $max_spread * median(distance_km)) as double) as limit_km
from distances
where reading = 'as it is'
group by cloud
