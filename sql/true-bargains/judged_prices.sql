-- judged_prices: one row per product_id, store_id: of each price of a claimed bargain,
-- whether it is over max_ratio times off the usual one, or off its own before.
select
    claimed_prices.product_id,
    claimed_prices.store_id,
    claimed_prices.price,
    usual_prices.usual_price,
    coalesce(
        claimed_prices.price > $max_ratio * usual_prices.usual_price
        or claimed_prices.price * $max_ratio < usual_prices.usual_price,
        false
    ) as is_off_usual,
    coalesce(
        claimed_prices.price > $max_ratio * claimed_prices.earlier_price
        or claimed_prices.price * $max_ratio < claimed_prices.earlier_price,
        false
    ) as is_off_history
from claimed_prices
inner join usual_prices on claimed_prices.product_id = usual_prices.product_id
