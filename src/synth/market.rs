//! What each store asks for each product.
//!
//! A price follows from its product, its store and the seed alone, so that prices can
//! be made in any order, and none needs to be kept.

use super::{
    catalog::{Catalog, Product},
    country::{Country, Store},
    random::{Dice, Use, below},
    spec::{Spec, Zones},
};

/// A country with its products and prices.
#[derive(Debug)]
pub(super) struct Market {
    pub(super) spec: Spec,
    pub(super) country: Country,
    pub(super) catalog: Catalog,
    national: Dice,
    zone: Dice,
    store: Dice,
    pub(super) dirt: Dice,
    /// The first zone of each company, counting those of all.
    first_zones: Vec<u32>,
    /// Where in the catalog each scraper begins: those of all zones, then of all stores.
    starts: Vec<u32>,
}

/// What a company asks for a product before it looks at the place.
#[derive(Debug, Clone, Copy)]
pub(super) struct CompanyPrice {
    product: u32,
    company: u32,
    cents: u32,
    /// Whether it asks the same everywhere.
    is_national: bool,
}

/// What a zone asks for a product.
#[derive(Debug, Clone, Copy)]
pub(super) struct ZonePrice {
    cents: u32,
    /// On which day it was first seen.
    day: u32,
    /// Its zone, counting those of all companies.
    zone: u32,
}

/// A price as a store asks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) product: u32,
    pub(super) store: u32,
    pub(super) cents: u32,
    pub(super) record: i64,
    /// In days since 1970.
    pub(super) date: i32,
}

/// 2026-11-23, in days since 1970: when most prices were seen last.
const LAST_DAY: i32 = 20_780;
/// Over how many days prices were first seen.
const DAYS: u32 = 28;
/// How many of 1,024 prices of a zone are a store's own.
const OWN_OF_1024: u64 = 2;
/// What is left of a price on special, in percent.
const SPECIAL_PERCENT: u32 = 55;

impl CompanyPrice {
    pub(super) fn company(&self) -> u32 {
        self.company
    }
}

impl Market {
    /// Makes a country; what it keeps grows with products and stores, not with prices.
    pub(super) fn new(spec: &Spec) -> Market {
        let country = Country::new(spec);
        let dice = |what| Dice::new(spec.seed, what);
        let mut zones = 0;
        let first_zones = country.zones.iter().map(|of| {
            zones += of;
            zones - of
        });
        let first_zones = first_zones.collect();
        let scrapers = zones + country.stores.len() as u32;
        let start = |scraper| below(dice(Use::Scrape).roll(u64::from(scraper)), spec.products);
        Market {
            catalog: Catalog::new(spec),
            national: dice(Use::National),
            zone: dice(Use::Zone),
            store: dice(Use::Offer),
            dirt: dice(Use::Dirt),
            first_zones,
            starts: (0..scrapers).map(start).collect(),
            spec: spec.clone(),
            country,
        }
    }

    /// Returns a product by its id.
    pub(super) fn product(&self, id: u32) -> &Product {
        &self.catalog.products[id as usize - 1]
    }

    /// Returns whether a company's stores are each priced alone.
    pub(super) fn is_alone(&self, company: u32) -> bool {
        self.spec.companies[company as usize].zones == Zones::Alone
    }

    /// Returns what a company asks for a product, if it sells it.
    pub(super) fn of_company(&self, product: u32, company: u32) -> Option<CompanyPrice> {
        let sold = self.product(product);
        if !sold.is_sold_by(company) {
            return None;
        }
        let company_spec = &self.spec.companies[company as usize];
        let roll = self.national.roll_two(product, company);
        // Each company has its own mind about each product.
        let percent = 84 + below(roll >> 32, 33);
        let usual = sold.cents * company_spec.level_percent / 100 * percent / 100;
        let cents = match sold.special_at == Some(company) {
            true => usual * SPECIAL_PERCENT / 100,
            false => usual,
        };
        Some(CompanyPrice {
            product,
            company,
            cents,
            is_national: below(roll, 100) < company_spec.national_percent,
        })
    }

