//! The shipped SQL on the engine's own functions: its checks and updates, and the
//! real data's figures, counted independently.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::support::data;
use datafusion::{
    arrow::{
        array::{
            ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
        },
        datatypes::{DataType, Float64Type},
        util::display::array_value_to_string,
    },
    datasource::MemTable,
    error::DataFusionError,
    prelude::SessionContext,
};
use pricemill::{
    config::EngineConfig,
    engine,
    pipeline::{SourceFile, read_seed},
};

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A session with the SQL of one pipeline at hand.
pub(crate) struct Bench {
    pub(crate) context: SessionContext,
    /// Models by name, parameters put in.
    models: BTreeMap<String, String>,
    /// `checks/<rule>.sql` and `update/<table>.sql`, by path, likewise.
    others: BTreeMap<String, String>,
}

impl Bench {
    pub(crate) fn new(pipeline: &str, threads: usize, given: &[(&str, &str)]) -> Bench {
        let config = EngineConfig {
            threads: NonZeroUsize::new(threads).unwrap(),
            ..EngineConfig::default()
        };
        Bench::on(&config, pipeline, given)
    }

    pub(crate) fn on(config: &EngineConfig, pipeline: &str, given: &[(&str, &str)]) -> Bench {
        let manifest = project().join(format!("pipelines/{pipeline}.toml"));
        let manifest: toml::Table = fs::read_to_string(manifest).unwrap().parse().unwrap();
        let bind = |(name, sql)| (name, substitute(sql, &manifest, given));
        let folder = project().join("sql").join(pipeline);
        let below = |part: &'static str| {
            let files = sql_files(&folder.join(part));
            files.map(move |(name, sql)| (format!("{part}/{name}"), sql))
        };
        let context = engine::session(config).unwrap();
        for (name, text) in files(&folder, "csv") {
            let seed = SourceFile {
                path: format!("{name}.csv").into(),
                text: text.into(),
            };
            context
                .register_batch(&name, read_seed(&seed).unwrap())
                .unwrap();
        }
        Bench {
            context,
            models: sql_files(&folder)
                .chain(sql_files(&project().join("sql/staging")))
                .map(bind)
                .collect(),
            others: below("checks").chain(below("update")).map(bind).collect(),
        }
    }

    /// Makes a view of each model that is no table yet and whose inputs are there.
    pub(crate) async fn define_models(&self) {
        loop {
            let mut defined = 0;
            for (name, sql) in &self.models {
                if !self.context.table_exist(name.as_str()).unwrap() {
                    let view = format!("create view {name} as {sql}");
                    defined += usize::from(self.context.sql(&view).await.is_ok());
                }
            }
            if defined == 0 {
                return;
            }
        }
    }

    async fn batches(&self, sql: &str) -> Result<Vec<RecordBatch>, DataFusionError> {
        self.context.sql(sql).await?.collect().await
    }

    /// Returns the rows as text, in the order they come.
    pub(crate) async fn rows(&self, sql: &str) -> Result<Vec<Vec<String>>, DataFusionError> {
        let mut rows = Vec::new();
        for batch in self.batches(sql).await? {
            for row in 0..batch.num_rows() {
                let cell = |column: &ArrayRef| cell(column, row);
                rows.push(batch.columns().iter().map(cell).collect());
            }
        }
        Ok(rows)
    }

    pub(crate) fn table(&self, name: &str, columns: Vec<(&str, ArrayRef)>) {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let rows = batch.num_rows();
        // Batches of another size than the session's, dealt to two partitions.
        let slice = |start: usize| batch.slice(start, 10_000.min(rows - start));
        let slices: Vec<_> = (0..rows).step_by(10_000).map(slice).collect();
        let (left, right): (Vec<_>, Vec<_>) = slices
            .into_iter()
            .enumerate()
            .partition(|(i, _)| i % 2 == 1);
        let partition =
            |part: Vec<(usize, RecordBatch)>| part.into_iter().map(|(_, b)| b).collect();
        let table = MemTable::try_new(batch.schema(), vec![partition(left), partition(right)]);
        self.context
            .register_table(name, Arc::new(table.unwrap()))
            .unwrap();
    }
}

fn cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".to_owned();
    }
    match column.data_type() {
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).to_string(),
        _ => array_value_to_string(column, row).unwrap(),
    }
}

fn sql_files(folder: &Path) -> impl Iterator<Item = (String, String)> + use<> {
    files(folder, "sql")
}

/// Returns the files of a folder that end so, by name without the end.
fn files(folder: &Path, end: &'static str) -> impl Iterator<Item = (String, String)> + use<> {
    let files = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path());
    let wanted =
        files.filter(move |path| path.extension().is_some_and(|extension| extension == end));
    wanted.map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    })
}

