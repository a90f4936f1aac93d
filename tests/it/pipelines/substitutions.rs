//! The text functions and the pipeline `substitutions`, beside what RapidFuzz and plain
//! Python say (`tests/golden/`), and on the real data.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};

use crate::{stages::functions::Bench, support::data};

fn golden(name: &str) -> Vec<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    records(csv::Reader::from_path(folder.join(name)).unwrap())
}

fn records<R: Read>(mut reader: csv::Reader<R>) -> Vec<Vec<String>> {
    let records = reader.records().map(Result::unwrap);
    let fields = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    records.map(fields).collect()
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    // As the service exports it: what is not there is null.
    let given = values.map(|text| Some(text).filter(|text| !text.is_empty()));
    Arc::new(given.collect::<StringArray>())
}

#[tokio::test]
async fn token_set_ratio_is_rapidfuzz_to_the_last_bit() {
    let golden = golden("token_set_ratio.csv");
    let bench = Bench::new("substitutions", 2, &[]);
    let column = |column: usize| {
        let values = golden.iter().map(|row| row[column].as_str());
        Arc::new(values.map(Some).collect::<StringArray>()) as ArrayRef
    };
    let expected: Float64Array = golden
        .iter()
        .map(|row| row[2].parse::<f64>().ok())
        .collect();
    bench.table(
        "pairs",
        vec![
            ("a", column(0)),
            ("b", column(1)),
            ("ratio", Arc::new(expected)),
        ],
    );
    for sql in [
        "select a, b, ratio, token_set_ratio(a, b) from pairs where token_set_ratio(a, b) <> ratio",
        "select a, b, ratio, token_set_ratio(b, a) from pairs where token_set_ratio(b, a) <> ratio",
    ] {
        assert_eq!(bench.rows(sql).await.unwrap(), Vec::<Vec<String>>::new());
    }
    let counted = "select count(*), count(token_set_ratio(a, b)) from pairs";
    let count = golden.len().to_string();
    assert_eq!(bench.rows(counted).await.unwrap(), [[count.clone(), count]]);
}

#[tokio::test]
async fn text_functions_of_null_are_null_and_constants_will_do() {
    let bench = Bench::new("substitutions", 1, &[]);
    let units = "[named_struct('unit', 'l', 'base', 'ul', 'amount', 1000000)]";
    for (sql, expected) in [
        ("token_set_ratio('new york mets', 'mets new york')", "100"),
        ("token_set_ratio(null, 'a')", "NULL"),
        ("parse_size('6 x 0,33 L', units)['amount']", "330000"),
        ("parse_size(null, units)", "NULL"),
        ("parse_size('5 kg', units)", "NULL"),
        ("find_size('Sok 2L', units)['packs']", "1"),
        (
            "normalize_name('Sok od Šljiva 2 l', units)",
            "od sljiva sok",
        ),
        ("normalize_name(null, units)", "NULL"),
        ("jaccard([1, 2, 2, null], [2, 3])", "0.3333333333333333"),
        ("jaccard(['a'], ['a', 'b'])", "0.5"),
        ("jaccard([], [1])", "0"),
        ("jaccard([], [])", "NULL"),
        ("jaccard(null, [1])", "NULL"),
    ] {
        let sql = format!("select {}", sql.replace("units", units));
        assert_eq!(bench.rows(&sql).await.unwrap(), [[expected]], "{sql}");
    }
}

#[tokio::test]
async fn units_that_make_no_sense_are_told() {
    let bench = Bench::new("substitutions", 1, &[]);
    for (units, said) in [
        ("null", "takes (text, units), units a list of struct"),
        ("['l']", "takes (text, units), units a list of struct"),
        (
            "[named_struct('unit', 'l', 'base', 'ul', 'amount', 0)]",
            "parse_size: the unit `l` has an amount below 1",
        ),
        (
            "(select array_agg(named_struct('unit', unit, 'base', base, 'amount', amount) order by unit)
                from units where unit = 'none')",
            "parse_size: units must not be null",
        ),
    ] {
        let sql = format!("select parse_size('1 l', {units}) from units");
        let error = bench.rows(&sql).await.unwrap_err().to_string();
        assert!(error.contains(said), "{units}: {error}");
    }
}

/// No pair is alike by the meaning of its names: only sizes and brands count here.
fn leave_meaning_aside(bench: &Bench) {
    let ids = || Arc::new(Int64Array::from(Vec::<i64>::new())) as ArrayRef;
    let scores = || Arc::new(Float64Array::from(Vec::<f64>::new())) as ArrayRef;
    bench.table(
        "similar_products",
        vec![
            ("product_a", ids()),
            ("product_b", ids()),
            ("level", texts(std::iter::empty())),
            ("score", scores()),
            ("source", texts(std::iter::empty())),
        ],
    );
}

