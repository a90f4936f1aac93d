//! What rows need to know of other rows: the database's as the load finds it, and
//! those of files before.
//!
//! Held in memory are ids, names, and which company prices which product; never
//! prices.

mod preload;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use datafusion::error::DataFusionError;

pub(super) use self::preload::Needs;
use super::{
    Error,
    bad::{BadRows, Fault},
    ids::{IdMap, IdSet, Ids, Known},
    names::Names,
    row::Row,
    values::Value,
    whole::Whole,
};
use crate::{database::TableCounts, diagnostics::nearest, pipeline::Reference, text::fold_case};

/// What is known while files are read.
#[derive(Debug, Default)]
pub(in crate::load) struct State {
    pub(in crate::load) bad: BadRows,
    /// What is to be said of files whose rows were taken.
    pub(in crate::load) notes: Vec<String>,
    pub(in crate::load) companies: Names<String>,
    pub(in crate::load) divisions: Names<(i64, String)>,
    pub(in crate::load) brands: Names<String>,
    /// By company and folded name.
    pub(in crate::load) categories: Names<(i64, String)>,
    pub(in crate::load) products: Ids,
    pub(in crate::load) stores: Ids,
    pub(in crate::load) company_of_store: IdMap<i64, i64>,
    /// A product's category as the source spells it.
    category_of_product: IdMap<i64, String>,
    /// Products whose category's text has changed in this load.
    recategorized: HashSet<i64>,
    /// Product and company, where the company prices the product.
    priced: IdSet<(i64, i64)>,
    /// Product and category, before the load.
    links: BTreeSet<(i64, i64)>,
    /// Product and category, from a file of their own.
    own_links: BTreeSet<(i64, i64)>,
    /// Column → its values, where rows of files refer to it.
    parents: Vec<(Reference, Known)>,
    had: HashMap<&'static str, IdSet<i64>>,
    derives_links: bool,
    whole: Whole,
    link_counts: Option<TableCounts>,
    error: Option<Error>,
}

impl State {
    /// Refuses a second row of one id.
    pub(in crate::load) fn first(
        &mut self,
        table: &'static str,
        column: &str,
        id: i64,
    ) -> Result<(), Fault> {
        match self.had.entry(table).or_default().insert(id) {
            true => Ok(()),
            false => Err(Fault::at(column, format!("{id} already has a row"))),
        }
    }

    /// Notes a product's category as a file spells it.
    pub(in crate::load) fn set_category(&mut self, product: i64, category: Option<&str>) {
        let before = match category {
            Some(name) => self.category_of_product.insert(product, name.to_owned()),
            None => self.category_of_product.remove(&product),
        };
        if before.as_deref() != category {
            self.recategorized.insert(product);
        }
    }

    /// Notes that a store has a price of a product.
    pub(in crate::load) fn price(&mut self, product: i64, store: i64) {
        if let Some(company) = self.company_of_store.get(&store)
            && self.category_of_product.contains_key(&product)
        {
            self.priced.insert((product, *company));
        }
    }

    pub(in crate::load) fn has_parent(&self, parent: &Reference, value: &Value<'_>) -> bool {
        let mut parents = self.parents.iter();
        let known = parents.find(|(known, _)| known == parent);
        known.is_none_or(|(_, known)| known.has(value))
    }

    /// Notes a row of a table's own file, for the files after it.
    pub(in crate::load) fn learn(&mut self, table: &str, row: &Row<'_>) {
        for (parent, known) in &mut self.parents {
            if parent.table == table
                && let Some(text) = row.named(&parent.column)
            {
                known.learn(text);
            }
        }
        if table == "prices" {
            return;
        }
        let id = |column: &str| row.named(column).and_then(|text| text.parse::<i64>().ok());
        let name = row.named("name").unwrap_or_default();
        match (table, id("id")) {
            ("companies", Some(id)) => self.companies.know(name.to_owned(), id),
            ("divisions", Some(own)) => {
                let company = id("company_id").unwrap_or_default();
                self.divisions.know((company, name.to_owned()), own);
            }
            ("brands", Some(id)) => self.brands.know(fold_case(name), id),
            ("categories", Some(own)) => {
                let company = id("company_id").unwrap_or_default();
                self.categories.know((company, fold_case(name)), own);
            }
            ("stores", Some(own)) => {
                self.stores.add(own);
                self.company_of_store
                    .extend(id("company_id").map(|company| (own, company)));
            }
            ("products", Some(id)) => {
                self.products.add(id);
                self.set_category(id, row.named("category"));
            }
            ("product_categories", _) => {
                self.own_links
                    .extend(id("product_id").zip(id("category_id")));
            }
            _ => {}
        }
    }