fn substitute(mut sql: String, manifest: &toml::Table, given: &[(&str, &str)]) -> String {
    let params = manifest.get("params").and_then(toml::Value::as_table);
    // Backwards: a name may begin with another.
    for (name, param) in params.into_iter().flatten().rev() {
        let given = given.iter().find(|(given, _)| given == name);
        let value = given.map_or_else(|| param["default"].as_str().unwrap(), |given| given.1);
        let literal = format!("cast('{value}' as {})", param["type"].as_str().unwrap());
        sql = sql.replace(&format!("${name}"), &literal);
    }
    sql
}

#[test]
fn every_model_has_one_test() {
    let names = fs::read_dir(project().join("pipelines")).unwrap();
    let names = names.map(|entry| entry.unwrap().path().with_extension(""));
    let names = names.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
    let names = names.map(|name| match name.as_str() {
        "sources" => "staging".to_owned(),
        _ => name,
    });
    for pipeline in names {
        let folder = project().join("tests/sql").join(&pipeline);
        let files = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let name = |file: PathBuf| file.file_stem().unwrap().to_str().unwrap().to_owned();
        // Checks and updates have tests of their own.
        let of_models = |name: &String| name != "checks" && name != "updates";
        let mut tested: Vec<String> = files.map(name).filter(of_models).collect();
        tested.sort();
        let folder = project().join("sql").join(&pipeline);
        let mut models: Vec<String> = sql_files(&folder).map(|(name, _)| name).collect();
        models.sort();
        assert_eq!(tested, models, "of {pipeline}");
    }
}

/// Returns the rows of a check or an update over tables made by `setup`.
async fn rows_of(pipeline: &str, path: &str, setup: &[&str]) -> Vec<String> {
    let bench = Bench::new(pipeline, 2, &[]);
    for sql in setup {
        bench.batches(sql).await.unwrap();
    }
    bench.define_models().await;
    let rows = bench.rows(&bench.others[path]).await.unwrap();
    let mut rows: Vec<_> = rows.iter().map(|row| row.join(" ")).collect();
    rows.sort();
    rows
}

#[tokio::test]
async fn a_bargain_at_exactly_min_ratio_is_found_by_its_check() {
    let setup = ["create table bargains as select * from (values
        (1, 11, cast(50 as double)), (2, 11, cast(50.000001 as double))
    ) as t (product_id, store_id, percentage_difference)"];
    let found = rows_of("bargains", "checks/not_over_min_ratio", &setup).await;
    assert_eq!(found, ["1 11 50"]);
}

#[tokio::test]
async fn wrong_groups_are_found_by_their_checks() {
    let setup = [
        "create table stores as
            select *, 'none' as division, 'none' as name, 0.0 as latitude, 0.0 as longitude
            from (values (1, 'A'), (2, 'A'), (3, 'B'), (4, 'B')) as t (id, company)",
        "create table store_groups as select * from (values
            ('A', [2, 1]), ('B', [2]), ('B', [3, 3])) as t (company, stores)",
    ];
    let found = async |rule| rows_of("store-groups", rule, &setup).await;
    assert_eq!(found("checks/store_in_two_groups").await, ["2 2", "3 2"]);
    assert_eq!(found("checks/store_without_group").await, ["4 B"]);
    assert_eq!(found("checks/store_of_another_company").await, ["2 B A"]);
}

#[tokio::test]
async fn a_group_is_stored_under_its_anchor_and_its_companys_id() {
    let setup = [
        "create schema db",
        "create table db.companies as select * from (values (7, 'A')) as t (id, name)",
        "create table artifact as select * from (values
            ('A', [2, 1]), ('C', [3])) as t (company, stores)",
    ];
    let groups = rows_of("store-groups", "update/store_groups", &setup).await;
    assert_eq!(groups, ["2 7 2 true healthy", "3 NULL 3 true healthy"]);
    let members = rows_of("store-groups", "update/store_group_members", &setup).await;
    assert_eq!(members, ["1 2", "2 2", "3 3"]);
}

/// Returns a column of so many nulls.
fn no_text(rows: usize) -> ArrayRef {
    Arc::new(StringArray::new_null(rows))
}

fn register_stores(bench: &Bench, file: &Path) {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let headers = reader.headers().unwrap().clone();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let text = |name: &str| {
        let column = headers.iter().position(|header| header == name).unwrap();
        records.iter().map(move |record| &record[column])
    };
    let number = |name: &str| -> ArrayRef {
        Arc::new(
            text(name)
                .map(|text| text.parse::<f64>().ok())
                .collect::<Float64Array>(),
        )
    };
    let ids: Int64Array = text("id").map(|id| id.parse::<i64>().ok()).collect();
    let companies: StringArray = text("company").map(Some).collect();
    bench.table(
        "stores",
        vec![
            ("id", Arc::new(ids)),
            ("company", Arc::new(companies)),
            ("division", no_text(records.len())),
            ("name", no_text(records.len())),
            ("latitude", number("latitude")),
            ("longitude", number("longitude")),
        ],
    );
}

