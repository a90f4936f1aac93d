//! The keys of `pipelines/sources.toml`.

use super::{
    Default::{Is, Nothing, Required},
    Key, Named, Section, Values,
    manifest::{CHANGE, LIMIT},
};

/// The file.
pub(super) static SOURCES: Section = Section {
    head: "",
    doc: "",
    keys: &[Key {
        name: "checks",
        values: Values::Table(&SHARED_CHECKS),
        default: Nothing,
        example: "checks = { age = { max = \"36h\" } }",
        doc: "Checks of every pipeline's output, unless its manifest says otherwise.",
    }],
    named: Some(Named {
        what: "DATASET",
        values: Values::Table(&DATASET),
        example: "products = { key = [\"id\"], columns = { id = \"bigint not null\" } }",
        doc: "What the source exports, and the name of the relation in SQL.",
    }),
};

/// `[checks]`.
pub(in crate::pipeline) static SHARED_CHECKS: Section = Section {
    head: "[checks]",
    doc: "As in a manifest; a manifest's `change = false` turns one off.",
    keys: &[
        Key {
            name: "change",
            values: Values::Table(&CHANGE),
            default: Nothing,
            example: "change = { max = \"50%\", severity = \"warn\" }",
            doc: "How far the number of rows may move from the last committed artifact's.",
        },
        Key {
            name: "age",
            values: Values::Table(&LIMIT),
            default: Nothing,
            example: "age = { max = \"36h\" }",
            doc: "How old the snapshot may be.",
        },
    ],
    named: None,
};

/// A dataset.
pub(in crate::pipeline) static DATASET: Section = Section {
    head: "[DATASET]",
    doc: "It is fetched as soon as a model reads it.",
    keys: &[
        Key {
            name: "endpoint",
            values: Values::Text,
            default: Is("the dataset's name"),
            example: "endpoint = \"categories-with-products\"",
            doc: "The last part of its address: `/api/export/<endpoint>/`.",
        },
        Key {
            name: "key",
            values: Values::Texts,
            default: Required,
            example: "key = [\"product_id\", \"store_id\"]",
            doc: "The columns that tell one row from another. Rows are sorted by them.",
        },
        Key {
            name: "prefer",
            values: Values::Texts,
            default: Is("the other columns, ascending"),
            example: "prefer = [\"price_record_id desc\", \"price\"]",
            doc: "Which of the rows with one key and different values is kept: the first in this order.",
        },
        Key {
            name: "columns",
            values: Values::Table(&COLUMNS),
            default: Required,
            example: "columns = { product_id = \"bigint not null\", price = \"decimal(10,2)\" }",
            doc: "The columns that are read.",
        },
    ],
    named: None,
};

static COLUMNS: Section = Section {
    head: "[DATASET.columns]",
    doc: "",
    keys: &[],
    named: Some(Named {
        what: "COLUMN",
        values: Values::TypeOr(&COLUMN),
        example: "price = { type = \"decimal(10,2) not null\", unit = \"currency\" }",
        doc: "A column of the export.",
    }),
};

/// A column with more than its type.
pub(in crate::pipeline) static COLUMN: Section = Section {
    head: "COLUMN",
    doc: "A column of `[contract]`, of a dataset or of a seed is a type, or a table of these keys.",
    keys: &[
        Key {
            name: "type",
            values: Values::Type,
            default: Required,
            example: "type = \"decimal(10,2) not null\"",
            doc: "`bigint`, `double`, `boolean`, `text`, `date`, `timestamp`, `decimal(p,s)`, a list `bigint[]`, a record `struct(name type, …)`; then `not null`, or nothing.",
        },
        Key {
            name: "doc",
            values: Values::Text,
            default: Nothing,
            example: "doc = \"What the store asks.\"",
            doc: "What the column holds; `show --schema` and `describe` print it.",
        },
        Key {
            name: "unit",
            values: Values::Text,
            default: Nothing,
            example: "unit = \"km\"",
            doc: "What its values are counted in.",
        },
    ],
    named: None,
};
