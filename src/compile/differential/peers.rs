//! The engines whose rows count as right: SQLite, in this process, and DuckDB, behind a
//! pipe to `benches/peers/answering.py`.

use std::{
    io::{BufRead, BufReader, Write as _},
    process::{Child, ChildStdout, Command, Stdio},
};

use rusqlite::{Connection, types::ValueRef};
use serde_json::{Value, json};

use super::{
    Rows, spelled,
    tables::{Tables, statements},
};

/// What answers a query over tables.
pub(super) trait Peer {
    /// Returns the rows, or why there are none.
    fn rows(&mut self, tables: &Tables, sql: &str) -> Result<Vec<Rows>, String>;
}

/// SQLite.
pub(super) struct Sqlite;

impl Peer for Sqlite {
    fn rows(&mut self, tables: &Tables, sql: &str) -> Result<Vec<Rows>, String> {
        let sqlite = Connection::open_in_memory().unwrap();
        sqlite
            .pragma_update(None, "case_sensitive_like", true)
            .unwrap();
        for statement in statements(tables, true) {
            sqlite.execute(&statement, []).unwrap();
        }
        of_sqlite(&sqlite, sql).map_err(|error| error.to_string())
    }
}

fn of_sqlite(sqlite: &Connection, sql: &str) -> Result<Vec<Rows>, rusqlite::Error> {
    let mut statement = sqlite.prepare(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let value = |column| {
            Ok(match row.get_ref(column)? {
                ValueRef::Null => None,
                ValueRef::Integer(number) => Some(spelled(number as f64)),
                ValueRef::Real(number) => Some(spelled(number)),
                ValueRef::Text(text) => Some(format!("'{}'", String::from_utf8_lossy(text))),
                ValueRef::Blob(_) => Some("blob".to_owned()),
            })
        };
        (0..columns).map(value).collect()
    })?;
    rows.collect()
}

/// DuckDB, as a process that answers lines of JSON.
pub(super) struct DuckDb {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl DuckDb {
    /// Starts the command: Python, and the path of the script.
    pub(super) fn start(command: &str) -> DuckDb {
        let mut words = command.split_whitespace();
        let mut child = Command::new(words.next().unwrap())
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        DuckDb { child, answers }
    }
}

impl Peer for DuckDb {
    fn rows(&mut self, tables: &Tables, sql: &str) -> Result<Vec<Rows>, String> {
        let question = json!({"tables": statements(tables, false), "sql": sql});
        let stdin = self.child.stdin.as_mut().unwrap();
        writeln!(stdin, "{question}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        if let Some(error) = answer["error"].as_str() {
            return Err(error.to_owned());
        }
        let value = |value: &Value| match value {
            Value::Number(number) => number.as_f64().map(spelled),
            other => other.as_str().map(str::to_owned),
        };
        let rows = answer["rows"].as_array().unwrap().iter();
        Ok(rows
            .map(|row| row.as_array().unwrap().iter().map(value).collect())
            .collect())
    }
}

impl Drop for DuckDb {
    fn drop(&mut self) {
        // It ends at the end of its input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
