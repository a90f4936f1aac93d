//! Categories: each company has its own, a department and a shelf for each product.

use super::{
    goods::{KINDS, VARIETIES},
    market::Market,
    random::{Dice, Use, below},
};

/// A category of a company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Category {
    pub(super) id: u32,
    /// As its company spells it.
    pub(super) name: String,
    /// The company's place in the spec.
    pub(super) company: u32,
}

/// Two categories of different companies that mean the same, more or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) link_type: &'static str,
}

/// The departments, each once, then the shelves: kinds by variety.
fn names() -> Vec<String> {
    let shelves = KINDS.iter().flat_map(|kind| {
        let name = |variety: &&str| format!("{} {variety}", kind.name);
        VARIETIES.iter().map(name)
    });
    let departments = departments().into_iter().map(str::to_owned);
    departments.chain(shelves).collect()
}

fn departments() -> Vec<&'static str> {
    let mut names: Vec<&str> = KINDS.iter().map(|kind| kind.department).collect();
    names.dedup();
    names
}

/// Returns how many categories each company has.
fn each() -> u32 {
    (departments().len() + KINDS.len() * VARIETIES.len()) as u32
}

/// Returns all categories, by id.
pub(super) fn categories(market: &Market) -> Vec<Category> {
    let names = names();
    let mut all = Vec::new();
    for company in 0..market.spec.companies.len() as u32 {
        for name in &names {
            all.push(Category {
                id: all.len() as u32 + 1,
                name: spelled(company, name),
                company,
            });
        }
    }
    all
}

fn spelled(company: u32, name: &str) -> String {
    match company % 4 {
        1 => name.to_uppercase(),
        2 => format!("{name} & more"),
        _ => name.to_owned(),
    }
}

/// Returns a product's categories, ascending: two of each company that sells it.
pub(super) fn of_product(market: &Market, product: u32) -> Vec<u32> {
    let product = market.product(product);
    let departments = departments();
    let department = departments
        .iter()
        .position(|name| *name == product.kind().department);
    let department = department.unwrap_or_default() as u32;
    let companies = 0..market.spec.companies.len() as u32;
    let sellers = companies.filter(|company| product.is_sold_by(*company));
    let shelf = departments.len() as u32 + product.shelf();
    let first = |company| company * each() + 1;
    sellers
        .flat_map(|company| [first(company) + department, first(company) + shelf])
        .collect()
}

/// Returns each category's products, ascending, by the category's id from 1.
pub(super) fn members(market: &Market) -> Vec<Vec<u32>> {
    let count = each() * market.spec.companies.len() as u32;
    let mut members = vec![Vec::new(); count as usize];
    for product in 1..=market.spec.products {
        for category in of_product(market, product) {
            members[category as usize - 1].push(product);
        }
    }
    members
}

/// Returns the links there are, by both ids: seven in ten of those that might be.
pub(super) fn links(market: &Market) -> Vec<Link> {
    let dice = Dice::new(market.spec.seed, Use::Link);
    let companies = market.spec.companies.len() as u32;
    let mut links = Vec::new();
    for a in 1..=each() * companies {
        let (company, name) = ((a - 1) / each(), (a - 1) % each());
        for other in company + 1..companies {
            let b = other * each() + name + 1;
            let roll = dice.roll_two(a, b);
            let same = spelled(company, "a").eq_ignore_ascii_case(&spelled(other, "a"));
            let link_type = match (same, below(roll >> 32, 2)) {
                (true, _) => "MATCH",
                (false, 0) => "CLOSE",
                (false, _) => "DISTANT",
            };
            if below(roll, 10) < 7 {
                links.push(Link { a, b, link_type });
            }
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::spec::Spec;

    #[test]
    fn a_link_joins_categories_of_two_companies_lower_id_first() {
        let market = Market::new(&Spec::demo());
        let all = categories(&market);
        let links = links(&market);
        assert!(links.is_sorted_by(|a, b| (a.a, a.b) < (b.a, b.b)));
        for link in links {
            let company = |id: u32| all[id as usize - 1].company;
            assert!(link.a < link.b && company(link.a) != company(link.b));
        }
    }

    #[test]
    fn a_product_is_in_two_categories_of_each_company_that_sells_it() {
        let market = Market::new(&Spec::demo());
        let all = categories(&market);
        for product in 1..=market.spec.products {
            let of = of_product(&market, product);
            assert!(of.is_sorted_by(|a, b| a < b));
            for company in 0..4 {
                let theirs = of
                    .iter()
                    .filter(|id| all[**id as usize - 1].company == company);
                let sold = market.product(product).is_sold_by(company);
                assert_eq!(theirs.count(), if sold { 2 } else { 0 });
            }
        }
    }
}
