//! The contracts: what columns a relation has, of which types, and its key.
//!
//! Types are written as in SQL (`bigint not null`, `decimal(10,2)`, `bigint[]`)
//! in `pipelines/sources.toml`, in a pipeline's `[contract]` and `[params]`, and
//! are the same everywhere. Nothing here reads a file.

mod lossless;

use std::{fmt, sync::Arc};

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{diagnostics::did_you_mean, kind::Kind};

/// Why a type or a contract could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not a type.
    #[error(
        "unknown type `{0}`; the types are bigint, double, boolean, text, date, timestamp, decimal(p,s), T[] and struct(name T, …)"
    )]
    Type(String),
    /// No dataset has that name.
    #[error("there is no dataset `{name}`")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The SQL type of a column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// A 64-bit integer.
    Bigint,
    /// A 64-bit float. Never money.
    Double,
    /// True or false.
    Boolean,
    /// UTF-8 text, ordered by bytes.
    Text,
    /// A calendar day, without a time zone.
    Date,
    /// An instant in UTC, in microseconds.
    Timestamp,
    /// An exact decimal.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point.
        scale: i8,
    },
    /// A list of one type.
    List(Box<ColumnType>),
    /// A record of named columns.
    Struct(Vec<Column>),
}

/// One column of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Column {
    /// The column's name.
    pub name: String,
    /// Its type.
    pub data_type: ColumnType,
    /// Whether it may be null (and, in an export, absent).
    pub nullable: bool,
}

/// A relation's columns, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Contract {
    /// The columns, in the order in which they are written.
    pub columns: Vec<Column>,
}

/// What a column holds, for people, by the column's name.
///
/// It is not part of the contract: what is written does not depend on it.
pub type Docs = IndexMap<String, ColumnDoc>;

/// What one column holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnDoc {
    /// In a sentence, or less; nothing where the definitions say nothing.
    pub doc: Option<String>,
    /// What its values are counted in, such as `km`.
    pub unit: Option<String>,
}

/// One exported relation of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Its name in SQL, such as `prices`.
    pub name: String,
    /// The last part of its URL, `/api/export/<endpoint>/`.
    pub endpoint: String,
    /// Its columns, in order, with their types.
    pub contract: Contract,
    /// What the columns hold.
    pub docs: Docs,
    /// The columns that name a row.
    pub key: Vec<String>,
    /// Among rows with the same key that differ, the first in this order is kept; the
    /// remaining columns, ascending, decide what it leaves open.
    pub prefer: Vec<Preference>,
}

/// One step of a dataset's order of preference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference {
    /// The column looked at.
    pub column: String,
    /// Whether the highest value is kept rather than the lowest. Null is last.
    pub highest: bool,
}

/// The column that distinguishes a history's rows.
pub const SNAPSHOT_AT: &str = "snapshot_at";

impl Dataset {
    /// Returns the columns of the dataset's history: its own, and when the snapshot of a
    /// row was taken.
    pub fn history(&self) -> Contract {
        let mut contract = self.contract.clone();
        contract.columns.push(Column {
            name: SNAPSHOT_AT.to_owned(),
            data_type: ColumnType::Timestamp,
            nullable: false,
        });
        contract
    }
}

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Unknown { .. } | Error::Type(_) => Kind::Usage,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::Unknown {
                nearest: Some(near),
                ..
            } => Some(did_you_mean(near)),
            Error::Unknown { .. } => {
                Some("pipelines/sources.toml declares the datasets".to_owned())
            }
            Error::Type(_) => None,
        }
    }
}

impl ColumnType {
    /// Returns the Arrow type that stands for this type in memory and in Parquet.
    pub fn arrow(&self) -> DataType {
        match self {
            ColumnType::Bigint => DataType::Int64,
            ColumnType::Double => DataType::Float64,
            ColumnType::Boolean => DataType::Boolean,
            ColumnType::Text => DataType::Utf8,
            ColumnType::Date => DataType::Date32,
            ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            ColumnType::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale),
            ColumnType::List(item) => {
                DataType::List(Arc::new(Field::new_list_field(item.arrow(), true)))
            }
            ColumnType::Struct(columns) => {
                DataType::Struct(columns.iter().map(Column::arrow).collect::<Fields>())
            }
        }
    }

    /// Returns the type that `data_type` is an in-memory form of, if any.
    pub fn from_arrow(data_type: &DataType) -> Option<ColumnType> {
        Some(match data_type {
            DataType::Int64 => ColumnType::Bigint,
            DataType::Float64 => ColumnType::Double,
            DataType::Boolean => ColumnType::Boolean,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ColumnType::Text,
            DataType::Date32 => ColumnType::Date,
            DataType::Timestamp(_, _) => ColumnType::Timestamp,
            DataType::Decimal128(precision, scale) => ColumnType::Decimal {
                precision: *precision,
                scale: *scale,
            },
            DataType::List(item) | DataType::LargeList(item) => {
                ColumnType::List(Box::new(ColumnType::from_arrow(item.data_type())?))
            }
            DataType::Struct(fields) => ColumnType::Struct(
                fields
                    .iter()
                    .map(|field| {
                        Some(Column {
                            name: field.name().clone(),
                            data_type: ColumnType::from_arrow(field.data_type())?,
                            nullable: field.is_nullable(),
                        })
                    })
                    .collect::<Option<_>>()?,
            ),
            _ => return None,
        })
    }
}

