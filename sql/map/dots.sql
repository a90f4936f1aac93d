-- dots: one row per company_number: its stores, as SVG.
with marked as (
    select
        company_number,
        string_agg(rtrim(svg, chr(10)), chr(10) order by store_id) as marks
    from store_marks
    group by company_number
)

select
    companies.company_number,
    left(companies.company, 100) as company,
    companies.colour,
    marked.marks
from marked
inner join companies on marked.company_number = companies.company_number
