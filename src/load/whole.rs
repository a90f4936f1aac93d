//! What the files of a load are all of: tables, or the part of a company.
//!
//! In go the options and the files' tables; out comes what becomes of the rows that a
//! table has. Nothing is replaced that no file is for.

use super::{Error, Result, files::File, options::Options};
use crate::{
    database::{Missing, Replace, Table, refers_to},
    diagnostics::nearest,
    pipeline::Reference,
};

/// What the files are all of.
#[derive(Debug, Clone, Default)]
pub(super) struct Whole {
    /// Tables.
    tables: Vec<String>,
    /// Tables of which they are all of the company's part.
    parts: Vec<String>,
    /// The company's name.
    pub(super) company: Option<String>,
}

impl Whole {
    /// Returns what the files for these tables are all of.
    pub(super) fn of(options: &Options, files: &[File], tables: &[Table]) -> Whole {
        let company = company_id();
        let is_part = |file: &&File| {
            let table = tables.iter().find(|table| table.name == file.table);
            table.is_some_and(|table| refers_to(table, tables, &company))
        };
        let (whole, others): (Vec<&File>, Vec<&File>) = files
            .iter()
            .partition(|file| options.replace.contains(&file.table));
        let parts = match options.replace_company {
            Some(_) => others.into_iter().filter(is_part).collect(),
            None => Vec::new(),
        };
        let names = |files: Vec<&File>| files.iter().map(|file| file.table.clone()).collect();
        Whole {
            tables: names(whole),
            parts: names(parts),
            company: options.replace_company.clone(),
        }
    }

    /// Returns whether all rows of a table are replaced.
    pub(super) fn has(&self, table: &str) -> bool {
        self.tables.iter().any(|whole| whole == table)
    }

    /// Returns whether the company's rows of a table are replaced.
    pub(super) fn has_part(&self, table: &str) -> bool {
        self.parts.iter().any(|part| part == table)
    }

    /// Returns what becomes of a table's rows. A company that has no id yet has no rows.
    pub(super) fn replace(&self, table: &str, company: Option<i64>, options: &Options) -> Replace {
        let within = match company {
            _ if self.has(table) => None,
            Some(id) if self.has_part(table) => Some((company_id(), id)),
            _ => return Replace::Nothing,
        };
        Replace::Missing(Missing {
            within,
            accept: options.accept,
        })
    }
}

fn company_id() -> Reference {
    Reference {
        table: "companies".to_owned(),
        column: "id".to_owned(),
    }
}

/// Refuses to replace what no file is for, and a table that two files are for: the second
/// would delete what the first has brought.
pub(super) fn check(options: &Options, files: &[File], tables: &[Table]) -> Result<()> {
    for table in &options.replace {
        let mut of_table = files.iter().filter(|file| file.table == *table);
        match (of_table.next(), of_table.next()) {
            (None, _) => {
                let names = files.iter().map(|file| file.table.as_str());
                return Err(Error::NothingToReplace {
                    what: format!("table `{table}`"),
                    nearest: nearest(table, names).map(str::to_owned),
                });
            }
            (Some(first), Some(second)) => {
                return Err(Error::TwoFiles {
                    first: first.path.clone(),
                    second: second.path.clone(),
                });
            }
            (Some(_), None) => {}
        }
    }
    let whole = Whole::of(options, files, tables);
    match &options.replace_company {
        Some(company) if whole.parts.is_empty() => Err(Error::NothingToReplace {
            what: format!("company `{company}`"),
            nearest: None,
        }),
        _ => Ok(()),
    }
}
