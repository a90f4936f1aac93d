-- map: one row: what map.html shows: the drawing, a legend that switches
-- companies on and off, and the list of places that cannot be right. All of it is in the
-- file.
with legend as (
    select
        string_agg(rtrim(html, chr(10)), chr(10) order by company_number) as html
    from legend_entries
)

select
    heading.title,
    heading.subtitle,
    heading.colouring,
    case $colour_by when 'price' then 'price' else 'geography' end as grouping,
    111.195 / frame.y_scale as km_per_unit,
    rtrim(drawing.svg, chr(10)) as drawing,
    legend.html as legend,
    rtrim(suspicious_list.html, chr(10)) as suspicious,
    style.text as style,
    script.text as script
from drawing
cross join heading
cross join frame
cross join legend
cross join style
cross join script
left join suspicious_list on true