    /// Returns what a zone of the company asks.
    #[inline]
    pub(super) fn of_zone(&self, company: &CompanyPrice, zone: u32) -> ZonePrice {
        let zone = self.first_zones[company.company as usize] + zone;
        let roll = self.zone.roll_two(company.product, zone);
        let percent = match company.is_national {
            true => 100,
            false => 92 + below(roll, 17),
        };
        ZonePrice {
            cents: shelf_price(company.cents * percent / 100),
            day: below(roll >> 32, DAYS),
            zone,
        }
    }

    /// Returns what a store of the zone asks, if it carries the product.
    #[inline]
    pub(super) fn of_store(&self, product: u32, zone: &ZonePrice, store: &Store) -> Option<Offer> {
        let roll = self.store.roll_two(product, store.id);
        if !is_carried(roll, store) {
            return None;
        }
        let is_own = roll >> 8 & 0x3ff < OWN_OF_1024;
        let shares = self.spec.companies[store.company as usize].shares_records && !is_own;
        let scraper = match shares {
            true => zone.zone,
            false => self.starts.len() as u32 - self.country.stores.len() as u32 + store.id - 1,
        };
        let late = match roll >> 18 & 0x3f {
            0 => 1 + (roll >> 24 & 3) as i32,
            _ => 0,
        };
        Some(Offer {
            product,
            store: store.id,
            cents: if is_own {
                own_price(zone.cents)
            } else {
                zone.cents
            },
            record: self.record(product, zone.day, scraper),
            date: LAST_DAY - late,
        })
    }

    /// Returns how many prices there are.
    pub(super) fn count(&self) -> u64 {
        let products = 1..=self.spec.products;
        let of_product = |product: u32| {
            let companies = self.country.companies();
            let selling = companies.filter(move |(company, _)| {
                let sold = self.product(product);
                sold.is_sold_by(*company)
            });
            let carrying = selling.map(move |(_, stores)| {
                let carrying = stores.iter().filter(|store| {
                    let roll = self.store.roll_two(product, store.id);
                    is_carried(roll, store)
                });
                carrying.count() as u64
            });
            carrying.sum::<u64>()
        };
        products.map(of_product).sum()
    }

    /// Returns the product that a store's scraper meets at a place of its round.
    pub(super) fn met(&self, store: &Store, at: u32) -> u32 {
        let scraper = self.starts.len() - self.country.stores.len() + store.id as usize - 1;
        let start = u64::from(self.starts[scraper]);
        ((start + u64::from(at)) % u64::from(self.spec.products)) as u32 + 1
    }

    /// Returns a record's number. Records are numbered as they are made: day by day,
    /// scraper by scraper, each going round the catalog from where it begins. Those
    /// that have been replaced since leave gaps.
    fn record(&self, product: u32, day: u32, scraper: u32) -> i64 {
        let products = u64::from(self.spec.products);
        let start = u64::from(self.starts[scraper as usize]);
        let round = u64::from(day) * self.starts.len() as u64 + u64::from(scraper);
        // Not a remainder: a division would be the slowest part of making a price.
        let behind = u64::from(product - 1);
        let at = match behind >= start {
            true => behind - start,
            false => behind + products - start,
        };
        (round * products + at) as i64 + 1
    }
}

/// Returns whether a store carries the product that the roll is for.
fn is_carried(roll: u64, store: &Store) -> bool {
    roll & 0xff < u64::from(store.carries)
}

/// Rounds up to a price that ends in 5 or 9, as shelves have them.
fn shelf_price(cents: u32) -> u32 {
    let cents = cents.max(19);
    match cents % 10 {
        0..=5 => cents - cents % 10 + 5,
        _ => cents - cents % 10 + 9,
    }
}

