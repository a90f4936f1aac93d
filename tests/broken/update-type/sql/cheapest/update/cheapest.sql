select product_id, interval '1 day' as age from artifact
