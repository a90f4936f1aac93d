-- frame: one row: the part of the world that the picture shows, 1200 by 900, and how
-- many units a degree is. Equirectangular about the mean latitude. Without any store,
-- the whole world.
with bounds as (
    select
        coalesce(min(longitude), -180) as west,
        coalesce(max(longitude), 180) as east,
        coalesce(min(latitude), -60) as south,
        coalesce(max(latitude), 80) as north,
        -- As decimals, whose mean does not depend on row order.
        coalesce(cast(avg(cast(latitude as decimal(9,6))) as double), 0) as mean_latitude
    from shown_stores
),

spans as (
    select
        (west + east) / 2 as middle_longitude,
        (south + north) / 2 as middle_latitude,
        greatest(cos(radians(mean_latitude)), 0.02) as narrowing,
        greatest(east - west, 0.1) as span_x,
        greatest(north - south, 0.1) as span_y
    from bounds
),

scales as (
    select
        *,
        least(1080 / (span_x * narrowing), 780 / span_y) as y_scale
    from spans
)

select
    middle_longitude - 600 / (y_scale * narrowing) as west,
    middle_longitude + 600 / (y_scale * narrowing) as east,
    middle_latitude - 450 / y_scale as south,
    middle_latitude + 450 / y_scale as north,
    y_scale * narrowing as x_scale,
    y_scale
from scales
