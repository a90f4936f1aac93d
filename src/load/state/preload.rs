//! What the database knows before the first row of a file is read.

use std::collections::HashSet;

use datafusion::arrow::{
    array::{Array, AsArray},
    datatypes::Int64Type,
    record_batch::RecordBatch,
};
use futures::StreamExt;

use super::State;
use crate::{
    database::{self, Database},
    load::{
        Result,
        ids::{IdSet, Known},
        whole::Whole,
    },
    pipeline::Reference,
    text::fold_case,
};

/// What the files' rows need to know of the database, beside names and ids.
#[derive(Debug, Default)]
pub(in crate::load) struct Needs {
    /// The categories of products: files change what they are made from.
    pub(in crate::load) links: bool,
    /// Which company prices which product: products may change their category.
    pub(in crate::load) priced: bool,
    /// The columns that rows refer to, each with whether it holds ids.
    pub(in crate::load) parents: Vec<(Reference, bool)>,
    /// What the files are all of: of that, only their own rows count.
    pub(in crate::load) whole: Whole,
}

impl State {
    /// Reads what the files' rows need to know.
    pub(in crate::load) async fn read(database: &dyn Database, needs: &Needs) -> Result<State> {
        let mut state = State {
            derives_links: needs.links,
            whole: needs.whole.clone(),
            ..State::default()
        };
        state.read_names(database).await?;
        if needs.links {
            state.read_links(database).await?;
        }
        if needs.priced {
            state.read_priced(database).await?;
        }
        for (parent, is_id) in &needs.parents {
            state.read_parent(database, parent, *is_id).await?;
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
        let replaced = self.replaced_company();
        each(database, "stores", |row| {
            let company = row.id("company_id");
            let is_part = self.whole.has_part("stores") && replaced == Some(company);
            if !is_part && !self.whole.has("stores") {
                self.stores.add(row.id("id"));
            }
            self.company_of_store.insert(row.id("id"), company);
        })
        .await?;
        each(database, "products", |row| {
            if !self.whole.has("products") {
                self.products.add(row.id("id"));
            }
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
        if self.whole.has("prices") {
            return Ok(());
        }
        let replaced = self.replaced_company();
        let replaced = replaced.filter(|_| self.whole.has_part("prices"));
        each(database, "prices", |row| {
            let company = self.company_of_store.get(&row.id("store_id"));
            if let Some(company) = company.filter(|company| replaced != Some(**company)) {
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
