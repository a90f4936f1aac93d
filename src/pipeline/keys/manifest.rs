//! The keys of `pipelines/<name>.toml`.

use super::{
    Default::{Is, Nothing, Required},
    Key, Named, Section, Values,
    sources::COLUMN,
};

/// A manifest.
pub(in crate::pipeline) static MANIFEST: Section = Section {
    head: "",
    doc: "",
    keys: &[
        Key {
            name: "description",
            values: Values::Text,
            default: Required,
            example: "description = \"The best offer of each product.\"",
            doc: "What the pipeline makes, in a sentence; `--help` and `status` show it.",
        },
        Key {
            name: "output",
            values: Values::Text,
            default: Required,
            example: "output = \"best_offers\"",
            doc: "The model that is delivered: `sql/<pipeline>/<output>.sql`.",
        },
        Key {
            name: "file",
            values: Values::Text,
            default: Required,
            example: "file = \"best_offers.json\"",
            doc: "The file that the artifact is. Its extension is its format: `.json`, `.jsonl`, `.csv`, `.parquet`; `.html`, `.svg` and `.png` are one text.",
        },
        Key {
            name: "grain",
            values: Values::Texts,
            default: Is("required, but for a page"),
            example: "grain = [\"product_id\"]",
            doc: "The columns that tell one row from another. Rows that share all of them are refused.",
        },
        Key {
            name: "order",
            values: Values::Texts,
            default: Is("the grain"),
            example: "order = [\"price\", \"product_id\"]",
            doc: "The columns that the rows of the file are sorted by, ascending.",
        },
        Key {
            name: "aliases",
            values: Values::Texts,
            default: Is("[]"),
            example: "aliases = [\"best\"]",
            doc: "Other names of the pipeline on the command line.",
        },
        Key {
            name: "upload",
            values: Values::Flag,
            default: Is("true"),
            example: "upload = false",
            doc: "Whether `upload` sends the artifact.",
        },
        Key {
            name: "endpoint",
            values: Values::Text,
            default: Is("the pipeline's name"),
            example: "endpoint = \"offers\"",
            doc: "The last part of the address that it is sent to.",
        },
        Key {
            name: "optional",
            values: Values::Texts,
            default: Is("[]"),
            example: "optional = [\"category_links\"]",
            doc: "Datasets that are empty where the source does not have them. Any other that is read must be there.",
        },
        Key {
            name: "also",
            values: Values::Table(&ALSO),
            default: Nothing,
            example: "also = { \"best.csv\" = \"best_offers\" }",
            doc: "More files, written beside the first and not uploaded.",
        },
        Key {
            name: "params",
            values: Values::Table(&PARAMS),
            default: Nothing,
            example: "params = { min_ratio = { type = \"bigint\", default = 2 } }",
            doc: "The parameters that the SQL reads as `$name`.",
        },
        Key {
            name: "contract",
            values: Values::Table(&CONTRACT),
            default: Required,
            example: "contract = { product_id = \"bigint not null\", price = \"decimal(10,2)\" }",
            doc: "The columns of the output, in the order in which they are written.",
        },
        Key {
            name: "seeds",
            values: Values::Table(&SEEDS),
            default: Nothing,
            example: "seeds = { brands = { code = \"text\" } }",
            doc: "The types of columns of seeds.",
        },
        Key {
            name: "checks",
            values: Values::Table(&ALL_CHECKS),
            default: Is("`[checks]` of `sources.toml`"),
            example: "checks = { empty = \"error\" }",
            doc: "What must hold of the output before it is committed.",
        },
        Key {
            name: "update",
            values: Values::Tables(&UPDATE),
            default: Nothing,
            example: "update = [{ table = \"offers\" }]",
            doc: "The tables that `update` fills with the artifact, in this order.",
        },
    ],
    named: None,
};