impl std::str::FromStr for ColumnType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unknown = || Error::Type(text.trim().to_owned());
        let lower = text.trim().to_ascii_lowercase();
        if let Some(item) = lower.strip_suffix("[]") {
            return Ok(ColumnType::List(Box::new(
                item.parse().map_err(|_| unknown())?,
            )));
        }
        if let Some(inside) = inside(&lower, "struct") {
            let columns = split_top_level(inside)
                .map(|part| Column::parse_pair(part).map_err(|_| unknown()))
                .collect::<Result<Vec<_>>>()?;
            return Ok(ColumnType::Struct(columns));
        }
        if let Some(inside) = inside(&lower, "decimal").or_else(|| inside(&lower, "numeric")) {
            let (precision, scale) = inside.split_once(',').unwrap_or((inside, "0"));
            let precision = precision.trim().parse::<u8>().map_err(|_| unknown())?;
            let scale = scale.trim().parse::<i8>().map_err(|_| unknown())?;
            let sound = (1..=38).contains(&precision) && scale >= 0 && scale as u8 <= precision;
            return if sound {
                Ok(ColumnType::Decimal { precision, scale })
            } else {
                Err(unknown())
            };
        }
        match lower.as_str() {
            "bigint" => Ok(ColumnType::Bigint),
            "double" | "double precision" => Ok(ColumnType::Double),
            "boolean" => Ok(ColumnType::Boolean),
            "text" | "varchar" | "string" => Ok(ColumnType::Text),
            "date" => Ok(ColumnType::Date),
            "timestamp" => Ok(ColumnType::Timestamp),
            _ => Err(unknown()),
        }
    }
}

/// Returns what is between the brackets of `name(…)`.
fn inside<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name)?
        .trim_start()
        .strip_prefix('(')?
        .strip_suffix(')')
}

/// Splits at the commas that no bracket encloses.
fn split_top_level(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0usize;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnType::Bigint => f.write_str("bigint"),
            ColumnType::Double => f.write_str("double"),
            ColumnType::Boolean => f.write_str("boolean"),
            ColumnType::Text => f.write_str("text"),
            ColumnType::Date => f.write_str("date"),
            ColumnType::Timestamp => f.write_str("timestamp"),
            ColumnType::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            ColumnType::List(item) => write!(f, "{item}[]"),
            ColumnType::Struct(columns) => {
                f.write_str("struct(")?;
                for (i, column) in columns.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}{} {}", column.name, column.spelled_type())?;
                }
                f.write_str(")")
            }
        }
    }
}

impl Column {
    /// Reads a column from its name and its type as `bigint not null`.
    ///
    /// # Errors
    ///
    /// [`Error::Type`] if the declared type is not one that pricemill has.
    pub fn parse(name: &str, declared: &str) -> Result<Column> {
        let trimmed = declared.trim();
        let lower = trimmed.to_ascii_lowercase();
        let (data_type, nullable) = match lower.strip_suffix("not null") {
            Some(rest) => (&trimmed[..rest.len()], false),
            None => (trimmed, true),
        };
        Ok(Column {
            name: name.to_owned(),
            data_type: data_type.parse()?,
            nullable,
        })
    }

    fn parse_pair(text: &str) -> Result<Column> {
        let (name, declared) = text
            .trim()
            .split_once(' ')
            .ok_or_else(|| Error::Type(text.to_owned()))?;
        Column::parse(name, declared)
    }

    /// Returns the type with its nullability, as a contract spells it.
    pub fn spelled_type(&self) -> String {
        let not_null = if self.nullable { "" } else { " not null" };
        format!("{}{not_null}", self.data_type)
    }

    /// Returns the Arrow field.
    pub fn arrow(&self) -> Field {
        Field::new(&self.name, self.data_type.arrow(), self.nullable)
    }
}

impl Contract {
    /// Returns the Arrow schema.
    pub fn arrow(&self) -> SchemaRef {
        Arc::new(Schema::new(
            self.columns.iter().map(Column::arrow).collect::<Vec<_>>(),
        ))
    }

    /// Returns the column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns the columns' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }
}

/// A contract is written as a table of name to type, in order.
impl Serialize for Contract {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.columns.iter().map(|c| (&c.name, c.spelled_type())))
    }
}

impl<'de> Deserialize<'de> for Contract {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let declared = indexmap::IndexMap::<String, String>::deserialize(deserializer)?;
        let columns = declared
            .iter()
            .map(|(name, declared)| Column::parse(name, declared))
            .collect::<Result<Vec<_>>>()
            .map_err(serde::de::Error::custom)?;
        Ok(Contract { columns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_reads_back_as_it_is_spelled() {
        for spelled in [
            "bigint",
            "decimal(10,2)",
            "bigint[]",
            "text",
            "struct(product_id bigint not null, price decimal(10,2))[]",
        ] {
            let read: ColumnType = spelled.parse().unwrap();
            assert_eq!(read.to_string(), spelled);
            assert_eq!(ColumnType::from_arrow(&read.arrow()), Some(read));
        }
    }

    #[test]
    fn not_null_belongs_to_the_column() {
        let column = Column::parse("id", "BIGINT NOT NULL").unwrap();
        assert_eq!(
            (column.data_type, column.nullable),
            (ColumnType::Bigint, false)
        );
    }

    #[test]
    fn nonsense_is_named() {
        assert_eq!(
            "decimal(2,9)".parse::<ColumnType>(),
            Err(Error::Type("decimal(2,9)".into()))
        );
        assert!("money".parse::<ColumnType>().is_err());
    }
}
