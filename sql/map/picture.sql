-- picture: one row: what picture.svg shows: the map as a file of its own, with its legend.
with legend as (
    select
        string_agg(rtrim(svg, chr(10)), chr(10) order by company_number) as svg
    from picture_entries
),

notes as (
    select case
        when count(*) = 1 then '1 impossible place left out'
        when count(*) > 1 then concat(count(*), ' impossible places left out')
        else ''
    end as text
    from suspicious_stores
)

select
    heading.title,
    left(heading.title, 20) as short_title,
    heading.subtitle,
    heading.colouring,
    rtrim(drawing.svg, chr(10)) as drawing,
    legend.svg as legend,
    notes.text as note
from drawing
cross join heading
cross join legend
cross join notes
