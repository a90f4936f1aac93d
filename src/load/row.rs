//! One row of a file, its fields found by column and read as values.
//!
//! What is wrong with a field comes back as a fault; only the reader knows where
//! the row is in its file.

use csv::StringRecord;

use super::{
    bad::Fault,
    header::{Field, Header},
};

/// One row of a file.
pub(super) struct Row<'a> {
    pub(super) record: &'a StringRecord,
    pub(super) header: &'a Header,
    /// The row's number, from 1, the header not counted.
    pub(super) number: i64,
}

impl<'a> Row<'a> {
    /// Returns a field without the blanks around it; `None` where it is empty or the
    /// file has no such column.
    pub(super) fn get(&self, field: &Field) -> Option<&'a str> {
        let text = self.record.get(field.index?)?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// Looks a column up by its name, and returns the field as [`Row::get`].
    pub(super) fn named(&self, column: &str) -> Option<&'a str> {
        self.get(&self.header.field(column))
    }

    /// Returns a field that must not be empty.
    pub(super) fn require(&self, field: &Field) -> Result<&'a str, Fault> {
        self.get(field)
            .ok_or_else(|| Fault::at(&field.name, "is empty"))
    }

    /// Reads a field that must not be empty.
    pub(super) fn parse<T>(
        &self,
        field: &Field,
        parse: impl Fn(&'a str) -> Result<T, String>,
    ) -> Result<T, Fault> {
        parse(self.require(field)?).map_err(|reason| Fault::at(&field.name, reason))
    }

    /// Reads a field that may be empty.
    pub(super) fn parse_opt<T>(
        &self,
        field: &Field,
        parse: impl Fn(&'a str) -> Result<T, String>,
    ) -> Result<Option<T>, Fault> {
        let text = self.get(field);
        text.map(|text| parse(text).map_err(|reason| Fault::at(&field.name, reason)))
            .transpose()
    }
}
