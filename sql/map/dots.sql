-- dots: one row per company_number: its stores as SVG, each a line of no length with a
-- round end, whose size does not grow when the picture does.
with places as (
    select
        shown_stores.*,
        companies.company_number,
        companies.colour,
        companies.store_count,
        cast((longitude - frame.west) * frame.x_scale as decimal(9,1)) as x,
        cast((frame.north - latitude) * frame.y_scale as decimal(9,1)) as y,
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
        end as own_colour
    from shown_stores
    inner join companies on shown_stores.company = companies.company
    cross join frame
)

select
    company_number,
    min(store_count) as store_count,
    concat(
        '<g class="company" data-number="', company_number,
        '" data-company="', escape_html(left(min(company), 100)),
        '" stroke="', escape_html(min(colour)), '">', chr(10),
        string_agg(
            concat(
                '<path d="M', x, ' ', y, 'h.01"', own_colour,
                ' data-id="', store_id, '"',
                case
                    when group_number is null then ''
                    else concat(' data-group="', company_number, '.', group_number + 1, '"')
                end,
                '><title>', escape_html(left(name, 200)), '</title></path>'
            ),
            chr(10)
            order by store_id
        ),
        chr(10), '</g>'
    ) as svg
from places
group by company_number
