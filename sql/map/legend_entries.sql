-- legend_entries: one row per company_number: a company in the page's legend.
select
    company_number,
    case
        when $colour_by = 'company' then concat('background:', colour)
        else 'border: 2px solid #8b979f'
    end as swatch,
    left(company, 100) as company,
    store_count
from companies