    /// Returns each product with its categories: one of each company that prices it,
    /// new ones numbered by company and name. Products whose category's text did not
    /// change keep those they have.
    pub(in crate::load) fn derive_links(&mut self) -> BTreeSet<(i64, i64)> {
        let mut wanted: BTreeMap<(i64, String), BTreeSet<i64>> = BTreeMap::new();
        for (product, company) in &self.priced {
            if let Some(name) = self.category_of_product.get(product) {
                let key = (*company, fold_case(name));
                wanted.entry(key).or_default().insert(*product);
            }
        }
        let own = self.links.iter().copied();
        let own = own.filter(|(product, _)| !self.recategorized.contains(product));
        let mut links: BTreeSet<_> = own.chain(self.own_links.iter().copied()).collect();
        if self.whole.has("products") {
            wanted
                .values_mut()
                .for_each(|ids| ids.retain(|id| self.products.place(*id).is_some()));
            wanted.retain(|_, ids| !ids.is_empty());
            links.retain(|(product, _)| self.products.place(*product).is_some());
        }
        for (key, products) in wanted {
            let lowest = products
                .first()
                .and_then(|id| self.category_of_product.get(id));
            let name = lowest.map_or(String::new(), |name| name.trim().to_owned());
            let category = self.categories.id(key, &name);
            links.extend(products.into_iter().map(|product| (product, category)));
        }
        self.count_links(&links);
        links
    }

    /// The whole table is written again, which does not show what changed in it.
    fn count_links(&mut self, links: &BTreeSet<(i64, i64)>) {
        let unchanged = self.links.intersection(links).count() as u64;
        self.link_counts = Some(TableCounts {
            table: "product_categories".to_owned(),
            inserted: links.len() as u64 - unchanged,
            unchanged,
            deleted: self.links.len() as u64 - unchanged,
            ..TableCounts::default()
        });
    }

    /// Returns whether products' categories come from their text in this load.
    pub(in crate::load) fn derives_links(&self) -> bool {
        self.derives_links
    }

    /// Keeps an error for the end; what is returned stops the database.
    pub(in crate::load) fn fail(&mut self, error: Error) -> DataFusionError {
        self.error.get_or_insert(error);
        DataFusionError::Execution("the load has failed".to_owned())
    }

    /// Returns an error if any row was bad.
    pub(in crate::load) fn stop_if_bad(&mut self) -> Result<(), DataFusionError> {
        match std::mem::take(&mut self.bad) {
            BadRows { count: 0, .. } => Ok(()),
            BadRows { count, shown } => Err(self.fail(Error::BadRows { count, shown })),
        }
    }

    /// Returns the id of the company whose rows are replaced, if it has one.
    pub(in crate::load) fn replaced_company(&self) -> Option<i64> {
        self.companies.get(self.whole.company.as_ref()?)
    }

    /// Returns an error if the company whose rows are replaced is in no table and no file.
    pub(in crate::load) fn stop_if_no_company(&mut self) -> Result<(), DataFusionError> {
        match self.whole.company.clone() {
            Some(name) if self.companies.get(&name).is_none() => {
                let names = self.companies.keys().map(String::as_str);
                let nearest = nearest(&name, names).map(str::to_owned);
                Err(self.fail(Error::UnknownCompany { name, nearest }))
            }
            _ => Ok(()),
        }
    }

    pub(in crate::load) fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }

    /// Returns the counts of each table once, in the order in which tables were
    /// first filled, without those that had no row.
    pub(in crate::load) fn counts(&mut self, filled: Vec<TableCounts>) -> Vec<TableCounts> {
        let mut tables = indexmap::IndexMap::<String, TableCounts>::new();
        for counts in filled {
            let sum = tables.entry(counts.table.clone()).or_default();
            sum.table = counts.table;
            sum.inserted += counts.inserted;
            sum.changed += counts.changed;
            sum.unchanged += counts.unchanged;
            sum.deleted += counts.deleted;
        }
        if let Some(counts) = self.link_counts.take() {
            tables.insert(counts.table.clone(), counts);
        }
        let some = |c: &TableCounts| c.inserted + c.changed + c.unchanged + c.deleted > 0;
        tables.into_values().filter(some).collect()
    }
}
