//! Towns, and stores around them.

use super::{
    goods,
    random::{Dice, Use, below},
    spec::{Spec, Zones},
};

/// A place with stores.
#[derive(Debug)]
pub(super) struct Town {
    pub(super) name: String,
    /// In hundred-thousandths of a degree.
    latitude: i32,
    longitude: i32,
}

/// A store.
#[derive(Debug)]
pub(super) struct Store {
    /// From 1, one company after another.
    pub(super) id: u32,
    /// Its company's place in the spec.
    pub(super) company: u32,
    /// Its zone within the company.
    pub(super) zone: u32,
    pub(super) town: u32,
    /// Its place in its company's divisions.
    pub(super) division: Option<u32>,
    /// In degrees; unknown for one in some hundreds.
    pub(super) place: Option<(f64, f64)>,
    /// How many in 256 of its company's products it carries.
    pub(super) carries: u8,
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct Country {
    pub(super) towns: Vec<Town>,
    /// All stores, by id.
    pub(super) stores: Vec<Store>,
    /// How many zones each company has; one priced store by store as many as stores.
    pub(super) zones: Vec<u32>,
}

const WEST: i32 = 6_00000;
const WIDTH: i64 = 20_00000;
const SOUTH: i32 = 40_00000;
const HEIGHT: u32 = 10_00000;

/// A supermarket carries nearly all, a small store less.
const LARGE: u8 = 248;
const SMALL: u8 = 218;

impl Country {
    pub(super) fn new(spec: &Spec) -> Country {
        let count = spec
            .companies
            .iter()
            .map(|company| company.stores)
            .sum::<u32>();
        let towns = (count / 15).clamp(8, goods::TOWNS);
        let people = people(spec, towns);
        let dice = Dice::new(spec.seed, Use::Store);
        let zones = spec.companies.iter().map(|company| match company.zones {
            Zones::Of(zones) => zones.max(1),
            Zones::Alone => company.stores,
        });
        let zones = zones.collect();
        let towns = (0..towns)
            .map(|town| Town::new(spec, town, towns))
            .collect();
        let mut country = Country {
            towns,
            stores: Vec::with_capacity(count as usize),
            zones,
        };
        for (company, company_spec) in (0..).zip(&spec.companies) {
            for number in 0..company_spec.stores {
                let id = country.stores.len() as u32 + 1;
                let roll = dice.roll(u64::from(id));
                let town = town_of(&people, roll);
                let small = (roll >> 56).is_multiple_of(7);
                let store = Store {
                    id,
                    company,
                    zone: match company_spec.zones {
                        Zones::Alone => number,
                        Zones::Of(zones) => town * zones / country.towns.len() as u32,
                    },
                    town,
                    division: (!company_spec.divisions.is_empty()).then_some(u32::from(small)),
                    place: (id % 400 != 13).then(|| country.towns[town as usize].near(spec, id)),
                    carries: if small { SMALL } else { LARGE },
                };
                country.stores.push(store);
            }
        }
        country
    }

    /// Returns the companies, by their place in the spec, with their stores.
    pub(super) fn companies(&self) -> impl Iterator<Item = (u32, &[Store])> {
        let companies = self.stores.chunk_by(|a, b| a.company == b.company);
        companies.map(|stores| (stores[0].company, stores))
    }
}

impl Town {
    /// Makes a town: the first lies furthest west, so that a zone's towns are neighbours.
    fn new(spec: &Spec, number: u32, of: u32) -> Town {
        let roll = Dice::new(spec.seed, Use::Town).roll(u64::from(number));
        let strip = WIDTH / i64::from(of);
        let east = strip * i64::from(number) + i64::from(below(roll, strip as u32));
        Town {
            name: goods::town(number),
            latitude: SOUTH + below(roll >> 32, HEIGHT) as i32,
            longitude: WEST + east as i32,
        }
    }

    /// Returns a place within some eight kilometres, in degrees.
    fn near(&self, spec: &Spec, store: u32) -> (f64, f64) {
        let roll = Dice::new(spec.seed, Use::Place).roll(u64::from(store));
        // The sum of two throws: more stores near the middle.
        let off = |roll: u64| (below(roll, 7_500) + below(roll >> 16, 7_500)) as i32 - 7_500;
        let degrees = |hundred_thousandths: i32| f64::from(hundred_thousandths) / 1e5;
        (
            degrees(self.latitude + off(roll)),
            degrees(self.longitude + off(roll.rotate_left(32))),
        )
    }
}

/// Returns how many live in the towns, each with those before it.
fn people(spec: &Spec, towns: u32) -> Vec<u32> {
    let dice = Dice::new(spec.seed, Use::Town);
    let mut before = 0;
    let of = (0..towns).map(|town| {
        let one = below(dice.roll(u64::from(town)).rotate_left(17), 100) + 1;
        before += 20 + one * one * one / 5_000;
        before
    });
    of.collect()
}

fn town_of(people: &[u32], roll: u64) -> u32 {
    let all = people.last().copied().unwrap_or(1);
    let whose = below(roll, all);
    people.partition_point(|&before| before <= whose) as u32
}
