-- suspicious_stores: one row per store_id: stores whose place is farther from the
-- middle of their cloud than the limit, with the first other reading that would fit.
with far as (
    select
        distances.cloud,
        distances.store_id,
        distances.distance_km,
        limits.limit_km
    from distances
    inner join limits on distances.cloud = limits.cloud
    where
        distances.reading = 'as it is'
        and distances.is_judged
        and distances.distance_km > limits.limit_km
),

fitting as (
    select
        far.store_id,
        -- `swapped` comes before `the other sign` here.
        max(distances.reading) as reading
    from far
    inner join distances
        on far.cloud = distances.cloud
        and far.store_id = distances.store_id
    where
        distances.reading <> 'as it is'
        and distances.distance_km <= far.limit_km
    group by far.store_id
)

select
    placed_stores.store_id,
    placed_stores.company,
    placed_stores.name,
    placed_stores.latitude,
    placed_stores.longitude,
    cast(round(far.distance_km) as bigint) as distance_km,
    cast(round(far.limit_km) as bigint) as limit_km,
    fitting.reading as would_fit
from far
inner join placed_stores on far.store_id = placed_stores.store_id
left join fitting on far.store_id = fitting.store_id
where $company = '' or lower(placed_stores.company) = lower($company)
