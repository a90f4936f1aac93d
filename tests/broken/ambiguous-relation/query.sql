select count(*) as rows from lows
