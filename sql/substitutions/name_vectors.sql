-- name_vectors: one row per product_id: products with a normalized name, with the
-- name's vector, their categories, and the groups of linked categories that they are
-- in.
with graphs as (
    select connected_components(category_a_id, category_b_id) as nodes
    from export.category_links
    where array_has(string_to_array(replace(upper($link_types), ' ', ''), ','), link_type)
),

nodes as (
    select unnest(nodes) as node
    from graphs
),

memberships as (
    select
        id as product_id,
        unnest(category) as category_id
    from products
),

linked as (
    select distinct
        memberships.product_id,
        nodes.node['component'] as group_id
    from memberships
    inner join nodes on memberships.category_id = nodes.node['node']
),

linked_groups as (
    select
        product_id,
        array_agg(group_id order by group_id) as category_groups
    from linked
    group by product_id
)

select
    sized_products.product_id,
    embed(sized_products.normalized_name) as vector,
    products.category as categories,
    linked_groups.category_groups
from sized_products
inner join products on sized_products.product_id = products.id
left join linked_groups on sized_products.product_id = linked_groups.product_id
where sized_products.normalized_name is not null