fn register_prices(bench: &Bench, file: &Path) {
    let mut text = String::new();
    let file = fs::File::open(file).unwrap();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    let (mut products, mut stores, mut cents) = (Vec::new(), Vec::new(), Vec::new());
    for line in text.lines().skip(1) {
        let mut fields = line.split(',');
        products.push(fields.next().unwrap().parse::<i64>().unwrap());
        stores.push(fields.next().unwrap().parse::<i64>().unwrap());
        let (whole, fraction) = fields.next().unwrap().split_once('.').unwrap();
        assert_eq!(fraction.len(), 2);
        cents.push(format!("{whole}{fraction}").parse::<i128>().unwrap());
    }
    let record_ids = Int64Array::from_iter_values(1..=products.len() as i64);
    let prices = Decimal128Array::from(cents)
        .with_precision_and_scale(10, 2)
        .unwrap();
    bench.table(
        "prices",
        vec![
            ("product_id", Arc::new(Int64Array::from(products))),
            ("store_id", Arc::new(Int64Array::from(stores))),
            ("price", Arc::new(prices)),
            ("price_record_id", Arc::new(record_ids)),
        ],
    );
}

#[tokio::test]
async fn the_real_prices_have_4544_bargains() {
    let Some(data) = data::folder("hr") else {
        return;
    };
    let bench = Bench::new("bargains", 2, &[]);
    register_prices(&bench, &data.join("prices.csv.gz"));
    bench.define_models().await;
    let sql = "select count(*), round(sum(percentage_difference), 2) from bargains";
    assert_eq!(bench.rows(sql).await.unwrap(), [["4544", "659236.31"]]);
}

#[tokio::test]
async fn the_real_stores_are_18_groups_by_price_whatever_the_threads() {
    let Some(data) = data::folder("hr") else {
        return;
    };
    let mut groups = Vec::new();
    for threads in [1, 3] {
        let bench = Bench::new("store-groups", threads, &[]);
        register_stores(&bench, &data.join("stores.csv"));
        register_prices(&bench, &data.join("prices.csv.gz"));
        bench.define_models().await;
        let sql = "select * from store_groups order by company, stores";
        groups.push(bench.rows(sql).await.unwrap());
    }
    let lidl = groups[0].iter().filter(|row| row[0] == "Lidl");
    let mut sizes: Vec<_> = lidl.map(|row| row[1].split(',').count()).collect();
    sizes.sort();
    assert_eq!(sizes, [1, 48, 64]);
    assert_eq!(groups[0].len(), 18);
    assert_eq!(groups[0], groups[1]);
}

#[tokio::test]
async fn the_real_stores_are_875_groups_by_geography_without_any_prices() {
    let Some(data) = data::folder("au") else {
        return;
    };
    let bench = Bench::new("store-groups", 2, &[("method", "geography")]);
    register_stores(&bench, &data.join("stores.csv"));
    let none = Int64Array::from(Vec::<i64>::new());
    bench.table(
        "prices",
        vec![
            ("product_id", Arc::new(none.clone())),
            ("store_id", Arc::new(none.clone())),
            (
                "price",
                Arc::new(
                    Decimal128Array::from(Vec::<i128>::new())
                        .with_precision_and_scale(10, 2)
                        .unwrap(),
                ),
            ),
            ("price_record_id", Arc::new(none)),
        ],
    );
    bench.define_models().await;
    let sql = "select count(*), count(*) filter (where cardinality(stores) > 1) from store_groups";
    assert_eq!(bench.rows(sql).await.unwrap(), [["875", "183"]]);
}

#[tokio::test]
async fn the_method_that_is_not_asked_for_is_not_planned() {
    for (method, unplanned) in [("price", "dbscan"), ("geography", "price_agreement")] {
        let bench = Bench::new("store-groups", 1, &[("method", method)]);
        let empty: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
        let column = |name| (name, Arc::clone(&empty));
        bench.table(
            "prices",
            ["product_id", "store_id", "price"].map(column).to_vec(),
        );
        bench.table(
            "stores",
            vec![
                ("id", Arc::clone(&empty)),
                ("company", no_text(0)),
                ("division", no_text(0)),
                ("name", no_text(0)),
                ("latitude", Arc::clone(&empty)),
                ("longitude", Arc::clone(&empty)),
            ],
        );
        bench.define_models().await;
        let plan = bench
            .rows("explain select * from store_groups")
            .await
            .unwrap();
        assert!(!format!("{plan:?}").contains(unplanned), "{plan:?}");
    }
}
