//! `--file`: a dataset from Parquet files in place of a snapshot's.

use std::{fs::File, path::Path, sync::Arc};

use datafusion::{
    arrow::{
        array::{
            ArrayRef, Decimal128Array, Float64Array, Int32Array, Int64Array, ListArray, StringArray,
        },
        datatypes::Int64Type,
        record_batch::RecordBatch,
    },
    parquet::{
        arrow::ArrowWriter,
        file::properties::{EnabledStatistics, WriterProperties},
    },
};

use crate::support::{
    screen::screen,
    world::{Said, World},
};

/// Writes a Parquet file of these columns; each may be null.
fn write(world: &World, name: &str, columns: Vec<(&str, ArrayRef)>) {
    let path = world.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let columns = columns.into_iter().map(|(name, rows)| (name, rows, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None);
    let writer = writer.as_mut().unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
}

fn bigints<const N: usize>(values: [i64; N]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn cents<const N: usize>(values: [i128; N], precision: u8, scale: i8) -> ArrayRef {
    let array = Decimal128Array::from(values.to_vec());
    Arc::new(array.with_precision_and_scale(precision, scale).unwrap())
}

/// Writes three prices in no order: product 7 is a bargain in store 2.
fn prices(world: &World, name: &str) {
    let columns = vec![
        ("store_id", bigints([3, 2, 5])),
        ("price", cents([400, 200, 199], 9, 2)),
        ("more", bigints([0, 0, 0])),
        ("product_id", Arc::new(Int32Array::from(vec![7, 7, 8]))),
    ];
    write(world, name, columns);
}

fn query(world: &World, file: &str, sql: &str) -> Said {
    world.run(&["query", sql, "--file", file, "--output", "csv"])
}

#[test]
fn a_file_stands_for_a_dataset_without_a_snapshot() {
    let world = World::new();
    prices(&world, "export.parquet");
    let sql = "select product_id, store_id, price, price_record_id from prices \
        order by product_id, store_id";
    let said = query(&world, "prices=export.parquet", sql).ends(0);
    let wanted = "product_id,store_id,price,price_record_id\n7,2,2.00,\n7,3,4.00,\n8,5,1.99,\n";
    assert_eq!(said.out, wanted);
    let said = world.run(&[
        "show",
        "bargains",
        "--file",
        "prices=export.parquet",
        "--output",
        "csv",
    ]);
    let lines = said.ends(0).out;
    assert_eq!(lines.lines().last(), Some("7,2,,,100.0"), "{lines}");
}

#[test]
fn decimals_of_more_places_are_taken_where_they_are_zeros() {
    let world = World::new();
    let sql = "select price from prices where price > 1.99 order by price";
    let unit = 10i128.pow(16);
    let columns = |more: i128| {
        vec![
            ("store_id", bigints([3, 2, 5])),
            ("product_id", bigints([7, 7, 8])),
            (
                "price",
                cents([400 * unit, 200 * unit + more, 199 * unit], 38, 18),
            ),
        ]
    };
    write(&world, "export.parquet", columns(0));
    let said = query(&world, "prices=export.parquet", sql).ends(0);
    assert_eq!(said.out, "price\n2.00\n4.00\n");
    write(&world, "export.parquet", columns(1));
    let said = query(&world, "prices=export.parquet", sql);
    let wanted = "column `price` has values that are no decimal(10,2)";
    assert!(said.err.contains(wanted), "{}", said.err);
}

#[test]
fn a_folder_of_files_is_one_dataset() {
    let world = World::new();
    prices(&world, "export/a.parquet");
    prices(&world, "export/b.parquet");
    world.write("export/readme.txt", "no Parquet");
    let sql = "select count(*) as n from prices";
    let said = query(&world, "prices=export", sql).ends(0);
    assert_eq!(said.out, "n\n6\n");
}

#[test]
fn the_order_of_rows_changes_no_bargain() {
    let world = World::new();
    let synth = |target: &[&str]| {
        let made = world.run(&[&["synth", "--prices", "20000"], target].concat());
        made.ends(0)
    };
    synth(&["--snapshot"]);
    synth(&["--out", "files", "--order", "arrival"]);
    let sql = "select * from bargains order by product_id";
    let sorted = world.run(&["query", sql, "--output", "csv"]).ends(0).out;
    let unsorted = query(&world, "prices=files/prices.parquet", sql).ends(0);
    assert!(sorted.lines().count() > 1, "no bargains");
    assert_eq!(unsorted.out, sorted);
}

#[test]
fn what_the_files_lack_comes_from_the_snapshot() {
    let world = World::new();
    let made = world.run(&["synth", "--prices", "20000", "--snapshot"]);
    made.ends(0);
    prices(&world, "export.parquet");
    let sql = "select count(stores.id) as n from prices \
        inner join stores on prices.store_id = stores.id where product_id = 7";
    let said = query(&world, "prices=export.parquet", sql).ends(0);
    assert_eq!(said.out, "n\n2\n");
}

#[test]
fn a_file_that_breaks_the_contract_is_told_with_the_column() {
    let world = World::new();
    let ids = || bigints([1, 2]);
    let nulls: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![1.5, 2.5]));
    let cases: [(&str, Vec<(&str, ArrayRef)>); 5] = [
        (
            "column `price` is missing",
            vec![("product_id", ids()), ("store_id", ids())],
        ),
        (
            "column `price` must be decimal(10,2), not double",
            vec![
                ("product_id", ids()),
                ("store_id", ids()),
                ("price", doubles),
            ],
        ),
        (
            "column `price` has values that are no decimal(10,2)",
            vec![
                ("product_id", ids()),
                ("store_id", ids()),
                ("price", cents([1, 2], 12, 3)),
            ],
        ),
        (
            "column `store_id` must not be null",
            vec![
                ("product_id", ids()),
                ("store_id", nulls),
                ("price", cents([1, 2], 10, 2)),
            ],
        ),
        (
            "column `price` must not be negative",
            vec![
                ("product_id", ids()),
                ("store_id", ids()),
                ("price", cents([1, -2], 10, 2)),
            ],
        ),
    ];
    for (told, columns) in cases {
        write(&world, "export.parquet", columns);
        query(&world, "prices=export.parquet", "select * from prices")
            .ends(3)
            .tells("export.parquet does not fit dataset prices")
            .tells(told);
    }
}

