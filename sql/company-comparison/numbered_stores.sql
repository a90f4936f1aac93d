-- numbered_stores: one row per store_id: its company and the company's place by name.
select
    store_id,
    company,
    dense_rank() over (order by company) as company_number
from known_stores
