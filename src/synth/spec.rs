//! What is made up, and how much of it.

use std::fmt;

/// What is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// How large it is, in a word or a number.
    pub size: String,
    /// The companies.
    pub companies: Vec<Company>,
    /// How many products there are in all.
    pub products: u32,
    /// Where the randomness begins.
    pub seed: u64,
    /// Whether there is dirt in it.
    pub dirt: bool,
}

/// A company of a made-up export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// Its name.
    pub name: &'static str,
    /// How many stores it has.
    pub stores: u32,
    /// How its stores are priced.
    pub zones: Zones,
    /// How many in a hundred of the products that all may sell it does sell.
    pub range_percent: u32,
    /// How many in a hundred of its products cost the same everywhere.
    pub national_percent: u32,
    /// Its price level, in percent.
    pub level_percent: u32,
    /// Whether the service keeps one record for all stores of a zone that ask the
    /// zone's price, or one for each.
    pub shares_records: bool,
    /// What its stores are divided into; empty: nothing.
    pub divisions: &'static [&'static str],
}

/// How a company's stores are priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zones {
    /// In this many zones, by place.
    Of(u32),
    /// Each alone.
    Alone,
}

/// A size of a made-up export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// About 1 million prices.
    S,
    /// About 10 million prices.
    M,
    /// About 100 million prices: 2,215 + 1,700 + 1,291 + 495 stores, 32,700 products.
    L,
    /// About 1,000 million prices: some three times the stores and the products of `L`.
    Xl,
}

/// The prices, stores and products of the preset `l`; others are scaled from it.
const PRICES: f64 = 1e8;
const STORES: [u32; 4] = [2_215, 1_700, 1_291, 495];
const PRODUCTS: u32 = 32_700;
const ZONES: [u32; 2] = [24, 12];

impl Preset {
    /// Returns about how many prices it has.
    pub fn prices(self) -> u64 {
        match self {
            Preset::S => 1_000_000,
            Preset::M => 10_000_000,
            Preset::L => 100_000_000,
            Preset::Xl => 1_000_000_000,
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Preset::S => "s",
            Preset::M => "m",
            Preset::L => "l",
            Preset::Xl => "xl",
        })
    }
}

impl Spec {
    /// Returns a country of a preset's size.
    pub fn preset(preset: Preset, seed: u64) -> Spec {
        Spec {
            size: preset.to_string(),
            ..Spec::with_prices(preset.prices(), seed)
        }
    }

    /// Returns a country of about this many prices: as many times more stores as there
    /// are more products.
    pub fn with_prices(prices: u64, seed: u64) -> Spec {
        let factor = (prices.max(1) as f64 / PRICES).sqrt();
        let scaled = |of: u32| ((f64::from(of) * factor).round() as u32).max(1);
        let stores = STORES.map(scaled);
        Spec {
            size: format!("{prices} prices"),
            companies: companies(stores, ZONES),
            products: scaled(PRODUCTS),
            seed,
            dirt: false,
        }
    }

    /// Returns a small country: four companies, 64 stores, 1,500 products.
    pub fn demo() -> Spec {
        Spec {
            size: "demo".to_owned(),
            companies: companies([24, 18, 10, 12], [3, 2]),
            products: 1_500,
            seed: 2026,
            dirt: false,
        }
    }

    /// Returns what a snapshot names as its source.
    pub fn source(&self) -> String {
        let dirt = if self.dirt { " with dirt" } else { "" };
        format!("synth {} seed {}{dirt}", self.size, self.seed)
    }
}

fn companies(stores: [u32; 4], zones: [u32; 2]) -> Vec<Company> {
    // A zone needs more than one store: there are always a few in each.
    let of = |at: usize| Zones::Of(zones[at].min(stores[at] / 4).max(1));
    vec![
        Company {
            name: "Alder",
            stores: stores[0],
            zones: of(0),
            range_percent: 75,
            national_percent: 40,
            level_percent: 100,
            shares_records: true,
            divisions: &["Alder Supermarkets", "Alder Express"],
        },
        Company {
            name: "Birch & Sons",
            stores: stores[1],
            zones: of(1),
            range_percent: 70,
            national_percent: 55,
            level_percent: 108,
            shares_records: false,
            divisions: &["SUPERMARKETS", "METRO"],
        },
        Company {
            name: "Cedar",
            stores: stores[2],
            zones: Zones::Alone,
            range_percent: 66,
            national_percent: 20,
            level_percent: 115,
            shares_records: false,
            divisions: &["Cedar", "Cedar Express"],
        },
        Company {
            name: "Dogwood",
            stores: stores[3],
            zones: Zones::Of(1),
            range_percent: 45,
            national_percent: 100,
            level_percent: 94,
            shares_records: true,
            divisions: &[],
        },
    ]
}
