//! Stores of the plain layout: company and division by name.

use super::{
    bad::Fault,
    batch::Batch,
    convert::Convert,
    header::{Field, Header},
    row::Row,
    shape::Shape,
    state::State,
    values::{self, Value},
};
use crate::dataset::{ColumnType, Contract};

/// Rows of `stores` with names.
pub(super) struct StoreRows {
    shape: Shape,
    id: Field,
    name: Field,
    company: Field,
    division: Field,
    latitude: Field,
    longitude: Field,
}

impl StoreRows {
    pub(super) const REQUIRED: &[&str] = &["id", "company", "name"];
    pub(super) const OPTIONAL: &[&str] = &["division", "latitude", "longitude"];

    pub(super) fn new(header: &Header) -> StoreRows {
        let shape = Shape::new(
            header,
            &[
                ("", "id", ColumnType::Bigint),
                ("", "name", ColumnType::Text),
                ("", "company_id", ColumnType::Bigint),
                ("division", "division_id", ColumnType::Bigint),
                ("latitude", "latitude", ColumnType::Double),
                ("longitude", "longitude", ColumnType::Double),
            ],
        );
        StoreRows {
            shape,
            id: header.field("id"),
            name: header.field("name"),
            company: header.field("company"),
            division: header.field("division"),
            latitude: header.field("latitude"),
            longitude: header.field("longitude"),
        }
    }
}

impl Convert for StoreRows {
    fn contract(&self) -> &Contract {
        self.shape.contract()
    }

    fn convert(
        &mut self,
        row: &Row<'_>,
        state: &mut State,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let id = row.parse(&self.id, values::integer)?;
        let company = row.require(&self.company)?;
        let name = row.require(&self.name)?;
        let latitude = row.parse_opt(&self.latitude, values::double)?;
        let longitude = row.parse_opt(&self.longitude, values::double)?;
        state.first("stores", "id", id)?;
        let company = state.companies.id(company.to_owned(), company);
        let division = row
            .get(&self.division)
            .map(|name| state.divisions.id((company, name.to_owned()), name));
        state.stores.add(id);
        state.company_of_store.insert(id, company);
        let values = [
            Some(Value::Bigint(id)),
            Some(Value::Text(name.into())),
            Some(Value::Bigint(company)),
            division.map(Value::Bigint),
            latitude.map(Value::Double),
            longitude.map(Value::Double),
        ];
        self.shape.push(batch, values);
        Ok(())
    }
}
