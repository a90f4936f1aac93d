-- store_marks: one row per company_number, store_id: a store as SVG: a line of no length
-- with a round end, whose size does not grow when the picture does.
select
    companies.company_number,
    shown_stores.store_id,
    left(shown_stores.name, 200) as name,
    cast((shown_stores.longitude - frame.west) * frame.x_scale as decimal(9,1)) as x,
    cast((frame.north - shown_stores.latitude) * frame.y_scale as decimal(9,1)) as y,
    case
        when $colour_by in ('price', 'geography') then concat(
            ' stroke="',
            case
                when group_number is null then '#9aa0a6'
                else concat(
                    'hsl(', (group_number * 137 + company_number * 53) % 360,
                    ', 68%, 44%)'
                )
            end,
            '"'
        )
        else ''
    end as own_colour,
    case
        when group_number is null then ''
        else concat(' data-group="', company_number, '.', group_number + 1, '"')
    end as own_group
from shown_stores
inner join companies on shown_stores.company = companies.company
cross join frame
