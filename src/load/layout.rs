//! The layouts that files may have: which one a file is in, the columns of each, and
//! what converts its rows.

use super::{
    Result, convert::Convert, header::Header, options::Options, own::OwnRows, prices::PriceRows,
    products::ProductRows, stores::StoreRows,
};
use crate::{database::Table, env};

/// How a file's columns relate to its table's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Stores with the names of their company and division.
    Stores,
    /// Products with their brand's name and their category as text.
    Products,
    /// Prices as decimals.
    Prices,
    /// Any table, column for column.
    Own,
}

/// A layout's columns.
pub(super) struct Columns<'a> {
    /// Those that a file must have.
    pub(super) required: Vec<&'a str>,
    /// Those that it may have.
    pub(super) optional: Vec<&'a str>,
}

impl Layout {
    /// Returns the layout of a file with these columns: one with a table's own ids or
    /// cents has the table's own columns.
    pub(super) fn of(table: &Table, names: &[String]) -> Layout {
        let (plain, own) = match Layout::plain(table) {
            Some(Layout::Stores) => (Layout::Stores, "company_id"),
            Some(Layout::Products) => (Layout::Products, "brand_id"),
            Some(Layout::Prices) => (Layout::Prices, "price_cents"),
            Some(Layout::Own) | None => return Layout::Own,
        };
        match names.iter().any(|name| name == own) {
            true => Layout::Own,
            false => plain,
        }
    }

    /// Returns the columns that JSON Lines for a table may have.
    pub(super) fn known_columns(table: &Table) -> Vec<&str> {
        match Layout::plain(table) {
            Some(layout) => {
                let Columns { required, optional } = layout.columns(table);
                required.into_iter().chain(optional).collect()
            }
            None => table.contract.names().collect(),
        }
    }

    /// Returns the layout's columns, of a file for that table.
    pub(super) fn columns(self, table: &Table) -> Columns<'_> {
        let (required, optional) = match self {
            Layout::Stores => (StoreRows::REQUIRED, StoreRows::OPTIONAL),
            Layout::Products => (ProductRows::REQUIRED, ProductRows::OPTIONAL),
            Layout::Prices => (PriceRows::REQUIRED, PriceRows::OPTIONAL),
            Layout::Own => {
                let (required, optional) = OwnRows::columns(table);
                return Columns { required, optional };
            }
        };
        Columns {
            required: required.to_vec(),
            optional: optional.to_vec(),
        }
    }

    /// Returns what converts the rows of a file with that header.
    ///
    /// # Errors
    ///
    /// The project has the units that it needs, and is wrong.
    pub(super) fn convert(
        self,
        table: &Table,
        header: &Header,
        options: &Options,
    ) -> Result<Box<dyn Convert>> {
        Ok(match self {
            Layout::Stores => Box::new(StoreRows::new(header)),
            Layout::Products => {
                let units = options.units.clone().map_err(env::Error::Invalid)?;
                Box::new(ProductRows::new(header, units))
            }
            Layout::Prices => Box::new(PriceRows::new(header)),
            Layout::Own => Box::new(OwnRows::new(table, header)),
        })
    }

    /// Returns the layout with names in place of ids, for the tables that have one.
    fn plain(table: &Table) -> Option<Layout> {
        match table.name.as_str() {
            "stores" => Some(Layout::Stores),
            "products" => Some(Layout::Products),
            "prices" => Some(Layout::Prices),
            _ => None,
        }
    }
}
