//! Money stays exact, whichever way a file or a query spells it.

use std::{fs::File, sync::Arc};

use datafusion::{
    arrow::{
        array::{ArrayRef, Decimal32Array, Decimal64Array, Decimal128Array, Int64Array},
        record_batch::RecordBatch,
    },
    parquet::arrow::ArrowWriter,
};

use crate::support::world::World;

/// Two prices of product 7: 1.51 in store 3, and 1.00 in store 2.
fn write(world: &World, price: ArrayRef) {
    let ids = |values: [i64; 2]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
    let columns = [
        ("product_id", ids([7, 7])),
        ("store_id", ids([3, 2])),
        ("price", price),
        ("price_record_id", ids([30, 20])),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = File::create(world.path("export.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn answer(world: &World, sql: &str) -> String {
    let given = ["--file", "prices=export.parquet", "--output", "csv"];
    let said = world.run(&[&["query", sql], &given[..]].concat()).ends(0);
    said.out
}

/// The price column in every width that Arrow has for it.
fn widths() -> [(&'static str, ArrayRef); 3] {
    let narrow = Decimal32Array::from(vec![151, 100]).with_precision_and_scale(9, 2);
    let middle = Decimal64Array::from(vec![151, 100]).with_precision_and_scale(10, 2);
    let wide = Decimal128Array::from(vec![151, 100]).with_precision_and_scale(10, 2);
    [
        ("32 bits", Arc::new(narrow.unwrap())),
        ("64 bits", Arc::new(middle.unwrap())),
        ("128 bits", Arc::new(wide.unwrap())),
    ]
}

#[test]
fn an_integer_times_a_price_keeps_the_cents() {
    let world = World::new();
    for (width, price) in widths() {
        write(&world, price);
        let sql = "select price * 3 as trebled, price * store_id as by_store from prices \
            order by store_id";
        let wanted = "trebled,by_store\n3.00,2.00\n4.53,4.53\n";
        assert_eq!(answer(&world, sql), wanted, "{width}");
    }
}

#[test]
fn every_width_makes_the_same_bargain() {
    let world = World::new();
    for (width, price) in widths() {
        write(&world, price);
        let wanted = "product_id,store_id,cheapest_price_record_id,\
            most_expensive_price_record_id,percentage_difference\n7,2,20,30,51.0\n";
        assert_eq!(answer(&world, "select * from bargains"), wanted, "{width}");
    }
}

#[test]
fn a_literal_with_a_fraction_is_a_decimal() {
    let world = World::new();
    for (width, price) in widths() {
        write(&world, price);
        let sql = "select arrow_typeof(1.5) as literal, 1.51 = price as is_equal, \
            0.1 + 0.2 = 0.3 as adds_up from prices where store_id = 3";
        let wanted = "literal,is_equal,adds_up\n\"Decimal128(2, 1)\",true,true\n";
        assert_eq!(answer(&world, sql), wanted, "{width}");
    }
}
