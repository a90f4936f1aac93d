-- prices: one row per price above nothing.
select * from prices where price > 0
