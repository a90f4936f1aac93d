-- true_bargains: one row per product_id: of each claimed bargain, whether it holds,
-- and why.
-- It is true when it holds on the prices that are in line, false when it does not, and
-- doubtful when it is unknown which of two prices is wrong.
with judged as (
    select
        claimed_bargains.product_id,
        claimed_bargains.cheapest_price as claimed_cheapest,
        claimed_bargains.dearest_price as claimed_dearest,
        judged_products.usual_price,
        judged_products.price_count,
        judged_products.left_out,
        judged_products.off_usual,
        judged_products.off_history,
        kept_extremes.store_id,
        kept_extremes.cheapest_price,
        kept_extremes.dearest_price,
        rtrim(rtrim(cast($max_ratio as text), '0'), '.') as max_times,
        case
            when judged_products.usual_price is null
                and judged_products.left_out = 0
                and claimed_bargains.dearest_price
                > $max_ratio * claimed_bargains.cheapest_price
                then 'doubtful'
            when kept_extremes.dearest_price
                > $min_ratio * kept_extremes.cheapest_price
                then 'true'
            else 'false'
        end as verdict
    from claimed_bargains
    inner join judged_products
        on claimed_bargains.product_id = judged_products.product_id
    left join kept_extremes
        on claimed_bargains.product_id = kept_extremes.product_id
)

select
    product_id,
    verdict,
    case
        when verdict = 'doubtful' then concat(
            'prices are over ', max_times,
            ' times apart, with no third to show which is wrong'
        )
        when left_out = 0 then concat(
            'all ', price_count, ' prices are in line'
        )
        else concat(
            left_out, ' of ', price_count, ' prices left out:',
            case
                when off_usual > 0 then concat(
                    ' ', off_usual, ' over ', max_times,
                    ' times off the usual ', usual_price
                )
                else ''
            end,
            case when off_usual > 0 and off_history > 0 then ',' else '' end,
            case
                when off_history > 0 then concat(
                    ' ', off_history, ' over ', max_times,
                    ' times off what the store asked before'
                )
                else ''
            end
        )
    end as reason,
    store_id,
    cheapest_price,
    dearest_price,
    percentage(dearest_price - cheapest_price, cheapest_price) as percentage_difference,
    percentage(claimed_dearest - claimed_cheapest, claimed_cheapest) as claimed_difference,
    usual_price,
    price_count,
    left_out
from judged
