-- claimed_prices: one row per product_id, store_id: the prices of a claimed bargain,
-- each with the store's company, and what the store itself used to ask: the median of
-- its prices on the days before, as far as snapshots of them are kept.
-- A store that the snapshot lacks is a company of its own.
with earlier as (
    select
        kept.product_id,
        kept.store_id,
        median(kept.price) as price
    from history.prices as kept
    inner join claimed_bargains
        on kept.product_id = claimed_bargains.product_id
    where
        kept.price > 0
        and extract(epoch from now()) - extract(epoch from kept.snapshot_at)
        <= 86400 * $history_days
    group by
        kept.product_id,
        kept.store_id
)

select
    prices.product_id,
    prices.store_id,
    coalesce(company_stores.company_id, prices.store_id) as company_id,
    prices.price,
    earlier.price as earlier_price
from prices
inner join claimed_bargains on prices.product_id = claimed_bargains.product_id
left join company_stores on prices.store_id = company_stores.store_id
left join earlier
    on prices.product_id = earlier.product_id
    and prices.store_id = earlier.store_id
