//! Stores that ask the same for the same products, of which one is compared for all.

use datafusion::common::HashMap;

use super::survey::Survey;

/// The stores that are compared, those that look the same together.
#[derive(Debug)]
pub(super) struct Lookalikes {
    /// By class, its stores, ascending; classes by their first store, which is
    /// compared for all.
    pub(super) classes: Vec<Vec<u16>>,
}

impl Lookalikes {
    /// Puts the stores that look the same into one class.
    pub(super) fn of(survey: &Survey, compared: &[u16]) -> Self {
        let mut classes: Vec<Vec<u16>> = Vec::new();
        let mut by_look: HashMap<(u64, u32), usize> = HashMap::new();
        for &store in compared {
            let place = usize::from(store);
            let look = (survey.looks[place], survey.shared[place]);
            let class = *by_look.entry(look).or_insert_with(|| {
                classes.push(Vec::new());
                classes.len() - 1
            });
            classes[class].push(store);
        }
        Lookalikes { classes }
    }

    /// Puts each store into a class of its own.
    pub(super) fn none(compared: &[u16]) -> Self {
        let classes = compared.iter().map(|store| vec![*store]).collect();
        Lookalikes { classes }
    }

    /// Returns the store that is compared for each class.
    pub(super) fn first_stores(&self) -> Vec<u16> {
        self.classes.iter().map(|class| class[0]).collect()
    }

    /// Returns each store that another is compared for, with that other.
    pub(super) fn others(&self) -> Vec<(u16, u16)> {
        let of_class = |class: &Vec<u16>| {
            let first = class[0];
            class[1..]
                .iter()
                .map(move |other| (first, *other))
                .collect::<Vec<_>>()
        };
        self.classes.iter().flat_map(of_class).collect()
    }
}
