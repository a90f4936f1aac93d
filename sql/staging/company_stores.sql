-- company_stores: one row per store_id: the stores, each with its company as a number:
-- the id of the company's lowest store.
select
    store_id,
    min(store_id) over (partition by company) as company_id
from known_stores
