-- company_comparison: one row per company_a, company_b: the first by name before the
-- second.
-- Shares are in percent.
with names as (
    select distinct
        company_number,
        company
    from numbered_stores
)

select
    names_a.company as company_a,
    names_b.company as company_b,
    common_products,
    cheaper_at_a,
    cheaper_at_b,
    equal,
    percentage(cheaper_at_a, common_products) as share_a,
    percentage(cheaper_at_b, common_products) as share_b,
    percentage(equal, common_products) as share_equal,
    basket_a,
    basket_b
from company_pairs
inner join names as names_a on company_pairs.number_a = names_a.company_number
inner join names as names_b on company_pairs.number_b = names_b.company_number
