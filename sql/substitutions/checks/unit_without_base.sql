-- unit_without_base: units that are counted in nothing that sizes are compared in.
select
    unit,
    base,
    amount
from units
where
    base is null
    or base not in ('mg', 'ul', 'piece')
    or amount is null
    or amount < 1
