//! Products: families of a few sizes each, of brands that all may sell and of
//! companies' own.

use super::{
    goods::{self, FLAVOURS, KINDS, Kind, OWN_BRANDS, VARIETIES},
    random::{Dice, Use, below},
    spec::Spec,
};

/// A product.
#[derive(Debug, Clone, Copy)]
pub(super) struct Product {
    kind: u8,
    variety: u8,
    flavour: u8,
    size: u8,
    /// Its brand's id, if it has a brand.
    pub(super) brand: Option<u32>,
    /// A bit for each company that sells it.
    sold_by: u32,
    /// What it costs where prices are at their usual level, in cents.
    pub(super) cents: u32,
    /// The company that has it on special.
    pub(super) special_at: Option<u32>,
}

/// All products and brands.
#[derive(Debug)]
pub(super) struct Catalog {
    /// By id, from 1.
    pub(super) products: Vec<Product>,
    /// The names of the brands, by id, from 1.
    pub(super) brands: Vec<String>,
}

/// How many in a hundred families are a company's own.
const OWN_PERCENT: u32 = 30;
/// How many in a hundred of the others have no brand.
const NO_BRAND_PERCENT: u32 = 8;
/// About how many products a brand has.
const PRODUCTS_A_BRAND: u32 = 14;
/// One of this many products is on special somewhere.
const ONE_SPECIAL_IN: u32 = 40;

impl Catalog {
    pub(super) fn new(spec: &Spec) -> Catalog {
        let brands = (spec.products / PRODUCTS_A_BRAND).clamp(12, goods::BRANDS);
        let own = spec
            .companies
            .iter()
            .flat_map(|company| OWN_BRANDS.map(|name| format!("{} {name}", company.name)));
        let brands: Vec<String> = own.chain((0..brands).map(goods::brand)).collect();
        let mut products = Vec::with_capacity(spec.products as usize);
        for number in 0.. {
            let family = Family::new(spec, number, brands.len() as u32);
            for size in 0..family.sizes {
                if products.len() == spec.products as usize {
                    return Catalog { products, brands };
                }
                products.push(family.product(spec, products.len() as u32 + 1, size));
            }
        }
        Catalog { products, brands }
    }

    /// Returns a product's name as the shelf shows it.
    pub(super) fn name(&self, product: &Product) -> String {
        let words = [
            product.kind().name,
            product.variety(),
            FLAVOURS[product.flavour as usize],
            product.brand.map_or("", |id| self.brand(id)),
            product.size(),
        ];
        let words = words.into_iter().filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(" ")
    }

    /// Returns a brand's name by its id.
    pub(super) fn brand(&self, id: u32) -> &str {
        &self.brands[id as usize - 1]
    }
}

impl Product {
    pub(super) fn kind(&self) -> &'static Kind {
        &KINDS[self.kind as usize]
    }

    pub(super) fn variety(&self) -> &'static str {
        VARIETIES[self.variety as usize]
    }

    /// Returns its size as it is spelled.
    pub(super) fn size(&self) -> &'static str {
        self.kind().sizes[self.size as usize]
    }

    /// Returns its shelf, by number: its kind and variety.
    pub(super) fn shelf(&self) -> u32 {
        u32::from(self.kind) * VARIETIES.len() as u32 + u32::from(self.variety)
    }

    pub(super) fn is_sold_by(&self, company: u32) -> bool {
        self.sold_by >> company & 1 == 1
    }
}

/// Products that differ in size alone.
struct Family {
    kind: u8,
    variety: u8,
    flavour: u8,
    brand: Option<u32>,
    /// The company whose own it is.
    own: Option<u32>,
    /// Its first size, and how many it has.
    size: u32,
    sizes: u32,
    /// How dear it is for its kind, in percent.
    level: u32,
}

impl Family {
    fn new(spec: &Spec, number: u64, brands: u32) -> Family {
        let dice = Dice::new(spec.seed, Use::Family);
        let rolls = [0, 1, 2].map(|at| dice.roll(number * 3 + at));
        let own = (below(rolls[0], 100) < OWN_PERCENT).then(|| owner(spec, rolls[0] >> 32));
        Family {
            brand: brand(spec, own, rolls[1], brands),
            own,
            kind: below(rolls[2], KINDS.len() as u32) as u8,
            variety: below(rolls[2] >> 32, VARIETIES.len() as u32) as u8,
            flavour: below(rolls[2] >> 16, FLAVOURS.len() as u32) as u8,
            size: below(rolls[1] >> 8, 4),
            sizes: 1 + below(rolls[0] >> 16, 3),
            level: 70 + below(rolls[2] >> 8, 61),
        }
    }

    fn product(&self, spec: &Spec, id: u32, size: u32) -> Product {
        let roll = Dice::new(spec.seed, Use::Product).roll(u64::from(id));
        let companies = spec.companies.len() as u32;
        let size = (self.size + size) % 4;
        let special = below(roll, ONE_SPECIAL_IN) == 0;
        Product {
            kind: self.kind,
            variety: self.variety,
            flavour: self.flavour,
            size: size as u8,
            brand: self.brand,
            sold_by: self
                .own
                .map_or_else(|| sellers(spec, id), |company| 1 << company),
            cents: KINDS[self.kind as usize].cents * self.level * (1 + size) / 100,
            special_at: special.then(|| below(roll >> 32, companies)),
        }
    }
}

fn brand(spec: &Spec, own: Option<u32>, roll: u64, brands: u32) -> Option<u32> {
    let an_own = OWN_BRANDS.len() as u32;
    let owned = spec.companies.len() as u32 * an_own;
    match own {
        Some(company) => Some(company * an_own + 1 + below(roll, an_own)),
        None if below(roll >> 16, 100) < NO_BRAND_PERCENT => None,
        // A few brands have many products.
        None => Some(owned + 1 + below(roll, below(roll >> 32, brands - owned) + 1)),
    }
}

/// Returns whose own a family is: a company with a wide range has more of them.
fn owner(spec: &Spec, roll: u64) -> u32 {
    let all = spec.companies.iter().map(|company| company.range_percent);
    let mut left = below(roll, all.sum());
    for (company, company_spec) in (0..).zip(&spec.companies) {
        if left < company_spec.range_percent {
            return company;
        }
        left -= company_spec.range_percent;
    }
    0
}

fn sellers(spec: &Spec, product: u32) -> u32 {
    let dice = Dice::new(spec.seed, Use::Range);
    let sells = |(company, range): (u32, u32)| {
        let sold = below(dice.roll_two(product, company), 100) < range;
        u32::from(sold) << company
    };
    let ranges = spec.companies.iter().map(|company| company.range_percent);
    (0..).zip(ranges).map(sells).fold(0, |all, one| all | one)
}