static ALSO: Section = Section {
    head: "[also]",
    doc: "Each is written after the output, from the same snapshot.",
    keys: &[],
    named: Some(Named {
        what: "FILE",
        values: Values::Text,
        example: "\"best.csv\" = \"best_offers\"",
        doc: "A file's name, and the model that it holds.",
    }),
};

static PARAMS: Section = Section {
    head: "[params]",
    doc: "`--min-ratio 3` and `--param min_ratio=3` set one for a run.",
    keys: &[],
    named: Some(Named {
        what: "NAME",
        values: Values::Table(&PARAM),
        example: "min_ratio = { type = \"bigint\", default = 2 }",
        doc: "A parameter, which SQL reads as `$NAME`.",
    }),
};

/// A parameter.
pub(in crate::pipeline) static PARAM: Section = Section {
    head: "[params.NAME]",
    doc: "",
    keys: &[
        Key {
            name: "type",
            values: Values::Type,
            default: Required,
            example: "type = \"decimal(6,3)\"",
            doc: "Any type of a column but a list or a struct.",
        },
        Key {
            name: "default",
            values: Values::Scalar,
            default: Required,
            example: "default = \"1.5\"",
            doc: "Its value unless a run says otherwise.",
        },
        Key {
            name: "min",
            values: Values::Scalar,
            default: Nothing,
            example: "min = \"1\"",
            doc: "The lowest value that is accepted.",
        },
        Key {
            name: "max",
            values: Values::Scalar,
            default: Nothing,
            example: "max = \"100\"",
            doc: "The highest value that is accepted.",
        },
        Key {
            name: "one_of",
            values: Values::Texts,
            default: Is("any value"),
            example: "one_of = [\"company\", \"price\"]",
            doc: "The values that are accepted.",
        },
        Key {
            name: "doc",
            values: Values::Text,
            default: Nothing,
            example: "doc = \"How many times dearer the dearest price must be.\"",
            doc: "What it means; `--help` shows it.",
        },
    ],
    named: None,
};

static CONTRACT: Section = Section {
    head: "[contract]",
    doc: "Columns that the output lacks, has beside these, or has with another type are errors of `check`; a null in a column that is `not null` fails before the commit.",
    keys: &[],
    named: Some(Named {
        what: "COLUMN",
        values: Values::TypeOr(&COLUMN),
        example: "product_id = \"bigint not null\"",
        doc: "A column of the output.",
    }),
};

static SEEDS: Section = Section {
    head: "[seeds]",
    doc: "A column that is not declared has the type of its values.",
    keys: &[],
    named: Some(Named {
        what: "SEED",
        values: Values::Table(&SEED),
        example: "brands = { code = \"text\" }",
        doc: "A CSV file beside the models, without its extension.",
    }),
};

static SEED: Section = Section {
    head: "[seeds.SEED]",
    doc: "",
    keys: &[],
    named: Some(Named {
        what: "COLUMN",
        values: Values::TypeOr(&COLUMN),
        example: "code = \"text\"",
        doc: "A column of the file.",
    }),
};

/// The checks of a manifest.
pub(in crate::pipeline) static ALL_CHECKS: Section = Section {
    head: "[checks]",
    doc: "`change` and `age` of `sources.toml` hold for each pipeline that does not have its own.",
    keys: &[
        Key {
            name: "rows",
            values: Values::Table(&ROWS),
            default: Nothing,
            example: "rows = { min = 1, max = 100000 }",
            doc: "How many rows the output must have.",
        },
        Key {
            name: "empty",
            values: Values::OneOfOrFalse(SEVERITIES),
            default: Is("false"),
            example: "empty = \"error\"",
            doc: "What an output without rows does where that is a surprise: what it reads is empty, or the last artifact was not.",
        },
        Key {
            name: "change",
            values: Values::TableOrFalse(&CHANGE),
            default: Is("that of `sources.toml`"),
            example: "change = { max = \"20%\" }",
            doc: "How far the number of rows may move from the last committed artifact's.",
        },
        Key {
            name: "age",
            values: Values::TableOrFalse(&LIMIT),
            default: Is("that of `sources.toml`"),
            example: "age = { max = \"36h\", severity = \"warn\" }",
            doc: "How old the snapshot may be.",
        },
    ],
    named: Some(Named {
        what: "CHECK",
        values: Values::Table(&RULE),
        example: "no_free_lunch = { severity = \"warn\" }",
        doc: "A file `checks/CHECK.sql`, which returns bad rows. Without a key it is an error.",
    }),
};

