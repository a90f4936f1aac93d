-- forgotten: one row.
select 1 as one
