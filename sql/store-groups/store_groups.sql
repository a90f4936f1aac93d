-- store_groups: one row per stores: each group's stores, the anchor, then ascending.
select
    company,
    array_agg(store_id order by store_id = anchor desc, store_id) as stores
from anchors
group by company, anchor
