//! What rows need to know of other rows: the database's as the load finds it, and
//! those of files before.
//!
//! Held in memory are ids, names, and which company prices which product; never
//! prices.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::Hash,
};

use datafusion::{
    arrow::{
        array::{Array, AsArray},
        datatypes::Int64Type,
        record_batch::RecordBatch,
    },
    error::DataFusionError,
};
use futures::StreamExt;

use super::{
    Error, Result,
    bad::{BadRows, Fault},
    ids::{IdMap, IdSet, Ids, Known},
    rows::{Layout, Row, TableFile},
    values::Value,
};
use crate::{
    database::{self, Database, TableCounts},
    dataset::ColumnType,
    pipeline::Reference,
    text::fold_case,
};

/// Names with ids; one that is not known gets the next.
#[derive(Debug)]
pub(super) struct Names<K> {
    ids: HashMap<K, i64>,
    highest: i64,
    /// What is new, in the order it came: id, key, and the name as first spelled.
    pub(super) new: Vec<(i64, K, String)>,
}

/// What is known while files are read.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) bad: BadRows,
    pub(super) companies: Names<String>,
    pub(super) divisions: Names<(i64, String)>,
    pub(super) brands: Names<String>,
    /// By company and folded name.
    pub(super) categories: Names<(i64, String)>,
    pub(super) products: Ids,
    pub(super) stores: Ids,
    pub(super) company_of_store: IdMap<i64, i64>,
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
    link_counts: Option<TableCounts>,
    error: Option<Error>,
}

impl<K> Default for Names<K> {
    fn default() -> Self {
        Names {
            ids: HashMap::new(),
            highest: 0,
            new: Vec::new(),
        }
    }
}

impl<K: Eq + Hash + Clone> Names<K> {
    /// Returns a name's id, a new one if need be.
    pub(super) fn id(&mut self, key: K, name: &str) -> i64 {
        if let Some(id) = self.ids.get(&key) {
            return *id;
        }
        self.highest += 1;
        self.ids.insert(key.clone(), self.highest);
        self.new.push((self.highest, key, name.to_owned()));
        self.highest
    }

    /// Takes note of a name that has an id; of two, the lower one counts.
    fn know(&mut self, key: K, id: i64) {
        self.highest = self.highest.max(id);
        let known = self.ids.entry(key).or_insert(id);
        *known = (*known).min(id);
    }
}

impl State {
    /// Reads what the files' rows need to know.
    pub(super) async fn read(database: &dyn Database, files: &[TableFile]) -> Result<State> {
        let mut state = State::default();
        let plain = |table: &str| {
            let mut files = files.iter();
            files.any(|file| file.layout == Layout::Plain && file.file.table == table)
        };
        state.derives_links = plain("products") || plain("prices");
        state.read_names(database).await?;
        if state.derives_links {
            state.read_links(database).await?;
        }
        if plain("products") {
            state.read_priced(database).await?;
        }
        for file in files.iter().filter(|file| file.layout == Layout::Own) {
            let references = file.table().references.iter();
            for (column, parent) in references.filter(|(column, _)| file.header.has(column)) {
                let column = file.table().contract.column(column);
                let is_id = column.is_some_and(|column| column.data_type == ColumnType::Bigint);
                state.read_parent(database, parent, is_id).await?;
            }
        }
        Ok(state)
    }

    async fn read_names(&mut self, database: &dyn Database) -> Result<()> {
        each(database, "companies", |row| {
            self.companies
                .know(row.text("name").unwrap_or_default(), row.id("id"));
        })
        .await?;
        each(database, "divisions", |row| {
            let name = row.text("name").unwrap_or_default();
            self.divisions
                .know((row.id("company_id"), name), row.id("id"));
        })
        .await?;
        each(database, "brands", |row| {
            let name = row.text("name").unwrap_or_default();
            self.brands.know(fold_case(&name), row.id("id"));
        })
        .await?;
        each(database, "categories", |row| {
            let name = row.text("name").unwrap_or_default();
            self.categories
                .know((row.id("company_id"), fold_case(&name)), row.id("id"));
        })
        .await?;
        each(database, "stores", |row| {
            self.stores.add(row.id("id"));
            self.company_of_store
                .insert(row.id("id"), row.id("company_id"));
        })
        .await?;
        each(database, "products", |row| {
            self.products.add(row.id("id"));
            let category = row.text("category").map(|name| (row.id("id"), name));
            self.category_of_product.extend(category);
        })
        .await
    }

    async fn read_links(&mut self, database: &dyn Database) -> Result<()> {
        each(database, "product_categories", |row| {
            self.links
                .insert((row.id("product_id"), row.id("category_id")));
        })
        .await
    }

    async fn read_priced(&mut self, database: &dyn Database) -> Result<()> {
        each(database, "prices", |row| {
            if let Some(company) = self.company_of_store.get(&row.id("store_id")) {
                self.priced.insert((row.id("product_id"), *company));
            }
        })
        .await
    }

