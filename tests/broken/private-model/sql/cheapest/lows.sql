-- lows: one row per price.
select * from prices where price > $least