/// Products as the export gives them, of some brands only; brands are numbered.
fn register_products(bench: &Bench, folder: &Path, brands: &[&str]) {
    leave_meaning_aside(bench);
    let rows = products(folder);
    let numbers: BTreeMap<&str, i64> = brands.iter().copied().zip(1..).collect();
    let wanted = |row: &&Vec<String>| brands.is_empty() || numbers.contains_key(row[2].as_str());
    let rows: Vec<&Vec<String>> = rows.iter().filter(wanted).collect();
    let ids: Int64Array = rows.iter().map(|row| row[0].parse::<i64>().ok()).collect();
    let brand_ids: Int64Array = rows
        .iter()
        .map(|row| numbers.get(row[2].as_str()).copied())
        .collect();
    bench.table(
        "products",
        vec![
            ("id", Arc::new(ids)),
            ("name", texts(rows.iter().map(|row| row[1].as_str()))),
            ("normalized_name", texts(rows.iter().map(|_| ""))),
            ("brand_id", Arc::new(brand_ids)),
            ("size", texts(rows.iter().map(|row| row[3].as_str()))),
        ],
    );
}

/// id, name, brand, size, barcode, category
fn products(folder: &Path) -> Vec<Vec<String>> {
    let file: PathBuf = folder.join("products.csv.gz");
    let file = flate2::read::GzDecoder::new(fs::File::open(file).unwrap());
    records(csv::Reader::from_reader(file))
}

#[tokio::test]
async fn nearly_all_real_sizes_are_understood() {
    let Some(folder) = data::folder("hr") else {
        return;
    };
    let bench = Bench::new("substitutions", 2, &[]);
    register_products(&bench, &folder, &[]);
    bench.define_models().await;
    let sizes = "select
            count(*) as sizes,
            count(parse_size(size, (select units from known_units))) as understood,
            count(*) filter (where regexp_like(size, '[0-9] ?kom(\\.|$)', 'i')) as kom,
            count(*) filter (where regexp_like(size, 'E-[0-9]+ ', 'i')) as exponents
        from products
        where size is not null";
    let counts = bench.rows(sizes).await.unwrap();
    let [sizes, understood, kom, exponents] = &counts[0][..] else {
        panic!("{counts:?}")
    };
    assert_eq!((kom.as_str(), exponents.as_str()), ("20802", "3065"));
    assert_eq!((sizes.as_str(), understood.as_str()), ("78142", "77568"));
    // What is left: zero, metres, sheets, ranges.
    let unknown = "select size, count(*) as products
        from products
        where size is not null and parse_size(size, (select units from known_units)) is null
        group by size
        order by products desc, size
        limit 3";
    let unknown = bench.rows(unknown).await.unwrap();
    assert_eq!(
        unknown,
        [["0.00", "430"], ["0.00 kg", "18"], ["0.00 KOM", "16"]]
    );
}

#[tokio::test]
async fn real_brands_have_the_pairs_that_plain_python_finds_whatever_the_threads() {
    let Some(folder) = data::folder("hr") else {
        return;
    };
    let brands = [
        "PODRAVKA",
        "S-Budget",
        "Nivea",
        "K PLUS",
        "JUICY",
        "GAVRILOVIĆ",
        "METRO PROFESSIONAL",
        "Balea",
    ];
    let expected: BTreeSet<Vec<String>> = golden("substitutions.csv").into_iter().collect();
    for threads in [1, 3] {
        let bench = Bench::new("substitutions", threads, &[]);
        register_products(&bench, &folder, &brands);
        bench.define_models().await;
        let sql = "select product_a, product_b, level from substitutions";
        let found = bench.rows(sql).await.unwrap();
        assert_eq!(found.len(), expected.len());
        let found: BTreeSet<Vec<String>> = found.into_iter().collect();
        let differing: Vec<_> = found.symmetric_difference(&expected).collect();
        assert!(differing.is_empty(), "{differing:?}");
    }
}

#[tokio::test]
async fn each_row_may_have_units_of_its_own() {
    let bench = Bench::new("substitutions", 1, &[]);
    let sql = "select parse_size('2 box', [named_struct(
            'unit', 'box', 'base', 'piece', 'amount', pieces
        )])['amount']
        from (values (6, 1), (6, 2), (10, 3)) as t (pieces, id)
        order by id";
    assert_eq!(bench.rows(sql).await.unwrap(), [["12"], ["12"], ["20"]]);
}

#[tokio::test]
async fn pairs_are_never_crossed() {
    let bench = Bench::new("substitutions", 2, &[]);
    leave_meaning_aside(&bench);
    let empty: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
    let none: ArrayRef = Arc::new(StringArray::from(Vec::<String>::new()));
    bench.table(
        "products",
        vec![
            ("id", Arc::clone(&empty)),
            ("name", Arc::clone(&none)),
            ("normalized_name", Arc::clone(&none)),
            ("brand_id", empty),
            ("size", none),
        ],
    );
    bench.define_models().await;
    let plan = bench
        .rows("explain select * from substitutions")
        .await
        .unwrap();
    let plan = format!("{plan:?}");
    assert!(plan.contains("HashJoinExec"), "{plan}");
    for slow in ["CrossJoin", "NestedLoopJoin"] {
        assert!(!plan.contains(slow), "{plan}");
    }
}
