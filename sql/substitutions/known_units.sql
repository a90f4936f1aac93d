-- known_units: one row: the units of sizes as the functions take them.
select
    array_agg(
        named_struct('unit', unit, 'base', base, 'amount', amount)
        order by unit
    ) as units
from units
