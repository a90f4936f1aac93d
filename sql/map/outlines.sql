-- outlines: one row per outline: land and borders in the frame, or as far beside it as
-- the frame is large, as the path of an SVG picture.
select
    land.outline,
    land.kind,
    outline_path(
        land.points, land.kind = 'land',
        frame.west, frame.north, frame.x_scale, frame.y_scale,
        1200, 900
    ) as path
from land
cross join frame
where
    land.west < 100 * (2 * frame.east - frame.west)
    and land.east > 100 * (2 * frame.west - frame.east)
    and land.south < 100 * (2 * frame.north - frame.south)
    and land.north > 100 * (2 * frame.south - frame.north)
