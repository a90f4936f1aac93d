//! A small shop: three stores, three products, seven prices.

use super::world::World;

pub(crate) const STORES: &str = "\
id,company,division,name,latitude,longitude
1,Alder,,Alder 1,45.80,15.97
2,Alder,,Alder 2,45.81,15.98
3,Birch,Express,Birch 3,45.82,15.99
";

pub(crate) const PRODUCTS: &str = "\
id,name,brand,size,barcode,category
1,Milk,Dairy Co,1l,1,Dairy
2,Bread,NO BRAND,500g,2,Bakery
3,Butter,,250 g,3,DAIRY
";

/// Product 1 is a bargain (1.00 to 1.51), product 2 stands at exactly 1.5, product 3
/// has a zero price.
pub(crate) const PRICES: &str = "\
product_id,store_id,price,scraped_date
1,1,1.00,2026-11-01
1,2,1.00,2026-11-01
1,3,1.51,2026-11-01
2,1,2.00,2026-11-01
2,3,3.00,2026-11-01
3,1,0.00,2026-11-01
3,3,9.00,2026-11-01
";

/// Returns a world whose database has the shop.
pub(crate) fn small() -> World {
    let world = World::new();
    world.write("export/stores.csv", STORES);
    world.write("export/products.csv", PRODUCTS);
    world.write("export/prices.csv", PRICES);
    world.run(&["load", "export"]).ends(0);
    world
}