    async fn read_parent(
        &mut self,
        database: &dyn Database,
        parent: &Reference,
        is_id: bool,
    ) -> Result<()> {
        if self.parents.iter().any(|(known, _)| known == parent) {
            return Ok(());
        }
        let (mut ids, mut texts) = (IdSet::default(), HashSet::new());
        each(database, &parent.table, |row| {
            ids.extend(row.opt_id(&parent.column));
            texts.extend(row.text(&parent.column));
        })
        .await?;
        let known = match is_id {
            true => Known::Ids(ids),
            false => Known::Texts(texts),
        };
        self.parents.push((parent.clone(), known));
        Ok(())
    }

    /// Refuses a second row of one id.
    pub(super) fn first(
        &mut self,
        table: &'static str,
        column: &str,
        id: i64,
    ) -> Result<(), Fault> {
        match self.had.entry(table).or_default().insert(id) {
            true => Ok(()),
            false => Err(Fault::at(column, format!("{id} has a row already"))),
        }
    }

    /// Takes note of a product's category as a file spells it.
    pub(super) fn set_category(&mut self, product: i64, category: Option<&str>) {
        let before = match category {
            Some(name) => self.category_of_product.insert(product, name.to_owned()),
            None => self.category_of_product.remove(&product),
        };
        if before.as_deref() != category {
            self.recategorized.insert(product);
        }
    }

    /// Notes that a store has a price of a product.
    pub(super) fn price(&mut self, product: i64, store: i64) {
        if let Some(company) = self.company_of_store.get(&store)
            && self.category_of_product.contains_key(&product)
        {
            self.priced.insert((product, *company));
        }
    }

    pub(super) fn has_parent(&self, parent: &Reference, value: &Value<'_>) -> bool {
        let mut parents = self.parents.iter();
        let known = parents.find(|(known, _)| known == parent);
        known.is_none_or(|(_, known)| known.has(value))
    }

    /// Takes note of a row of a table's own file, for the files after it.
    pub(super) fn learn(&mut self, table: &str, row: &Row<'_>) {
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
    pub(super) fn derive_links(&mut self) -> BTreeSet<(i64, i64)> {
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

    /// The table is written anew, which says nothing about what changed in it.
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
    pub(super) fn derives_links(&self) -> bool {
        self.derives_links
    }

    /// Keeps an error for the end; what is returned stops the database.
    pub(super) fn fail(&mut self, error: Error) -> DataFusionError {
        self.error.get_or_insert(error);
        DataFusionError::Execution("the load has failed".to_owned())
    }

    /// Returns an error if any row was bad.
    pub(super) fn stop_if_bad(&mut self) -> Result<(), DataFusionError> {
        match std::mem::take(&mut self.bad) {
            BadRows { count: 0, .. } => Ok(()),
            BadRows { count, shown } => Err(self.fail(Error::BadRows { count, shown })),
        }
    }

    pub(super) fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }

    /// Returns the counts of each table once, in the order in which tables were
    /// first filled, without those that had no row.
    pub(super) fn counts(&mut self, filled: Vec<TableCounts>) -> Vec<TableCounts> {
        let mut tables = indexmap::IndexMap::<String, TableCounts>::new();
        for counts in filled {
            let sum = tables.entry(counts.table.clone()).or_default();
            sum.table = counts.table;
            sum.inserted += counts.inserted;
            sum.changed += counts.changed;
            sum.unchanged += counts.unchanged;
        }
        if let Some(counts) = self.link_counts.take() {
            tables.insert(counts.table.clone(), counts);
        }
        let some = |c: &TableCounts| c.inserted + c.changed + c.unchanged + c.deleted > 0;
        tables.into_values().filter(some).collect()
    }
}

/// One row of a table of the database.
struct Stored<'a> {
    batch: &'a RecordBatch,
    row: usize,
}

impl Stored<'_> {
    fn id(&self, column: &str) -> i64 {
        self.opt_id(column).unwrap_or_default()
    }

    fn opt_id(&self, column: &str) -> Option<i64> {
        let array = self.batch.column_by_name(column)?;
        let array = array.as_primitive_opt::<Int64Type>()?;
        array.is_valid(self.row).then(|| array.value(self.row))
    }

    fn text(&self, column: &str) -> Option<String> {
        let array = self.batch.column_by_name(column)?;
        let array = array.as_string_opt::<i32>()?;
        let valid = array.is_valid(self.row);
        valid.then(|| array.value(self.row).to_owned())
    }
}

async fn each(
    database: &dyn Database,
    table: &str,
    mut each: impl FnMut(Stored<'_>),
) -> Result<()> {
    let mut rows = database.read(table).await?;
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(|source| database::Error::Rows {
            table: table.to_owned(),
            source: Box::new(source),
        })?;
        for row in 0..batch.num_rows() {
            each(Stored { batch: &batch, row });
        }
    }
    Ok(())
}
