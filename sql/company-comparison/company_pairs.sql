-- company_pairs: one row per number_a, number_b: pairs of companies that price a
-- product in common.
select
    a.company_number as number_a,
    b.company_number as number_b,
    count(*) as common_products,
    count(*) filter (where a.price < b.price) as cheaper_at_a,
    count(*) filter (where a.price > b.price) as cheaper_at_b,
    count(*) filter (where a.price = b.price) as equal,
    sum(a.price) as basket_a,
    sum(b.price) as basket_b
from company_prices as a
inner join company_prices as b
    on a.product_id = b.product_id
    and a.company_number < b.company_number
group by
    a.company_number,
    b.company_number
