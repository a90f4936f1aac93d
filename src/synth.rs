//! A made-up, realistic export: the same rows for the same seed.
//!
//! Companies price by zone: the stores of a zone share their prices but for a few
//! in a thousand, one company prices each store alone. Products are shared between
//! companies, some are on special, sizes are spelled as shops spell them, and
//! stores lie around towns. Money is integer cents throughout.

use std::{
    fs::File,
    io::{self, BufWriter},
    path::Path,
};

/// What is made.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The companies.
    pub companies: Vec<Company>,
    /// How many products there are in all.
    pub products: u64,
    /// Where the randomness begins.
    pub seed: u64,
}

/// A company of a made-up export.
#[derive(Debug, Clone)]
pub struct Company {
    /// Its name.
    pub name: &'static str,
    /// How many stores it has.
    pub stores: u64,
    /// In how many zones they are priced; as many as stores: each alone.
    pub zones: u64,
    /// How many in a hundred of all products it sells.
    pub range_percent: u64,
    /// Its price level, in percent.
    pub level_percent: u64,
}

impl Spec {
    /// Returns a small country: four companies, 64 stores, 1,500 products.
    pub fn demo() -> Spec {
        let company = |name, stores, zones, range_percent, level_percent| Company {
            name,
            stores,
            zones,
            range_percent,
            level_percent,
        };
        Spec {
            companies: vec![
                company("Alder", 24, 3, 70, 100),
                company("Birch & Sons", 18, 2, 60, 108),
                company("Cedar", 10, 10, 45, 115),
                company("Dogwood", 12, 1, 50, 94),
            ],
            products: 1_500,
            seed: 2026,
        }
    }
}

/// How many rows were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Made {
    /// Stores.
    pub stores: u64,
    /// Products.
    pub products: u64,
    /// Prices.
    pub prices: u64,
}

/// Writes `stores.csv`, `products.csv` and `prices.csv` into a folder that is there.
pub fn write_csv(spec: &Spec, folder: &Path) -> io::Result<Made> {
    let stores = stores(spec);
    write_stores(spec, &stores, &folder.join("stores.csv"))?;
    write_products(spec, &folder.join("products.csv"))?;
    let prices = write_prices(spec, &stores, &folder.join("prices.csv"))?;
    Ok(Made {
        stores: stores.len() as u64,
        products: spec.products,
        prices,
    })
}

struct Store {
    id: u64,
    company: usize,
    zone: u64,
    town: &'static Town,
}

struct Town {
    name: &'static str,
    latitude: f64,
    longitude: f64,
}

const fn town(name: &'static str, latitude: f64, longitude: f64) -> Town {
    Town {
        name,
        latitude,
        longitude,
    }
}

static TOWNS: [Town; 8] = [
    town("Harbourside", 45.33, 14.44),
    town("Millbridge", 45.81, 15.98),
    town("Oldfield", 46.31, 16.34),
    town("Saltmarsh", 43.51, 16.44),
    town("Stonegate", 45.56, 18.69),
    town("Thornbury", 44.12, 15.23),
    town("Westholm", 45.24, 13.93),
    town("Wexcombe", 45.16, 18.01),
];