/// Returns a price that is not the zone's.
fn own_price(zone_cents: u32) -> u32 {
    match shelf_price(zone_cents * 9 / 10) {
        same if same == zone_cents => zone_cents + 10,
        own => own,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn offers(market: &Market, store: &Store) -> BTreeMap<u32, Offer> {
        let offer = |product| {
            let company = market.of_company(product, store.company)?;
            let zone = market.of_zone(&company, store.zone);
            Some((product, market.of_store(product, &zone, store)?))
        };
        (1..=market.spec.products).filter_map(offer).collect()
    }

    /// Returns how many products two stores have in common, and how many at one price.
    fn agreement(market: &Market, a: &Store, b: &Store) -> (usize, usize) {
        let (a, b) = (offers(market, a), offers(market, b));
        let common = a
            .values()
            .filter_map(|one| Some((one, b.get(&one.product)?)));
        let common: Vec<_> = common.collect();
        let same = common.iter().filter(|(a, b)| a.cents == b.cents).count();
        (common.len(), same)
    }

    #[test]
    fn stores_of_a_zone_share_all_prices_but_a_few_per_mille() {
        let market = Market::new(&Spec::preset(super::super::Preset::S, 7));
        let mut pairs = 0;
        for stores in market.country.stores.windows(2) {
            let [a, b] = stores else { unreachable!() };
            if a.company != b.company || market.is_alone(a.company) || pairs == 40 {
                continue;
            }
            let (common, same) = agreement(&market, a, b);
            if a.zone == b.zone {
                pairs += 1;
                assert!(common > 500, "{common}");
                assert!((985 * common..1000 * common).contains(&(same * 1000)) || same == common);
            } else {
                assert!(same * 100 < 80 * common, "another zone: {same} of {common}");
            }
        }
        assert!(pairs > 10);
    }

    #[test]
    fn a_company_prices_each_store_alone() {
        let market = Market::new(&Spec::preset(super::super::Preset::S, 7));
        let alone = |store: &&Store| market.is_alone(store.company);
        let stores: Vec<_> = market.country.stores.iter().filter(alone).take(2).collect();
        let (common, same) = agreement(&market, stores[0], stores[1]);
        assert!(common > 500 && same * 2 < common, "{same} of {common}");
    }

    #[test]
    fn a_record_is_of_one_price_and_shared_within_a_zone_alone() {
        let market = Market::new(&Spec::with_prices(100_000, 3));
        let mut records: BTreeMap<i64, (u32, u32, u32, u32)> = BTreeMap::new();
        let mut shared = BTreeSet::new();
        for store in &market.country.stores {
            for offer in offers(&market, store).into_values() {
                let of = (offer.product, offer.cents, store.company, store.zone);
                if records.insert(offer.record, of).is_some_and(|other| {
                    assert_eq!(other, of);
                    true
                }) {
                    shared.insert(store.company);
                }
            }
        }
        let sharing = (0..).zip(&market.spec.companies);
        let sharing = sharing.filter(|(_, company)| company.shares_records);
        assert_eq!(shared, sharing.map(|(company, _)| company).collect());
    }

    #[test]
    fn the_count_is_that_of_the_prices() {
        let market = Market::new(&Spec::with_prices(20_000, 5));
        let stores = market.country.stores.iter();
        let prices: usize = stores.map(|store| offers(&market, store).len()).sum();
        assert_eq!(market.count(), prices as u64);
    }

    #[test]
    fn each_large_chain_prices_some_seventeen_to_twenty_thousand_products() {
        let spec = Spec::preset(super::super::Preset::L, 1);
        let stores: Vec<u32> = spec
            .companies
            .iter()
            .map(|company| company.stores)
            .collect();
        assert_eq!(stores, [2_215, 1_700, 1_291, 495]);
        let catalog = Catalog::new(&spec);
        for company in 0..3 {
            let sold = catalog.products.iter();
            let sold = sold.filter(|product| product.is_sold_by(company)).count();
            assert!((16_500..=20_500).contains(&sold), "{sold}");
        }
    }
}
