-- picture_entries: one row per company_number: a company in the picture's legend.
select
    company_number,
    122 + 30 * company_number as middle,
    127 + 30 * company_number as baseline,
    case
        when $colour_by = 'company' then concat('fill="', escape_html(colour), '"')
        else 'fill="none" stroke="#8b979f" stroke-width="2"'
    end as paint,
    left(company, 24) as company,
    store_count
from companies
-- There is no room for more.
where company_number <= 23