const SEVERITIES: &[&str] = &["error", "warn"];

const SEVERITY: Key = Key {
    name: "severity",
    values: Values::OneOf(SEVERITIES),
    default: Is("\"error\""),
    example: "severity = \"warn\"",
    doc: "`error` refuses the artifact; `warn` reports and commits.",
};

/// The check `rows`.
pub(in crate::pipeline) static ROWS: Section = Section {
    head: "rows",
    doc: "",
    keys: &[
        Key {
            name: "min",
            values: Values::Whole,
            default: Nothing,
            example: "min = 1",
            doc: "The lowest number of rows that passes.",
        },
        Key {
            name: "max",
            values: Values::Whole,
            default: Nothing,
            example: "max = 100000",
            doc: "The highest number of rows that passes.",
        },
        SEVERITY,
    ],
    named: None,
};

/// The check `change`.
pub(in crate::pipeline) static CHANGE: Section = Section {
    head: "change",
    doc: "",
    keys: &[
        Key {
            name: "max",
            values: Values::Percent,
            default: Required,
            example: "max = \"20%\"",
            doc: "The most that passes, in percent of the last artifact's rows.",
        },
        SEVERITY,
    ],
    named: None,
};

/// The check `age`.
pub(in crate::pipeline) static LIMIT: Section = Section {
    head: "age",
    doc: "",
    keys: &[
        Key {
            name: "max",
            values: Values::Duration,
            default: Required,
            example: "max = \"36h\"",
            doc: "The oldest snapshot that passes: `90m`, `36h`, `2d`.",
        },
        SEVERITY,
    ],
    named: None,
};

/// A check of the author's own.
pub(in crate::pipeline) static RULE: Section = Section {
    head: "CHECK",
    doc: "",
    keys: &[SEVERITY],
    named: None,
};

/// A step of the update.
pub(in crate::pipeline) static UPDATE: Section = Section {
    head: "[[update]]",
    doc: "One table each. The rows are those of the artifact, or what `sql/<pipeline>/update/<table>.sql` selects from `artifact`, which has the contract's columns, and from `db.<table>`, the database's tables.",
    keys: &[
        Key {
            name: "table",
            values: Values::Text,
            default: Required,
            example: "table = \"offers\"",
            doc: "The table to fill. One that the database does not have is created, with the grain as its key.",
        },
        Key {
            name: "mode",
            values: Values::OneOf(&["replace", "upsert"]),
            default: Is("\"replace\""),
            example: "mode = \"upsert\"",
            doc: "`replace` makes the table equal to the rows; `upsert` inserts and changes, and deletes nothing.",
        },
        Key {
            name: "references",
            values: Values::Table(&REFERENCES),
            default: Nothing,
            example: "references = { product_id = \"products.id\" }",
            doc: "Columns whose values must be in another table. A row whose value is not there is rejected.",
        },
        Key {
            name: "max_rejects",
            values: Values::Percent,
            default: Is("\"0%\""),
            example: "max_rejects = \"1%\"",
            doc: "The share of rows that may be rejected. With more, the artifact is refused and no table changes.",
        },
    ],
    named: None,
};

static REFERENCES: Section = Section {
    head: "references",
    doc: "",
    keys: &[],
    named: Some(Named {
        what: "COLUMN",
        values: Values::Text,
        example: "product_id = \"products.id\"",
        doc: "`table.column`, where the column's values must be. Null refers to nothing, and passes.",
    }),
};
