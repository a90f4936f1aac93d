select product_id, price from prices where price > 0
