-- true_without_bargain: rows called true whose own prices are not a bargain.
select
    product_id,
    cheapest_price,
    dearest_price
from true_bargains
where
    verdict = 'true'
    and coalesce(dearest_price <= $min_ratio * cheapest_price, true)
