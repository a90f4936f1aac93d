-- price_changes: one row per company, category_id: the sums of each of the company's
-- categories, and without a category those of the company.
with summed as (
    select
        company,
        category_id,
        category,
        sum(new_prices) as new_prices,
        sum(gone_prices) as gone_prices,
        sum(raised_prices) as raised_prices,
        sum(lowered_prices) as lowered_prices,
        sum(equal_prices) as equal_prices,
        sum(basket_before) as basket_before,
        sum(basket_now) as basket_now
    from changes
    group by
        company,
        category_id,
        category
)

select
    *,
    -- Cents are integers; the only rounding is the division.
    case
        when basket_before > 0 then
            cast(cast((basket_now - basket_before) * 10000 as bigint) as double)
            / cast(cast(basket_before * 100 as bigint) as double)
    end as percentage_change
from summed
