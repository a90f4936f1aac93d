-- sized_products: one row per product_id: what is compared of a product.
-- Without a size that is known, base, packs and amount are null; a name of which
-- nothing is left is null, and so equals no other.
with parsed as (
    select
        id as product_id,
        brand_id,
        name,
        coalesce(
            normalized_name,
            normalize_name(name, (select units from known_units))
        ) as normal_name,
        coalesce(
            parse_size(size, (select units from known_units)),
            find_size(name, (select units from known_units))
        ) as known_size
    from products
)

select
    product_id,
    brand_id,
    name,
    nullif(normal_name, '') as normalized_name,
    known_size['base'] as base,
    known_size['packs'] as packs,
    known_size['amount'] as amount
from parsed
