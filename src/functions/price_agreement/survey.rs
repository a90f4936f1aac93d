//! A first look at a company's prices: how many each store has, and which stores
//! look the same.

use std::hash::{BuildHasher, RandomState};

use datafusion::common::Result;

use super::merged::Merged;
use crate::work::workers::Workers;

/// What is known of stores and products before they are compared.
#[derive(Debug)]
pub(super) struct Survey {
    /// By store, its prices.
    pub(super) prices: Vec<u32>,
    /// By store, its prices of products that others have, too.
    pub(super) shared: Vec<u32>,
    /// By store, equal where all its shared prices are.
    pub(super) looks: Vec<u64>,
    /// The products that two stores or more have, those of the most stores first.
    pub(super) products: Vec<u32>,
}

/// Products that a thread takes at a time.
const PRODUCTS_AT_ONCE: usize = 64;

impl Survey {
    /// Looks at all prices once.
    pub(super) fn of(merged: &Merged, workers: &Workers) -> Result<Survey> {
        let salts = RandomState::new();
        let turns = merged.products().div_ceil(PRODUCTS_AT_ONCE);
        let looks = workers.each(
            turns,
            || Look::new(merged.stores.len()),
            |look, turn| {
                let first = turn * PRODUCTS_AT_ONCE;
                for product in first..merged.products().min(first + PRODUCTS_AT_ONCE) {
                    merged.codes(product, &mut look.codes);
                    look.at(product as u32, salts.hash_one(product));
                }
                Ok(())
            },
        )?;
        Ok(Look::sum(looks))
    }

    /// Returns the bytes that a survey takes.
    pub(super) fn size(merged: &Merged, threads: usize) -> usize {
        let of_store = size_of::<u64>() + 2 * size_of::<u32>() + size_of::<u16>();
        (threads + 1) * (merged.stores.len() * of_store + merged.products() * 16)
    }
}

/// What one thread sees.
struct Look {
    codes: Vec<u16>,
    survey: Survey,
    /// How many stores have a product, and the product.
    spread: Vec<(u32, u32)>,
}

impl Look {
    fn new(stores: usize) -> Look {
        Look {
            codes: vec![0; stores],
            survey: Survey {
                prices: vec![0; stores],
                shared: vec![0; stores],
                looks: vec![0; stores],
                products: Vec::new(),
            },
            spread: Vec::new(),
        }
    }

    /// Takes in the product whose codes are at hand.
    fn at(&mut self, product: u32, salt: u64) {
        let survey = &mut self.survey;
        let mut spread = 0;
        for (prices, code) in survey.prices.iter_mut().zip(&self.codes) {
            *prices += u32::from(*code != 0);
            spread += u32::from(*code != 0);
        }
        if spread < 2 {
            return;
        }
        for (shared, code) in survey.shared.iter_mut().zip(&self.codes) {
            *shared += u32::from(*code != 0);
        }
        // A sum, so that the order in which threads see products does not matter.
        for (look, code) in survey.looks.iter_mut().zip(&self.codes) {
            *look = look.wrapping_add(salt.wrapping_mul(u64::from(*code)));
        }
        self.spread.push((spread, product));
    }

    fn sum(looks: Vec<Look>) -> Survey {
        let mut looks = looks.into_iter();
        let mut sum = looks.next().unwrap_or_else(|| Look::new(0));
        for look in looks {
            add(&mut sum.survey.prices, &look.survey.prices, |a, b| a + b);
            add(&mut sum.survey.shared, &look.survey.shared, |a, b| a + b);
            add(&mut sum.survey.looks, &look.survey.looks, u64::wrapping_add);
            sum.spread.extend(look.spread);
        }
        sum.spread
            .sort_unstable_by_key(|(spread, product)| (u32::MAX - spread, *product));
        let products = sum.spread.iter().map(|(_, product)| *product).collect();
        Survey {
            products,
            ..sum.survey
        }
    }
}

fn add<T: Copy>(sum: &mut [T], more: &[T], plus: fn(T, T) -> T) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum = plus(*sum, *more);
    }
}
