-- map: one row: the page, with the drawing, a legend that switches companies on and
-- off, and the list of places that cannot be right. All of it is in the file.
with legend as (
    select string_agg(
        concat(
            '<li><button type="button" aria-pressed="true" data-number="', company_number,
            '"><i style="',
            case
                when $colour_by = 'company' then concat('background:', escape_html(colour))
                else 'border: 2px solid #8b979f'
            end,
            '"></i><bdi>',
            escape_html(left(company, 100)), '</bdi><b>', store_count, '</b></button></li>'
        ),
        chr(10)
        order by company_number
    ) as html
    from companies
),

suspicious as (
    select concat(
        '<details><summary>', count(*),
        case when count(*) = 1 then ' place' else ' places' end,
        ' cannot be right</summary><ul>',
        string_agg(
            concat(
                '<li><bdi>', escape_html(left(name, 200)), '</bdi> (<bdi>',
                escape_html(left(company, 100)), '</bdi>, store ', store_id, ') at ',
                latitude, ', ', longitude, ' is ', distance_km,
                ' km from the middle of the others',
                case when would_fit is null then '' else concat('; ', would_fit, ' it would fit') end,
                '.</li>'
            ),
            chr(10)
            order by store_id
        ),
        '</ul></details>'
    ) as html
    from suspicious_stores
    having count(*) > 0
)

select concat(
    '<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src ''none''; style-src ''unsafe-inline''; script-src ''unsafe-inline''">
<title>', escape_html(heading.title), '</title>
<style>
', style.text, '</style>
</head>
<body>
<svg id="map" viewBox="0 0 1200 900" data-groups="', case $colour_by when 'price' then 'price' else 'geography' end, '" data-km-per-unit="', 111.195 / frame.y_scale, '" role="img" aria-label="', escape_html(heading.title), '">
<g id="view">
', drawing.svg, '
<g id="picked" hidden><path class="halo"/><path class="ring"/><path class="core"/></g>
</g>
</svg>
<aside id="legend">
<h1><bdi>', escape_html(heading.title), '</bdi></h1>
<p>', escape_html(heading.subtitle), '<br>', heading.colouring, '</p>
<input id="find" type="search" placeholder="Find a store" aria-label="Find a store" autocomplete="off">
<ul id="companies">
', coalesce(legend.html, ''), '
</ul>
', coalesce(suspicious.html, ''), '
<p class="origin">Land: Natural Earth</p>
</aside>
<nav id="zoom"><button type="button" data-zoom="in" aria-label="Zoom in">+</button><button type="button" data-zoom="out" aria-label="Zoom out">&#8722;</button><button type="button" data-zoom="all" aria-label="Show all">&#8962;</button></nav>
<div id="scale"></div>
<section id="card" hidden aria-live="polite"><button type="button" id="close" aria-label="Close">&#215;</button><h2></h2><p class="of"></p><p class="group"></p></section>
<script>
', script.text, '</script>
</body>
</html>
') as html
from drawing
cross join heading
cross join frame
cross join legend
cross join style
cross join script
left join suspicious on true
