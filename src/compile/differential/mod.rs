//! Random queries of the shapes that analysts write, on small random tables, here and in
//! another engine: the same rows, or a refusal. Differences are shrunk.
//!
//! SQLite is asked in this process, always. DuckDB is asked where `PRICEMILL_TEST_DUCKDB`
//! is a command that answers, `python benches/peers/answering.py`; it is also asked what
//! SQLite lacks. The seeds are fixed: `PRICEMILL_TEST_SEED` is the first,
//! `PRICEMILL_TEST_QUERIES` the number of queries, of which each seed makes 100.

mod calls;
mod ours;
mod peers;
mod queries;
mod scalars;
mod tables;

use std::{cell::RefCell, collections::BTreeMap, fmt::Write as _};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use self::{
    ours::Ours,
    peers::{DuckDb, Peer, Sqlite},
    queries::query,
    tables::{Tables, tables},
};

/// The values of a row as texts that all engines share.
type Rows = Vec<Option<String>>;

/// Spells a number; what is computed in doubles here and in decimals there is equal to
/// four digits.
fn spelled(number: f64) -> String {
    format!("{}", (number * 1e4).round() / 1e4 + 0.0)
}

/// How many queries a seed makes. After a difference, the next seed goes on.
const QUERIES: u32 = 100;

/// What the planner cannot do and says so; it gives no wrong answer.
const LIMITS: &[&str] = &[
    "refused: ",
    "null_aware anti join only supports single column join key",
    "Physical plan does not support logical expression",
    "Correlated scalar subquery",
    "correlated",
    // Took a subquery apart, and cannot name its columns: users read our words for it.
    "__scalar_sq",
    // Takes a column that a filter equates with a call of itself for one that is sorted.
    "Expects PARTITION BY expression to be ordered",
];

/// What the shapes are known by, to see what is thin.
const SHAPES: &[(&str, &str)] = &[
    ("join", " join "),
    ("outer join", "full join"),
    ("group by", "group by"),
    ("having", "having"),
    ("aggregate filter", "filter (where"),
    ("distinct", "distinct "),
    ("window", " over ("),
    ("frame", " between 1 preceding"),
    ("subquery", "(select"),
    ("exists", "exists ("),
    ("in a query", " in (select"),
    ("with", "with w as"),
    ("set", " union"),
    ("intersect", " intersect "),
    ("except", " except "),
    ("limit", " limit "),
    ("case", "case "),
    ("like", " like "),
    ("text function", "substr("),
    ("decimal or double", ".d"),
    ("cast", "cast("),
    ("date", ".e"),
    ("interval", "interval"),
    ("list", ".g"),
    ("unnest", "unnest("),
    ("rollup, cube", "group by rollup"),
    ("distinct on", "distinct on"),
    ("qualify", "qualify"),
];

/// What became of the queries.
#[derive(Default)]
struct Tally {
    queries: u32,
    limits: BTreeMap<String, u32>,
    shapes: BTreeMap<&'static str, u32>,
    rejected: u32,
    differences: Vec<String>,
}

impl Tally {
    fn count(&mut self, sql: &str) {
        self.queries += 1;
        for (name, sign) in SHAPES {
            if sql.contains(sign) {
                *self.shapes.entry(name).or_insert(0) += 1;
            }
        }
    }

    fn report(&self) -> String {
        let mut text = format!(
            "{} queries, {} differences, {} that the other does not answer\nnot answered here:\n",
            self.queries,
            self.differences.len(),
            self.rejected
        );
        for (limit, count) in &self.limits {
            writeln!(text, "  {count} × {limit}").unwrap();
        }
        writeln!(text, "shapes: {:?}", self.shapes).unwrap();
        text
    }
}

fn number_of(variable: &str, default: u32) -> u32 {
    let value = std::env::var(variable).ok();
    value.map_or(default, |value| value.parse().unwrap())
}

/// Compares one query; a difference is why the case fails.
fn compare(
    (peer, ours, tally): (&mut dyn Peer, &Ours, &RefCell<Tally>),
    tables: &Tables,
    sql: &str,
) -> Result<(), TestCaseError> {
    let mut tally = tally.borrow_mut();
    tally.count(sql);
    let mut expected = match peer.rows(tables, sql) {
        Ok(rows) => rows,
        Err(_) => {
            tally.rejected += 1;
            return Ok(());
        }
    };
    let mut found = match ours.rows(tables, sql) {
        Ok(rows) => rows,
        Err(why) => {
            let Some(limit) = LIMITS.iter().find(|limit| why.contains(*limit)) else {
                return Err(TestCaseError::fail(format!("{sql}\n{why}")));
            };
            let limit = match *limit {
                "refused: " => why.lines().next().unwrap_or_default(),
                limit => limit,
            };
            *tally.limits.entry(limit.to_owned()).or_insert(0) += 1;
            return Ok(());
        }
    };
    expected.sort();
    found.sort();
    match found == expected {
        true => Ok(()),
        false => Err(TestCaseError::fail(format!(
            "{sql}\nhere:  {found:?}\nthere: {expected:?}"
        ))),
    }
}

/// Compares that many queries, those of one seed after those of another.
fn run(peer: &mut dyn Peer, wide: bool, default: u32) -> Tally {
    let (queries, first) = (
        number_of("PRICEMILL_TEST_QUERIES", default),
        number_of("PRICEMILL_TEST_SEED", 0),
    );
    let (ours, tally) = (Ours::new(), RefCell::new(Tally::default()));
    let peer = RefCell::new(peer);
    for seed in first..first + queries.div_ceil(QUERIES) {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let config = Config {
            cases: QUERIES.min(queries),
            failure_persistence: None,
            max_shrink_iters: 2000,
            ..Config::default()
        };
        let mut runner = TestRunner::new_with_rng(config, rng);
        let input = (tables(), query(wide));
        let result = runner.run(&input, |(tables, sql)| {
            compare((*peer.borrow_mut(), &ours, &tally), &tables, &sql)
        });
        if let Err(error) = result {
            let text = format!("seed {seed}: {error}");
            // A long run is read while it goes on.
            println!("{text}\n");
            tally.borrow_mut().differences.push(text);
        }
    }
    tally.into_inner()
}

fn assert_same(tally: &Tally) {
    println!("{}", tally.report());
    assert!(
        tally.differences.is_empty(),
        "{}",
        tally.differences.join("\n\n")
    );
    let unanswered: u32 = tally.limits.values().sum();
    assert!(unanswered * 5 < tally.queries, "too much is refused");
    assert!(
        tally.rejected * 20 < tally.queries,
        "the other answers too little"
    );
}

#[test]
fn a_query_gives_the_rows_that_sqlite_gives() {
    assert_same(&run(&mut Sqlite, false, 1500));
}

#[test]
fn a_query_gives_the_rows_that_duckdb_gives() {
    let Ok(command) = std::env::var("PRICEMILL_TEST_DUCKDB") else {
        return;
    };
    assert_same(&run(&mut DuckDb::start(&command), true, 3000));
}
