//! Stores of the plain layout: company and division by name.

use super::{
    bad::Fault,
    header::Header,
    rows::{Convert, Row},
    shape::Shape,
    state::State,
    values::{self, Value},
};
use crate::dataset::{ColumnType, Contract};

/// Rows of `stores` with names.
pub(super) struct StoreRows(Shape);

impl StoreRows {
    pub(super) const REQUIRED: &[&str] = &["id", "company", "name"];
    pub(super) const OPTIONAL: &[&str] = &["division", "latitude", "longitude"];

    pub(super) fn new(header: &Header) -> StoreRows {
        StoreRows(Shape::new(
            header,
            &[
                ("", "id", ColumnType::Bigint),
                ("", "name", ColumnType::Text),
                ("", "company_id", ColumnType::Bigint),
                ("division", "division_id", ColumnType::Bigint),
                ("latitude", "latitude", ColumnType::Double),
                ("longitude", "longitude", ColumnType::Double),
            ],
        ))
    }
}

impl Convert for StoreRows {
    fn contract(&self) -> &Contract {
        self.0.contract()
    }

    fn convert(&mut self, row: &Row<'_>, state: &mut State) -> Result<Vec<Option<Value>>, Fault> {
        let id = row.parse("id", values::integer)?;
        let company = row.require("company")?;
        let name = row.require("name")?;
        let latitude = row.parse_opt("latitude", values::double)?;
        let longitude = row.parse_opt("longitude", values::double)?;
        state.first("stores", "id", id)?;
        let company = state.companies.id(company.to_owned(), company);
        let division = row
            .get("division")
            .map(|name| state.divisions.id((company, name.to_owned()), name));
        state.stores.add(id);
        state.company_of_store.insert(id, company);
        Ok(self.0.select([
            Some(Value::Bigint(id)),
            Some(Value::Text(name.to_owned())),
            Some(Value::Bigint(company)),
            division.map(Value::Bigint),
            latitude.map(Value::Double),
            longitude.map(Value::Double),
        ]))
    }
}
