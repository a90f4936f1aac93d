-- geography_groups: one row per store_id: stores in a dense place, with their group.
-- A group is named by its lowest store; noise and places without coordinates have none.
with clusters as (
    select
        store_id,
        company,
        dbscan(latitude, longitude, $eps_km, $min_samples) over (
            partition by company
            order by store_id
        ) as cluster
    from located_stores
)

select
    store_id,
    min(store_id) over (partition by company, cluster) as group_id
from clusters
where cluster is not null
