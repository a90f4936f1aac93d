//! The table of codes: the one place that says which faults there are.
//!
//! A row is a name in Rust, the code that users see, how bad it is, and a title. What it
//! means and how to fix it is a page, `codes/<code>.md`, which the compiler asks for. A
//! finding takes a [`Code`], so one that is not in the table cannot be made.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{Page, Severity};

macro_rules! codes {
    ($($name:ident $id:literal $severity:ident $title:literal)*) => {
        /// What kind of fault a finding is.
        ///
        /// The codes are stable: one that is in use keeps its name and its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(
                #[doc = $title]
                #[doc = ""]
                #[doc = include_str!(concat!("codes/", $id, ".md"))]
                $name,
            )*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &[Code] = &[$(Code::$name),*];

            /// Returns the code as users see it, such as `unknown-column`.
            pub const fn id(self) -> &'static str {
                match self { $(Code::$name => $id),* }
            }

            /// Returns how bad a finding of this code is.
            pub const fn severity(self) -> Severity {
                match self { $(Code::$name => Severity::$severity),* }
            }

            /// Returns what the code means, in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Code::$name => $title),* }
            }

            const fn page_text(self) -> &'static str {
                match self { $(Code::$name => include_str!(concat!("codes/", $id, ".md"))),* }
            }
        }
    };
}

codes! {
    // Files.
    MissingFile "missing-file" Error "A file that every project needs is missing"
    UnreadableFile "unreadable-file" Error "A file cannot be read"
    NotText "not-text" Error "A file is not UTF-8 text"
    BadName "bad-name" Error "A name that SQL cannot use without quotes"
    DuplicateName "duplicate-name" Error "Two things share one name"
    BadSeed "bad-seed" Error "A seed is not a well-formed CSV table"
    SuspectQuote "suspect-quote" Warning "A quote in a seed is probably not what was meant"
    SeedType "seed-type" Warning "A seed's column changes its type with its values"
    BadTemplate "bad-template" Error "A template and the model that fills it do not match"
    UnusedFile "unused-file" Warning "A file or folder that nothing reads"

    // TOML.
    TomlSyntax "toml-syntax" Error "A file is not valid TOML"
    UnknownKey "unknown-key" Error "A key that its table does not have"
    MissingKey "missing-key" Error "A table lacks a required key"
    WrongType "wrong-type" Error "A key's value is of the wrong type"
    BadType "bad-type" Error "A column's or parameter's type is not valid"
    BadParameter "bad-parameter" Error "A parameter's default or bound is not valid"
    BadFileName "bad-file-name" Error "An output file that cannot be written"
    UnknownModel "unknown-model" Error "A manifest names a model that does not exist"
    UnknownDataset "unknown-dataset" Error "A manifest names a dataset that does not exist"
    UnknownCheck "unknown-check" Error "A manifest names a check that does not exist"
    UnknownSetting "unknown-setting" Error "A setting that pricemill does not have"
    BadSetting "bad-setting" Error "A setting's value cannot be used"
    UnknownProfile "unknown-profile" Error "A profile that pricemill.toml does not have"

    // SQL.
    Syntax "syntax" Error "SQL that cannot be parsed"
    NotASelect "not-a-select" Error "A SQL file is not exactly one SELECT"
    UnsupportedClause "unsupported-clause" Error "A clause that the engine would ignore or answer wrongly"
    BadSql "bad-sql" Error "SQL that cannot be planned"
    UnknownRelation "unknown-relation" Error "A relation that does not exist"
    AmbiguousRelation "ambiguous-relation" Error "A name that several pipelines use"
    UnknownColumn "unknown-column" Error "A column that does not exist"
    AmbiguousColumn "ambiguous-column" Error "A column that several relations have"
    DuplicateColumn "duplicate-column" Error "Two columns of one relation share a name"
    UngroupedColumn "ungrouped-column" Error "A column is neither grouped nor aggregated"
    MixedTypes "mixed-types" Error "Values of different types are compared or combined"
    NullComparison "null-comparison" Error "A comparison with null, which never holds"
    CrossJoin "cross-join" Warning "Relations are joined without a condition"
    IntegerDivision "integer-division" Warning "A division of whole numbers drops the fraction"
    UnknownFunction "unknown-function" Error "A function that does not exist"
    UnknownParameter "unknown-parameter" Error "A parameter that is not declared"
    Cycle "cycle" Error "Models or pipelines depend on themselves"

    // Results that depend on chance.
    NonDeterministic "non-deterministic" Error "A function returns a different value on each call"
    TimeDependent "time-dependent" Warning "A value depends on when the snapshot was made"
    UnorderedLimit "unordered-limit" Warning "A LIMIT without an order of all rows"
    UnorderedArray "unordered-array" Warning "A list or a text whose order leaves ties"
    UnorderedChoice "unordered-choice" Warning "A choice among rows whose order leaves ties"
    InexactSum "inexact-sum" Warning "A sum of doubles depends on row order"
    UselessOrder "useless-order" Warning "ORDER BY in a model has no effect"

    // Contracts.
    MissingColumn "missing-column" Error "The model lacks a column of its contract"
    UndeclaredColumn "undeclared-column" Error "The contract lacks a column of its model"
    ColumnOrder "column-order" Error "The model's columns are in a different order from the contract's"
    ColumnType "column-type" Error "A column's type is not the one in the contract"

    // The grain.
    UnstatedGrain "unstated-grain" Warning "A model's first line does not state its grain"
    GrainName "grain-name" Error "A model's first line names another model"
    GrainColumn "grain-column" Error "A grain names a column that the model does not have"
    GrainMismatch "grain-mismatch" Error "A model's grain is not the one in its manifest"

    // Updates of the database.
    UnknownTable "unknown-table" Error "A reference to a table that does not exist"
    ReservedTable "reserved-table" Error "An update of one of pricemill's own tables"
    NewTable "new-table" Warning "An update would create a table with a name close to an existing one"
    UpdateColumn "update-column" Error "An update lacks a column that its table needs"
    UpdateType "update-type" Error "An update's column does not fit its table"

    // Tests.
    BadTest "bad-test" Error "A statement that a test cannot run"
    DuplicateRows "duplicate-rows" Error "A model has several rows with the same key"
}

impl Code {
    /// Returns the code of that name.
    pub fn of(id: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.id() == id)
    }

    /// Returns the page that explains the code.
    pub fn page(self) -> Page {
        Page::parse(self.page_text())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    #[test]
    fn every_code_is_listed_once_and_found_by_its_name() {
        let ids: BTreeSet<_> = Code::ALL.iter().map(|code| code.id()).collect();
        assert_eq!(ids.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(Code::of(code.id()), Some(*code));
        }
        assert_eq!(Code::of("unknown-colum"), None);
    }

    #[test]
    fn every_page_explains_and_shows_right_beside_wrong() {
        for code in Code::ALL {
            let page = code.page();
            assert!(page.explanation.len() > 100, "{code}: too short");
            assert_eq!(page.wrong.is_empty(), page.right.is_empty(), "{code}");
            assert!(
                !code.title().ends_with('.'),
                "{code}: a title has no full stop"
            );
        }
    }

    #[test]
    fn no_page_is_of_a_code_that_is_gone() {
        let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diagnostics/codes");
        for page in std::fs::read_dir(pages).unwrap() {
            let path = page.unwrap().path();
            let id = path.file_stem().unwrap().to_str().unwrap();
            assert!(Code::of(id).is_some(), "{id} is not in the table");
        }
    }
}
