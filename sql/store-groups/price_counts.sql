-- price_counts: one row per store_id: stores that may join others, with their prices.
-- By price the comparison has counted them already; by geography they are counted here.
-- The other method's branch is never computed.
with compared as (
    select
        store_a as store_id,
        price_count_a as price_count
    from price_ties
    union all
    select
        store_b as store_id,
        price_count_b as price_count
    from price_ties
)

select
    store_id,
    max(price_count) as price_count
from compared
group by store_id
union all
select
    store_id,
    count(*) as price_count
from prices
where $method = 'geography'
group by store_id
