//! Tables for people, in one way for all commands: rows, reports and lists.
//!
//! In come names and values, and how wide the terminal is, if there is one; out comes
//! text. On a terminal the table fits it, and a line beneath says what is hidden. Anywhere
//! else nothing is cut.

use comfy_table::{Table as Drawn, presets::NOTHING};

use super::fit::{Fit, Frame, Need, fit};
use crate::{
    report::{Sample, SampleColumn},
    text::{MORE, cut, width},
};

/// As Arrow and other databases draw rows.
const LINES: &str = "||--+-++|    ++++++";

/// Texts are not cut to less than this.
const LEAST_TEXT: usize = 12;

/// What a table looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Rows of data, between lines; null is empty.
    Grid,
    /// A header and rows; `-` where there is nothing.
    Plain,
    /// Rows without a header.
    List,
}

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) struct Table {
    look: Look,
    columns: Vec<SampleColumn>,
    rows: Vec<Vec<Option<String>>>,
    /// The format that shows all of it.
    whole: &'static str,
}

impl Table {
    /// Returns a table of data.
    pub(in crate::cli) fn grid(rows: Sample) -> Table {
        Table {
            look: Look::Grid,
            columns: rows.columns,
            rows: rows.rows,
            whole: "lines",
        }
    }

    /// Names the format in which a command prints all of the table.
    pub(in crate::cli) fn whole_in(self, whole: &'static str) -> Table {
        Table { whole, ..self }
    }

    /// Returns a table of what a command reports; all but its first column may be cut.
    pub(in crate::cli) fn plain(names: &[&str]) -> Table {
        let columns = names.iter().enumerate();
        let columns = columns.map(|(at, name)| SampleColumn {
            name: (*name).to_owned(),
            is_text: at > 0,
        });
        Table {
            look: Look::Plain,
            columns: columns.collect(),
            rows: Vec::new(),
            whole: "lines",
        }
    }

    /// Returns a list, whose columns have names only in `--output lines`.
    pub(in crate::cli) fn list(names: &[&str]) -> Table {
        Table {
            look: Look::List,
            ..Table::plain(names)
        }
    }

    /// Adds rows.
    pub(in crate::cli) fn with(
        mut self,
        rows: impl IntoIterator<Item = Vec<Option<String>>>,
    ) -> Table {
        self.rows.extend(rows);
        self
    }

    /// Returns the table as it is printed, fitted to a terminal's columns.
    pub(in crate::cli) fn text(&self, room: Option<usize>) -> String {
        let Some(room) = room else {
            let all = (0..self.columns.len()).map(|at| (at, usize::MAX));
            return self.draw(&all.collect::<Vec<_>>(), None);
        };
        let needs = self.needs();
        let Fit { shown, before } = fit(&needs, self.frame(), room);
        let hides = shown.len() < self.columns.len();
        let mut text = self.draw(&shown, hides.then_some(before));
        if let Some(note) = self.note(&needs, &shown) {
            text.push_str(&note);
            text.push('\n');
        }
        text
    }

    /// Returns the table as `--output lines` prints it.
    pub(in crate::cli) fn lines(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            if !text.is_empty() {
                text.push('\n');
            }
            for (column, value) in self.columns.iter().zip(row) {
                push_line(&column.name, value.as_deref(), &mut text);
            }
        }
        text
    }

    fn frame(&self) -> Frame {
        match self.look {
            Look::Grid => Frame {
                each: 3,
                whole: 1,
                gap: 1,
            },
            Look::Plain | Look::List => Frame {
                each: 2,
                whole: 0,
                gap: 1,
            },
        }
    }

    fn needs(&self) -> Vec<Need> {
        let columns = self.columns.iter().enumerate();
        let needs = columns.map(|(at, column)| {
            let name = match self.look {
                Look::List => 0,
                Look::Grid | Look::Plain => width(&column.name),
            };
            let values = self.rows.iter().filter_map(|row| row[at].as_deref());
            let widest = values.map(width_of_lines).max().unwrap_or(1);
            let natural = widest.max(name);
            let least = match column.is_text {
                true => natural.min(LEAST_TEXT.max(name)),
                false => natural,
            };
            Need { natural, least }
        });
        needs.collect()
    }

    /// Draws columns, cut to their widths; `gap` is where others are left out.
    fn draw(&self, shown: &[(usize, usize)], gap: Option<usize>) -> String {
        let with_gap = |mut cells: Vec<String>| {
            if let Some(at) = gap {
                cells.insert(at, MORE.to_string());
            }
            cells
        };
        let mut drawn = Drawn::new();
        drawn.load_preset(if self.look == Look::Grid {
            LINES
        } else {
            NOTHING
        });
        if self.look != Look::List {
            let names = shown.iter();
            let names = names.map(|&(at, most)| fitted(&self.columns[at].name, most));
            drawn.set_header(with_gap(names.collect()));
        }
        let nothing = if self.look == Look::Grid { "" } else { "-" };
        for row in &self.rows {
            let cells = shown
                .iter()
                .map(|&(at, most)| fitted(row[at].as_deref().unwrap_or(nothing), most));
            drawn.add_row(with_gap(cells.collect()));
        }
        if self.look != Look::Grid {
            for column in drawn.column_iter_mut() {
                column.set_padding((0, 2));
            }
        }
        let lines = drawn.lines().map(|line| format!("{}\n", line.trim_end()));
        lines.collect()
    }

    /// Says what is hidden, and how to see it.
    fn note(&self, needs: &[Need], shown: &[(usize, usize)]) -> Option<String> {
        let how = format!("see all with --output {}", self.whole);
        let is_hidden = |at: &usize| !shown.iter().any(|(other, _)| other == at);
        let hidden = (0..self.columns.len()).filter(is_hidden);
        let hidden: Vec<&str> = hidden.map(|at| self.columns[at].name.as_str()).collect();
        match hidden.as_slice() {
            [] => {
                let has_more = |at: usize| {
                    let mut rows = self.rows.iter();
                    rows.any(|row| has_lines(row[at].as_deref()))
                };
                let is_cut =
                    |&(at, most): &(usize, usize)| most < needs[at].natural || has_more(at);
                let is_cut = shown.iter().any(is_cut);
                is_cut.then(|| format!("texts that end in {MORE} are cut; {how}"))
            }
            [one] => Some(format!("1 column is hidden: {one}; {how}")),
            many => {
                let (count, names) = (many.len(), many.join(", "));
                Some(format!("{count} columns are hidden: {names}; {how}"))
            }
        }
    }
}

