//! The documentation for users, one page per file.
//!
//! Each page is Markdown that reads well in a terminal (`pricemill docs PAGE`), on a web
//! page of the repository, and here. A new page is a file in this folder and a line in
//! the list below. What a page says about Rust code belongs in that code's own comments.

#[cfg(test)]
mod stated;

/// One page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Its name, such as `how-to`.
    pub name: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// Its Markdown.
    pub text: &'static str,
}

/// Links between pages, as rustdoc resolves them. In a page itself they name files.
macro_rules! links {
    () => {
        "[tutorial]: crate::docs::tutorial
[how-to]: crate::docs::how_to
[commands]: crate::docs::commands
[pipelines]: crate::docs::pipelines
[sql]: crate::docs::sql
[manifest]: crate::docs::manifest
[sql-functions]: crate::docs::sql_functions
[coming-from]: crate::docs::coming_from
[functions]: crate::docs::functions
[output]: crate::docs::output
[settings]: crate::docs::settings
[formats]: crate::docs::formats
[large-data]: crate::docs::large_data
"
    };
}

macro_rules! pages {
    ($($module:ident $name:literal $title:literal)*) => {
        $(
            // The first definition of a link counts: these come before the page's own.
            #[doc = links!()]
            #[doc = include_str!(concat!($name, ".md"))]
            pub mod $module {}
        )*

        /// All pages, in reading order.
        pub const PAGES: &[Page] = &[
            $(Page {
                name: $name,
                title: $title,
                text: include_str!(concat!($name, ".md")),
            }),*
        ];
    };
}

pages! {
    tutorial "tutorial" "A pipeline from nothing, in ten minutes"
    how_to "how-to" "Recipes: queries, parameters, seeds, checks, tests, pages"
    pipelines "pipelines" "What the shipped pipelines compute"
    sql "sql" "The SQL of models: values, differences, what is refused"
    sql_functions "sql-functions" "All SQL functions, with examples"
    functions "functions" "pricemill's own SQL functions, and embedding models"
    coming_from "coming-from" "If you come from DuckDB, PostgreSQL, SQLite or dbt"
    manifest "manifest" "The keys of manifests and of sources.toml"
    commands "commands" "All commands, profiles, exit codes"
    output "output" "What commands print: formats, fields, words"
    settings "settings" "The keys of pricemill.toml"
    formats "formats" "The files of a project, the data folder, format versions"
    large_data "large-data" "Memory, temporary space, made-up data of any size"
    peers "peers" "Benchmarks against DuckDB, Polars and Python"
}

/// Returns the page of that name.
pub fn page(name: &str) -> Option<Page> {
    PAGES.iter().find(|page| page.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        archive, artifact::manifest, inbox, outbox, report, runs, snapshot, storage::Format,
    };

    #[test]
    fn the_table_of_format_versions_is_that_of_the_code() {
        let wanted = [
            ("snapshot `manifest.json`", snapshot::FORMAT),
            (
                "unfinished fetch, in `snapshots/.partial/`",
                snapshot::PARTIAL,
            ),
            (
                "artifact manifest, in the outbox and as it is sent",
                manifest::FORMAT,
            ),
            (
                "artifact manifest, in the inbox and `archive/inbox/`",
                inbox::RECEIVED,
            ),
            ("archive `manifest.json`", archive::FORMAT),
            ("receipt", outbox::RECEIPT),
            ("run record", runs::FORMAT),
            (
                "what `--output` writes",
                Format::version(report::FORMAT_VERSION),
            ),
        ];
        let text = page("formats").unwrap().text;
        let (_, rows) = text.split_once("| --- | ---: | --- |\n").unwrap();
        let rows = rows.lines().take_while(|line| line.starts_with('|'));
        let written = rows.map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            (cells[1], Format::version(cells[2].parse().unwrap()))
        });
        assert_eq!(written.collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn every_page_is_found_by_its_name() {
        for known in PAGES {
            assert_eq!(page(known.name), Some(*known));
        }
        assert_eq!(page("tutorail"), None);
    }
}
