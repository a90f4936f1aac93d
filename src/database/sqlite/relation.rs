//! Where the rows of a dataset or a table come from, in SQL.

use super::{Error, Result, Table, catalog::quoted};
use crate::{
    dataset::{Column, ColumnType, Contract},
    diagnostics::nearest,
};

/// Rows with a key, and how each column is said in SQL.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// Its name, for messages and bookmarks.
    pub(super) name: String,
    from: String,
    /// The key's columns, in SQL: the order rows come in, and an index of the table.
    pub(super) key: Vec<String>,
    columns: Vec<Field>,
}

#[derive(Debug, Clone)]
struct Field {
    name: String,
    sql: String,
    /// The type as stored: a decimal's scale is that of the stored integer.
    stored: ColumnType,
}

/// A select whose columns are a contract's.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) relation: String,
    pub(super) sql: String,
    pub(super) contract: Contract,
    pub(super) stored: Vec<ColumnType>,
}

impl Relation {
    /// Returns a table, column for column.
    pub(super) fn of_table(table: &Table) -> Relation {
        let field = |column: &Column| Field {
            name: column.name.clone(),
            sql: quoted(&column.name),
            stored: column.data_type.clone(),
        };
        Relation {
            name: table.name.clone(),
            from: quoted(&table.name),
            key: table.key.iter().map(|name| quoted(name)).collect(),
            columns: table.contract.columns.iter().map(field).collect(),
        }
    }

    /// Returns the select of all rows in key order.
    pub(super) fn query(&self, contract: &Contract) -> Result<Query> {
        self.select(contract, "")
    }

    /// Returns the select of `?` rows from a key on, in key order; its parameters
    /// are the key's values and the number of rows.
    pub(super) fn query_from(&self, contract: &Contract) -> Result<Query> {
        let key = self.key.join(", ");
        let parameters = vec!["?"; self.key.len()].join(", ");
        let mut query = self.select(contract, &format!(" where ({key}) >= ({parameters})"))?;
        query.sql.push_str(" limit ?");
        Ok(query)
    }

    /// Returns the select that counts the rows.
    pub(super) fn count(&self) -> String {
        format!("select count(*) from {}", self.from)
    }

    /// Returns the select of the first key.
    pub(super) fn first_key(&self) -> String {
        let key = self.key.join(", ");
        format!("select {key} from {} order by {key} limit 1", self.from)
    }

    /// Returns the select of the key that comes so many rows after another; its
    /// parameters are that key's values and the number of rows.
    pub(super) fn key_after(&self) -> String {
        let key = self.key.join(", ");
        let parameters = vec!["?"; self.key.len()].join(", ");
        format!(
            "select {key} from {} where ({key}) >= ({parameters})
             order by {key} limit 1 offset ?",
            self.from
        )
    }

    fn select(&self, contract: &Contract, condition: &str) -> Result<Query> {
        let fields = contract
            .columns
            .iter()
            .map(|column| self.field(column))
            .collect::<Result<Vec<_>>>()?;
        let columns: Vec<&str> = fields.iter().map(|field| field.sql.as_str()).collect();
        Ok(Query {
            relation: self.name.clone(),
            sql: format!(
                "select {} from {}{condition} order by {}",
                columns.join(", "),
                self.from,
                self.key.join(", ")
            ),
            contract: contract.clone(),
            stored: fields.into_iter().map(|field| field.stored).collect(),
        })
    }

    /// Returns how a column is said. One that the database has no source for is null
    /// where it may be.
    fn field(&self, column: &Column) -> Result<Field> {
        if let Some(field) = self.columns.iter().find(|field| field.name == column.name) {
            return Ok(field.clone());
        }
        if column.nullable {
            return Ok(Field {
                name: column.name.clone(),
                sql: "null".to_owned(),
                stored: column.data_type.clone(),
            });
        }
        let known = self.columns.iter().map(|field| field.name.as_str());
        let reason = match nearest(&column.name, known) {
            Some(name) => format!("the database has no such column; it has `{name}`"),
            None => "the database has no such column".to_owned(),
        };
        Err(Error::Column {
            table: self.name.clone(),
            column: column.name.clone(),
            reason,
        })
    }
}