struct Kind {
    name: &'static str,
    category: &'static str,
    sizes: [&'static str; 4],
    /// The usual price of the first size, in cents.
    cents: u64,
}

const fn kind(
    name: &'static str,
    category: &'static str,
    sizes: [&'static str; 4],
    cents: u64,
) -> Kind {
    Kind {
        name,
        category,
        sizes,
        cents,
    }
}

static KINDS: [Kind; 20] = [
    kind(
        "Whole milk",
        "Dairy",
        ["1l", "1,0 L", "500 ml", "2x1l"],
        119,
    ),
    kind(
        "Yoghurt natural",
        "Dairy",
        ["150g", "500 g", "0,5 kg", "4 x 125g"],
        89,
    ),
    kind(
        "Butter",
        "Dairy",
        ["250g", "0.250 kg", "125 g", "250 GR"],
        279,
    ),
    kind(
        "Gouda sliced",
        "Dairy",
        ["150g", "300 g", "0,3kg", "cca. 1kg"],
        249,
    ),
    kind(
        "Mineral water",
        "Drinks",
        ["1,5l", "500ml", "6x1,5 l", "0.75 L"],
        75,
    ),
    kind(
        "Apple juice",
        "Drinks",
        ["1l", "0,2 l", "2 L", "1,0000 l"],
        169,
    ),
    kind(
        "Lager",
        "Drinks",
        ["0,5l", "330 ml", "6 x 330 ml", "50 cl"],
        109,
    ),
    kind(
        "Ground coffee",
        "Drinks",
        ["250g", "500 g", "0,25kg", "2x250 g"],
        529,
    ),
    kind(
        "Wholemeal bread",
        "Bakery",
        ["500g", "750 g", "1 kg", "0.5 kg"],
        219,
    ),
    kind(
        "Butter croissant",
        "Bakery",
        ["60g", "4 kom", "300 g", "1 pc"],
        95,
    ),
    kind(
        "Spaghetti",
        "Pantry",
        ["500g", "1 kg", "0,5 kg", "500 GR"],
        129,
    ),
    kind(
        "Long grain rice",
        "Pantry",
        ["1kg", "500 g", "5 x 125 g", "1000g"],
        189,
    ),
    kind(
        "Sunflower oil",
        "Pantry",
        ["1l", "750 ml", "2 L", "1,0 l"],
        239,
    ),
    kind(
        "Tomato passata",
        "Pantry",
        ["500g", "700 ml", "0,5 kg", "3 x 200 g"],
        149,
    ),
    kind(
        "Dark chocolate",
        "Sweets",
        ["100g", "200 g", "0.1 kg", "80g"],
        179,
    ),
    kind(
        "Oat biscuits",
        "Sweets",
        ["300g", "150 g", "2 x 150g", "0,3 kg"],
        159,
    ),
    kind(
        "Shampoo",
        "Household",
        ["250ml", "400 ml", "0,25 l", "25 cl"],
        299,
    ),
    kind(
        "Dish soap",
        "Household",
        ["450ml", "900 ml", "0.45 L", "1l"],
        189,
    ),
    kind(
        "Paper towels",
        "Household",
        ["2 kom", "4 kom", "8 pcs", "1 pk"],
        249,
    ),
    kind(
        "Cat food",
        "Pets",
        ["400g", "85 g", "12 x 85 g", "0,4 kg"],
        119,
    ),
];

static BRANDS: [&str; 12] = [
    "Alpenhof",
    "Bellmead",
    "Corvina",
    "Dawnfield",
    "NO BRAND",
    "Estela",
    "Fjordal",
    "Granary",
    "Hollis",
    "Ivy Lane",
    "Jadran",
    "",
];

static VARIETIES: [&str; 9] = [
    "classic",
    "organic",
    "light",
    "extra",
    "family",
    "fresh",
    "selection",
    "mild",
    "rustic",
];

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
/// 2014), keyed by what is asked: every value can be had on its own.
fn random(seed: u64, what: u64, of: u64) -> u64 {
    let mut z = seed
        .wrapping_add(what.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_add(of.wrapping_mul(0xbf58_476d_1ce4_e5b9))
        .wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What a random value is for, so that no two uses share one.
mod what {
    pub(super) const TOWN: u64 = 1;
    pub(super) const PLACE: u64 = 2;
    pub(super) const PRODUCT: u64 = 3;
    pub(super) const RANGE: u64 = 4;
    pub(super) const ZONE: u64 = 5;
    pub(super) const LOCAL: u64 = 6;
    pub(super) const SPECIAL: u64 = 7;
}

fn stores(spec: &Spec) -> Vec<Store> {
    let mut stores = Vec::new();
    for (company, told) in spec.companies.iter().enumerate() {
        for number in 0..told.stores {
            let id = stores.len() as u64 + 1;
            let at = random(spec.seed, what::TOWN, id) % TOWNS.len() as u64;
            let zone = number % told.zones;
            stores.push(Store {
                id,
                company,
                zone,
                town: &TOWNS[at as usize],
            });
        }
    }
    stores
}

fn write_stores(spec: &Spec, stores: &[Store], path: &Path) -> io::Result<()> {
    let mut out = csv(
        path,
        &["id", "company", "division", "name", "latitude", "longitude"],
    )?;
    for store in stores {
        let company = spec.companies[store.company].name;
        let division = if store.id % 7 == 0 {
            "Express"
        } else {
            "Supermarket"
        };
        let name = format!("{company} {} {}", store.town.name, store.id);
        // Within some eight kilometres of the town; one store has no coordinates.
        let near = |axis| (random(spec.seed, what::PLACE + axis, store.id) % 1500) as f64 / 1e4;
        let (latitude, longitude) = match store.id {
            13 => (String::new(), String::new()),
            _ => (
                format!("{:.5}", store.town.latitude + near(0) - 0.075),
                format!("{:.5}", store.town.longitude + near(100) - 0.075),
            ),
        };
        let id = store.id.to_string();
        out.write_record([&*id, company, division, &name, &latitude, &longitude])?;
    }
    out.flush()
}

fn write_products(spec: &Spec, path: &Path) -> io::Result<()> {
    let mut out = csv(
        path,
        &["id", "name", "brand", "size", "barcode", "category"],
    )?;
    for id in 1..=spec.products {
        let dice = random(spec.seed, what::PRODUCT, id);
        let kind = kind_of(spec, id);
        let brand = BRANDS[(dice >> 8) as usize % BRANDS.len()];
        let variety = VARIETIES[(dice >> 16) as usize % VARIETIES.len()];
        let size = kind.sizes[size_of(spec, id)];
        let shown = if brand == "NO BRAND" { "" } else { brand };
        let name = [kind.name, variety, shown, size]
            .join(" ")
            .replace("  ", " ");
        let barcode = format!("385{:010}", id * 7);
        let category = match dice >> 60 {
            0 => kind.category.to_uppercase(),
            _ => kind.category.to_owned(),
        };
        let id = id.to_string();
        out.write_record([&*id, name.trim(), brand, size, &barcode, &category])?;
    }
    out.flush()
}

fn kind_of(spec: &Spec, product: u64) -> &'static Kind {
    &KINDS[(random(spec.seed, what::PRODUCT, product) as usize) % KINDS.len()]
}

fn size_of(spec: &Spec, product: u64) -> usize {
    (random(spec.seed, what::PRODUCT, product) >> 24) as usize % 4
}

fn write_prices(spec: &Spec, stores: &[Store], path: &Path) -> io::Result<u64> {
    let mut out = csv(path, &["product_id", "store_id", "price", "scraped_date"])?;
    let mut count = 0;
    for product in 1..=spec.products {
        for store in stores.iter().filter(|store| sells(spec, store, product)) {
            let cents = price_cents(spec, store, product);
            let price = format!("{}.{:02}", cents / 100, cents % 100);
            let day = 1 + (product + store.id) % 21;
            let date = format!("2026-11-{day:02}");
            out.write_record([&*product.to_string(), &store.id.to_string(), &price, &date])?;
            count += 1;
        }
    }
    out.flush()?;
    Ok(count)
}

/// A company sells a part of all products, and a store most of its company's.
fn sells(spec: &Spec, store: &Store, product: u64) -> bool {
    let company = store.company as u64;
    let of_company = random(spec.seed, what::RANGE, product * 64 + company) % 100;
    let of_store = random(spec.seed, what::RANGE + 1000, product * 4096 + store.id) % 100;
    of_company < spec.companies[store.company].range_percent && of_store < 92
}

fn price_cents(spec: &Spec, store: &Store, product: u64) -> u64 {
    let company = &spec.companies[store.company];
    let dice = random(spec.seed, what::PRODUCT, product);
    let base =
        kind_of(spec, product).cents * (70 + dice % 61) * (1 + size_of(spec, product) as u64);
    let zone = store.company as u64 * 4096 + store.zone;
    let of_zone = 92 + random(spec.seed, what::ZONE, product * 65_536 + zone) % 19;
    let mut cents = base * company.level_percent * of_zone / 1_000_000;
    // A few in a thousand are a store's own.
    if random(spec.seed, what::LOCAL, product * 4096 + store.id).is_multiple_of(500) {
        cents = cents * 9 / 10;
    }
    // Every fortieth product is on special at one company.
    let special = random(spec.seed, what::SPECIAL, product);
    if special.is_multiple_of(40)
        && (special >> 8) % spec.companies.len() as u64 == store.company as u64
    {
        cents = cents * 55 / 100;
    }
    ending_in_nine(cents.max(19))
}

/// Rounds up to a price that ends in 5 or 9, as shelves have them.
fn ending_in_nine(cents: u64) -> u64 {
    match cents % 10 {
        0..=5 => cents - cents % 10 + 5,
        _ => cents - cents % 10 + 9,
    }
}

fn csv(path: &Path, header: &[&str]) -> io::Result<csv::Writer<BufWriter<File>>> {
    let mut out = csv::Writer::from_writer(BufWriter::new(File::create(path)?));
    out.write_record(header)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_bytes() {
        let made = |seed| {
            let folder = tempfile::tempdir().unwrap();
            let spec = Spec {
                seed,
                products: 100,
                ..Spec::demo()
            };
            let made = write_csv(&spec, folder.path()).unwrap();
            assert_eq!(made.stores, 64);
            assert!(made.prices > 2_000);
            ["stores.csv", "products.csv", "prices.csv"]
                .map(|name| std::fs::read(folder.path().join(name)).unwrap())
        };
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
    }

    #[test]
    fn stores_of_a_zone_share_nearly_all_prices() {
        let spec = Spec::demo();
        let stores = stores(&spec);
        let (a, b) = (&stores[0], &stores[3]);
        assert_eq!((a.company, a.zone), (b.company, b.zone));
        let same = (1..=1000).filter(|p| price_cents(&spec, a, *p) == price_cents(&spec, b, *p));
        assert!((990..1000).contains(&same.count()));
    }
}
