-- pairs_cut: levels of which pairs were cut, since a product has max_per_product at
-- most, and how many.
select
    level,
    similar['found'] as found_count,
    similar['found'] - cardinality(similar['pairs']) as cut_count
from similar_sets
where similar['found'] > cardinality(similar['pairs'])
