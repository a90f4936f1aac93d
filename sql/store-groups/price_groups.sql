-- price_groups: one row per store_id: stores that are tied to another, with their
-- group.
-- A group is a connected component of the ties, named by its lowest store.
with graphs as (
    select connected_components(store_a, store_b) as nodes
    from price_ties
),

nodes as (
    select unnest(nodes) as node
    from graphs
)

select
    node['node'] as store_id,
    node['component'] as group_id
from nodes
