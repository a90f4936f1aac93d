//! Findings of a record, placed in the test's file.
//!
//! In come findings in the SQL of one record, as it was planned; out come the same in the
//! `.slt` file that the user wrote. What is in a model's own file stays there.

use std::ops::Range;

use crate::{
    diagnostics::{Annotation, Finding},
    pipeline::SourceFile,
};

/// The path of a record's SQL before it is placed.
pub(super) const RECORD: &str = "test";

/// Places what is wrong with the record that begins in a line of a file: its SQL is below
/// that line.
pub(super) fn in_file(file: &SourceFile, begins: u32, findings: &[Finding]) -> Vec<Finding> {
    let place = |finding: &Finding| {
        let mut finding = finding.clone();
        for annotation in &mut finding.places {
            rebase(file, begins, annotation);
        }
        match finding.places.is_empty() {
            true => finding.at(file.place(line(&file.text, begins + 1)), "here"),
            false => finding,
        }
    };
    findings.iter().map(place).collect()
}

/// Moves a place in a record's SQL to the file; to the record's first line, where the file
/// does not hold the SQL as it was run.
fn rebase(file: &SourceFile, begins: u32, annotation: &mut Annotation) {
    let place = &mut annotation.place;
    if place.file.as_os_str() != RECORD {
        return;
    }
    let start = line(&file.text, begins + 1).start;
    let rest = file.text.get(start..).unwrap_or_default();
    let span = match rest.starts_with(&*place.text) {
        true => start + place.span.start..start + place.span.end,
        false => line(&file.text, begins),
    };
    *place = file.place(span);
}

/// Returns what is said of a record's SQL, `test:2:8, …`, with its line in the file.
pub(super) fn said_in_file(file: &SourceFile, begins: u32, says: &str) -> String {
    let placed = says.strip_prefix(RECORD).and_then(|rest| {
        let (line, rest) = rest.strip_prefix(':')?.split_once(':')?;
        let line: u32 = line.parse().ok()?;
        Some(format!("{}:{}:{rest}", file.path.display(), begins + line))
    });
    placed.unwrap_or_else(|| says.to_owned())
}

/// Returns the bytes of a line, which count from 1.
pub(super) fn line(text: &str, number: u32) -> Range<usize> {
    let above = text.split_inclusive('\n').take(number.max(1) as usize - 1);
    let start: usize = above.map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    start..start + rest.lines().next().unwrap_or_default().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::{Code, Place};

    fn file(text: &str) -> SourceFile {
        SourceFile {
            path: "tests/sql/a/b.slt".into(),
            text: text.into(),
        }
    }

    fn in_record(sql: &str, span: Range<usize>) -> Finding {
        let place = Place {
            file: RECORD.into(),
            text: sql.into(),
            span,
        };
        Finding::new(Code::UnknownColumn, "there is no column `b`").at(place, "unknown")
    }

    #[test]
    fn a_place_in_the_sql_is_one_in_the_file() {
        let file = file("# a\n\nquery I\nselect a,\n  b\nfrom t\n----\n1\n");
        let found = in_file(&file, 3, &[in_record("select a,\n  b\nfrom t", 12..13)]);
        insta::assert_snapshot!(found[0].render(false), @"
        error[unknown-column]: there is no column `b`
         --> tests/sql/a/b.slt:5:3
          |
        5 |   b
          |   ^ unknown
        ");
    }

    #[test]
    fn what_failed_in_a_run_is_placed_in_its_line_of_the_file() {
        let file = file("query I\nselect\n  1 / a\nfrom t\n");
        let said = |says: &str| said_in_file(&file, 1, says);
        assert_eq!(
            said("test:2:3, in x: no"),
            "tests/sql/a/b.slt:3:3, in x: no"
        );
        assert_eq!(said("the query: no"), "the query: no");
    }

    #[test]
    fn what_has_no_place_is_placed_at_the_sql() {
        let file = file("statement ok\ndrop table t\n");
        let finding = Finding::new(Code::BadTest, "no table `t` was made here");
        let found = in_file(&file, 1, &[finding]);
        assert_eq!(found[0].place().unwrap().line_column(), (2, 1));
    }

    #[test]
    fn sql_that_is_not_as_in_the_file_is_placed_at_the_records_first_line() {
        let file = file("\nquery I\r\nselect\r\n  b\r\n");
        let found = in_file(&file, 2, &[in_record("select\n  b", 9..10)]);
        assert_eq!(found[0].place().unwrap().line_column(), (2, 1));
    }
}