#[test]
fn a_file_that_is_not_there_and_an_unknown_dataset_are_told() {
    let world = World::new();
    let sql = "select * from prices";
    screen!(query(&world, "prices=none.parquet", sql).ends(1).err, @"error: could not read <world>/none.parquet: No such file or directory (os error 2)");
    screen!(query(&world, "price=none.parquet", sql).ends(2).err, @"
    error: there is no dataset `price`
    help: did you mean `prices`?
    ");
    screen!(query(&world, "prices", sql).ends(2).err, @"
    error: invalid value 'prices' for '--file <DATASET=PATH>': write it like `prices=export.parquet`

    For more information, try '--help'.
    ");
    std::fs::create_dir(world.path("empty")).unwrap();
    screen!(query(&world, "prices=empty", sql).ends(1).err, @"error: could not read <world>/empty: it contains no .parquet file");
}

/// Writes products of these names, two a row group.
fn products(world: &World, names: &[&str], properties: WriterProperties) {
    let count = names.len() as i64;
    let categories = (0..count).map(|id| Some(vec![Some(id)]));
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        (
            "id",
            Arc::new(Int64Array::from_iter_values(0..count)),
            false,
        ),
        ("name", Arc::new(StringArray::from(names.to_vec())), true),
        (
            "category",
            Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(
                categories,
            )),
            true,
        ),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let file = File::create(world.path("p.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn found(world: &World, condition: &str) -> String {
    let sql = format!("select id from products where {condition} order by id");
    let said = query(world, "products=p.parquet", &sql).ends(0);
    said.out.lines().skip(1).collect::<Vec<_>>().join(" ")
}

#[test]
fn rows_are_found_whatever_the_footer_says_of_them() {
    let world = World::new();
    let long = "x".repeat(5000);
    let names = ["apple", "zebra", &long, "m", "n", "\u{10ffff}\u{10ffff}"];
    let properties = || WriterProperties::builder().set_max_row_group_row_count(Some(2));
    let all = [
        properties().set_statistics_enabled(EnabledStatistics::None),
        properties().set_statistics_enabled(EnabledStatistics::Chunk),
        properties()
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_bloom_filter_enabled(true),
        properties()
            .set_statistics_truncate_length(Some(1))
            .set_column_index_truncate_length(Some(1)),
    ];
    for properties in all {
        products(&world, &names, properties.build());
        assert_eq!(found(&world, "name > 'x'"), "1 2 5");
        assert_eq!(found(&world, "name = 'zebra'"), "1");
        assert_eq!(found(&world, "name < 'n'"), "0 3");
        assert_eq!(found(&world, "name is not null and id >= 4"), "4 5");
    }
}

#[test]
fn a_footer_that_is_wrong_hides_no_row() {
    let world = World::new();
    let properties = WriterProperties::builder().set_dictionary_enabled(false);
    products(&world, &["zebra", "zebra"], properties.build());
    let path = world.path("p.parquet");
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len() - 8;
    let footer = u32::from_le_bytes(bytes[end..end + 4].try_into().unwrap()) as usize;
    let mut changed = 0;
    for at in end - footer..end - 5 {
        if bytes[at..].starts_with(b"zebra") {
            bytes[at..at + 5].copy_from_slice(b"apple");
            changed += 1;
        }
    }
    assert!(changed > 1, "the footer has no statistics");
    std::fs::write(path, bytes).unwrap();
    assert_eq!(found(&world, "name = 'zebra'"), "0 1");
    let sql = "select min(name) as low, max(name) as high, count(name) as n from products";
    let said = query(&world, "products=p.parquet", sql).ends(0);
    assert_eq!(said.out, "low,high,n\nzebra,zebra,2\n");
}

#[test]
fn what_other_writers_wrote_is_read() {
    let world = World::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parquet");
    world.write(
        "pipelines/sources.toml",
        "[events]\nkey = [\"id\"]\n[events.columns]\nid = \"bigint not null\"\nat = \"timestamp\"\n\
         price = \"decimal(10,2)\"\nname = \"text\"\n",
    );
    let sql = "select id, at, price, length(name) as n from events where name > 'x' or id > 1 order by id";
    for file in ["pyarrow-int96.parquet", "pyarrow-plain.parquet"] {
        let path = fixtures.join(file);
        let said = query(&world, &format!("events={}", path.display()), sql).ends(0);
        assert_eq!(
            said.out,
            "id,at,price,n\n1,2026-01-02T03:04:05.123456Z,1.50,5000\n2,9999-12-31T23:59:59.999999Z,0.01,1\n3,,,\n",
            "{file}"
        );
    }
}
