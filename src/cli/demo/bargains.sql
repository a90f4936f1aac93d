with extremes as (
    select product_id, max(price) as dearest
    from prices
    group by product_id
)

select
    products.name as product,
    cheapest.price as cheapest,
    stores.company || ', store ' || cast(stores.id as text) as at,
    extremes.dearest,
    round(bargains.percentage_difference, 1) as percent_more
from bargains
inner join products on products.id = bargains.product_id
inner join stores on stores.id = bargains.store_id
inner join extremes on extremes.product_id = bargains.product_id
inner join prices as cheapest
    on cheapest.product_id = bargains.product_id
    and cheapest.store_id = bargains.store_id
order by bargains.percentage_difference desc, bargains.product_id
