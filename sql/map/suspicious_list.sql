-- suspicious_list: one row: the list of places that cannot be right; none where there are
-- none.
select
    concat(count(*), case when count(*) = 1 then ' place' else ' places' end) as places,
    string_agg(rtrim(html, chr(10)), chr(10) order by store_id) as entries
from suspicious_entries
having count(*) > 0
