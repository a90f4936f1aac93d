-- super_category_bargains: one row per super_category and product_id.
with links as (
    select
        super_category,
        unnest(bargains) as bargain
    from artifact
)

select
    super_category,
    bargain['product_id'] as product_id,
    bargain['store_id'] as store_id
from links
