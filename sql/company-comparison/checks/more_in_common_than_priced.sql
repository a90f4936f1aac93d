-- more_in_common_than_priced: pairs with more products in common than one of the two
-- has prices for.
with assortments as (
    select
        company_number,
        count(*) as product_count
    from company_prices
    group by company_number
)

select
    company_pairs.number_a,
    company_pairs.number_b,
    company_pairs.common_products
from company_pairs
inner join assortments
    on assortments.company_number in (company_pairs.number_a, company_pairs.number_b)
where company_pairs.common_products > assortments.product_count