/// Returns the relation behind one of the service's exports, if it is one that is
/// not a table column for column.
///
/// Names and lists are looked up row by row, so that rows keep the key's order
/// without a sort.
pub(super) fn exported(dataset: &str) -> Option<Relation> {
    let (from, key, columns): (&str, &[&str], Columns) = match dataset {
        "prices" => ("prices", &["product_id", "store_id"], PRICES),
        "products" => ("products", &["id"], PRODUCTS),
        "stores" => ("stores", &["id"], STORES),
        "companies" => ("companies", &["id"], COMPANIES),
        "categories" => ("categories", &["id"], CATEGORIES),
        "categories_with_products" => ("categories", &["id"], CATEGORIES_WITH_PRODUCTS),
        "category_links" => (
            "category_links",
            &["category_a", "category_b"],
            CATEGORY_LINKS,
        ),
        _ => return None,
    };
    Some(Relation {
        name: dataset.to_owned(),
        from: from.to_owned(),
        key: key.iter().map(|&name| name.to_owned()).collect(),
        columns: columns
            .iter()
            .filter_map(|(name, sql, stored)| {
                Some(Field {
                    name: (*name).to_owned(),
                    sql: (*sql).to_owned(),
                    stored: stored.parse().ok()?,
                })
            })
            .collect(),
    })
}

/// Of each column its name, what it is in SQL, and its type as stored.
type Columns = &'static [(&'static str, &'static str, &'static str)];

const PRICES: Columns = &[
    ("product_id", "product_id", "bigint"),
    ("store_id", "store_id", "bigint"),
    ("price", "price_cents", "decimal(18,2)"),
    ("price_record_id", "price_record_id", "bigint"),
    ("scraped_date", "scraped_date", "date"),
    ("sku", "sku", "text"),
];

const PRODUCTS: Columns = &[
    ("id", "id", "bigint"),
    ("name", "name", "text"),
    ("normalized_name", "normalized_name", "text"),
    ("brand_id", "brand_id", "bigint"),
    ("size", "size", "text"),
    ("barcode", "barcode", "text"),
    (
        "category",
        "(select json_group_array(category_id) from
            (select category_id from product_categories
             where product_id = products.id order by category_id))",
        "bigint[]",
    ),
];

const STORES: Columns = &[
    ("id", "id", "bigint"),
    ("name", "name", "text"),
    (
        "company",
        "(select name from companies where companies.id = company_id)",
        "text",
    ),
    (
        "division",
        "(select name from divisions where divisions.id = division_id)",
        "text",
    ),
    ("latitude", "latitude", "double"),
    ("longitude", "longitude", "double"),
];

const COMPANIES: Columns = &[("id", "id", "bigint"), ("name", "name", "text")];

const CATEGORIES: Columns = &[
    ("id", "id", "bigint"),
    ("name", "name", "text"),
    ("company", "company_id", "bigint"),
];

const CATEGORIES_WITH_PRODUCTS: Columns = &[
    ("id", "id", "bigint"),
    ("name", "name", "text"),
    ("company", "company_id", "bigint"),
    (
        "product_ids",
        "(select json_group_array(product_id) from
            (select product_id from product_categories
             where category_id = categories.id order by product_id))",
        "bigint[]",
    ),
];

const CATEGORY_LINKS: Columns = &[
    ("category_a_id", "category_a", "bigint"),
    ("category_b_id", "category_b", "bigint"),
    ("link_type", "link_type", "text"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exported_columns_type_is_known() {
        for columns in [
            PRICES,
            PRODUCTS,
            STORES,
            COMPANIES,
            CATEGORIES,
            CATEGORIES_WITH_PRODUCTS,
            CATEGORY_LINKS,
        ] {
            for (name, _, stored) in columns {
                assert!(stored.parse::<ColumnType>().is_ok(), "{name}");
            }
        }
    }
}