/// Returns a cell's text; without a terminal as it is.
fn fitted(text: &str, most: usize) -> String {
    match most {
        usize::MAX => text.replace('\t', " "),
        most => cut(&text.replace('\t', " "), most).into_owned(),
    }
}

/// Returns the width of a value's first line, with the mark of what follows.
fn width_of_lines(text: &str) -> usize {
    let first = text.lines().next().unwrap_or_default();
    width(first) + usize::from(has_lines(Some(text)))
}

fn has_lines(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.contains('\n'))
}

/// Writes one value of a record: `name: value`. What follows its first line is indented.
pub(super) fn push_line(name: &str, value: Option<&str>, text: &mut String) {
    let value = value.unwrap_or("null").replace('\n', "\n  ");
    let blank = if value.is_empty() { "" } else { " " };
    text.push_str(&format!("{name}:{blank}{value}\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn products() -> Table {
        let column = |name: &str, is_text| SampleColumn {
            name: name.to_owned(),
            is_text,
        };
        let columns = vec![
            column("product_id", false),
            column("name", true),
            column("brand", true),
            column("cheapest_price", false),
            column("dearest_price", false),
            column("scraped_date", false),
        ];
        let row = |name: &str, brand: Option<&str>| {
            let cells = [Some("17"), Some(name), brand];
            let more = [Some("1.05"), Some("2.95"), Some("2026-11-01")];
            let cells = cells.into_iter().chain(more);
            cells.map(|cell| cell.map(str::to_owned)).collect()
        };
        let rows = [
            row("Sunflower oil organic sea salt 1l", Some("Taviszo")),
            row("牛乳", None),
        ];
        Table::grid(Sample {
            columns,
            rows: rows.to_vec(),
        })
    }

    #[test]
    fn without_a_terminal_nothing_is_cut() {
        let text = products().text(None);
        assert!(!text.contains(MORE) && text.contains("Sunflower oil organic sea salt 1l"));
    }

    #[test]
    fn texts_are_cut_first() {
        let text = products().text(Some(100));
        assert!(
            text.contains(MORE) && text.contains("scraped_date"),
            "{text}"
        );
        assert!(!text.contains("hidden"), "{text}");
    }

    #[test]
    fn then_columns_are_hidden_from_the_middle() {
        for room in [60, 20] {
            let text = products().text(Some(room));
            assert!(text.contains("hidden: "), "{text}");
            assert!(text.ends_with("; see all with --output lines\n"), "{text}");
        }
    }

    #[test]
    fn every_line_fits() {
        for room in 14..140 {
            let text = products().text(Some(room));
            let mut table = text.lines().filter(|line| line.starts_with(['|', '+']));
            assert!(table.all(|line| width(line) <= room), "{room}:\n{text}");
        }
    }

    #[test]
    fn a_record_is_a_line_per_column() {
        let table = Table::plain(&["pipeline", "rows", "note"]).with([
            vec![Some("bargains".to_owned()), Some("7".to_owned()), None],
            vec![
                Some("map".to_owned()),
                Some(String::new()),
                Some("a\nb".to_owned()),
            ],
        ]);
        let wanted = "pipeline: bargains\nrows: 7\nnote: null\n\n\
                      pipeline: map\nrows:\nnote: a\n  b\n";
        assert_eq!(table.lines(), wanted);
    }

    #[test]
    fn a_table_is_aligned_and_says_where_nothing_is() {
        let rows = [
            vec![Some("bargains".to_owned()), Some("7".to_owned())],
            vec![Some("map".to_owned()), None],
        ];
        let table = Table::plain(&["pipeline", "rows"]).with(rows.clone());
        insta::assert_snapshot!(table.text(None), @"
        pipeline  rows
        bargains  7
        map       -
        ");
        let list = Table::list(&["pipeline", "rows"]).with(rows);
        assert_eq!(list.text(None), "bargains  7\nmap       -\n");
    }
}
