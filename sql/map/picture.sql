-- picture: one row: the map as an SVG file of its own, with its legend.
with legend as (
    select string_agg(
        concat(
            '<circle cx="1234" cy="', 122 + 30 * company_number, '" r="6.5" ',
            case
                when $colour_by = 'company' then concat('fill="', escape_html(colour), '"')
                else 'fill="none" stroke="#8b979f" stroke-width="2"'
            end,
            '/><text x="1252" y="', 127 + 30 * company_number,
            '">', escape_html(left(company, 24)), '</text><text class="count" x="1456" y="',
            127 + 30 * company_number, '">', store_count, '</text>'
        ),
        chr(10)
        order by company_number
    ) as svg
    from companies
    -- There is no room for more.
    where company_number <= 23
),

notes as (
    select case
        when count(*) = 1 then '1 impossible place left out'
        when count(*) > 1 then concat(count(*), ' impossible places left out')
        else ''
    end as text
    from suspicious_stores
)

select concat(
    '<svg xmlns="http://www.w3.org/2000/svg" width="1480" height="900" viewBox="0 0 1480 900">',
    chr(10), '<title>', escape_html(heading.title), '</title>', chr(10),
    '<style>
svg { background: #d7e6ee }
text { font: 16px "Noto Sans", "DejaVu Sans", Arial, sans-serif; fill: #1f2a33 }
.title { font-size: 26px; font-weight: 600 }
.subtitle, .note { font-size: 14px; fill: #55636e }
.count { text-anchor: end; fill: #55636e }
.land { fill: #f7f4ec; stroke: #b9c4c6; stroke-width: .8 }
.border { fill: none; stroke: #c9bfae; stroke-width: 1; stroke-dasharray: 4 3 }
.company path { fill: none; stroke-width: 7; stroke-linecap: round; stroke-opacity: .85 }
</style>', chr(10),
    '<defs><clipPath id="frame"><rect width="1200" height="900"/></clipPath></defs>', chr(10),
    '<rect width="1480" height="900" fill="#d7e6ee"/>', chr(10),
    '<g clip-path="url(#frame)">', chr(10), drawing.svg, chr(10), '</g>', chr(10),
    '<rect x="1200" width="280" height="900" fill="#ffffff"/>', chr(10),
    '<text class="title" x="1226" y="54">', escape_html(left(heading.title, 20)), '</text>',
    '<text class="subtitle" x="1226" y="82">', escape_html(heading.subtitle), '</text>',
    '<text class="subtitle" x="1226" y="102">', heading.colouring, '</text>',
    chr(10), coalesce(legend.svg, ''), chr(10),
    '<text class="note" x="1226" y="852">', escape_html(notes.text), '</text>',
    '<text class="note" x="1226" y="876">Land: Natural Earth</text>', chr(10),
    '</svg>', chr(10)
) as svg
from drawing
cross join heading
cross join legend
cross join notes
