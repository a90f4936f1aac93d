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
    percentage(basket_now - basket_before, basket_before) as percentage_change
from summed
