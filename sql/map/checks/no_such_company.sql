-- no_such_company: the company asked for, when no store is one of its, and the nearest
-- thing to it: those that there are.
with known as (
    select distinct company
    from stores
)

select
    $company as asked_for,
    string_agg(company, ', ' order by company) as known_companies
from known
having
    $company <> ''
    and count(*) filter (where lower(company) = lower($company)) = 0
