use datafusion::arrow::{
    array::{ArrayRef, AsArray, Float64Array},
    compute::concat_batches,
    datatypes::{Decimal128Type, Int64Type},
    record_batch::RecordBatch,
};
use proptest::prelude::*;

use super::*;
use crate::dataset::{Column, Contract};

fn contract(columns: &[(&str, &str)]) -> Contract {
    let columns = columns
        .iter()
        .map(|(name, declared)| Column::parse(name, declared).unwrap());
    Contract {
        columns: columns.collect(),
    }
}

fn prices() -> Contract {
    contract(&[
        ("product_id", "bigint not null"),
        ("price", "decimal(10,2) not null"),
        ("sku", "text"),
        ("scraped_date", "date"),
    ])
}

fn read(contract: &Contract, text: &str) -> Result<RecordBatch> {
    let mut decoder = Decoder::for_export(contract);
    decoder.array(text)?;
    decoder.take()
}

fn refusal(text: &str) -> String {
    read(&prices(), text).unwrap_err().to_string()
}

fn written(batch: &RecordBatch, layout: Layout) -> String {
    let mut writer = Writer::new(Vec::new(), layout).unwrap();
    writer.write(batch).unwrap();
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

fn streamed(text: &[u8], layout: Layout, contract: &Contract) -> Result<Vec<RecordBatch>> {
    let mut batches = Vec::new();
    decode(text, layout, contract, 2, |batch| {
        batches.push(batch);
        Ok(())
    })?;
    Ok(batches)
}

#[test]
fn a_decimal_is_a_number_or_a_string_and_what_may_be_absent_is_null() {
    let text = r#"[{"product_id":1,"price":"2.50","sku":null},
                   {"price":2.5,"scraped_date":"2026-11-22","product_id":2,"sku":"a\"b\u017e"}]"#;
    let batch = read(&prices(), text).unwrap();
    let price = batch.column(1).as_primitive::<Decimal128Type>();
    assert_eq!((price.value(0), price.value(1)), (250, 250));
    assert_eq!(batch.column(2).as_string::<i32>().value(1), "a\"bž");
    assert_eq!(
        (batch.column(2).null_count(), batch.column(3).null_count()),
        (1, 1)
    );
}

#[test]
fn an_ill_typed_field_is_named_with_its_row_and_its_value() {
    assert_eq!(
        refusal(r#"[{"product_id":1,"price":"1"},{"product_id":"7","price":"1"}]"#),
        "row 2, field `product_id`: must be an integer, not \"7\""
    );
    assert_eq!(
        refusal(r#"[{"product_id":1,"price":1.005}]"#),
        "row 1, field `price`: must be a decimal(10,2), not 1.005: it has more digits after the point"
    );
    assert_eq!(
        refusal(r#"[{"product_id":1}]"#),
        "row 1, field `price`: is missing"
    );
    assert_eq!(
        refusal(r#"[{"product_id":null,"price":1}]"#),
        "row 1, field `product_id`: must not be null"
    );
    assert_eq!(refusal("[7]"), "row 1: must be an object, not 7");
}

#[test]
fn values_of_no_type_are_refused() {
    for fields in [
        r#""product_id":1.0,"price":1"#,
        r#""product_id":1e3,"price":1"#,
        r#""product_id":9223372036854775808,"price":1"#,
        r#""product_id":true,"price":1"#,
        r#""product_id":1,"price":1e2"#,
        r#""product_id":1,"price":"NaN""#,
        r#""product_id":1,"price":"-0.01""#,
        r#""product_id":1,"price":"""#,
        r#""product_id":1,"price":1,"sku":5"#,
        r#""product_id":1,"price":1,"sku":"\ud800""#,
        r#""product_id":1,"price":1,"sku":"a\u0000""#,
        r#""product_id":1,"price":1,"scraped_date":"2026-2-30""#,
        r#""product_id":1,"price":1,"scraped_date":"2026-02-30""#,
        r#""product_id":1,"price":1,"product_id":1"#,
        r#""product_id":1,"price":1,"new":1,"new":2"#,
    ] {
        let error = read(&prices(), &format!("[{{{fields}}}]")).unwrap_err();
        assert!(matches!(error, Error::Row(_)), "{fields}: {error:?}");
    }
}

#[test]
fn a_price_below_zero_is_ill_typed_in_an_export_alone() {
    let text = r#"[{"product_id":1,"price":"-1.00"}]"#;
    assert!(read(&prices(), text).is_err());
    let mut decoder = Decoder::new(&prices());
    decoder.array(text).unwrap();
    assert_eq!(decoder.rows(), 1);
}

#[test]
fn what_is_not_json_has_a_place() {
    for text in [
        "[{\"product_id\":1,",
        "[]]",
        "\u{feff}[]",
        "[{\"a\":NaN}]",
        "<html>",
        "",
    ] {
        let error = read(&prices(), text).unwrap_err();
        assert!(
            matches!(error, Error::Syntax { line: 1, .. }),
            "{text}: {error:?}"
        );
    }
    assert!(read(&prices(), "[{").unwrap_err().is_cut_short());
    assert!(!read(&prices(), "[}").unwrap_err().is_cut_short());
}

#[test]
fn unknown_fields_are_counted_and_left_out() {
    let mut decoder = Decoder::new(&prices());
    decoder
        .array(
            r#"[{"product_id":1,"price":1,"was":[{"x":1}]},{"product_id":2,"price":1,"was":null}]"#,
        )
        .unwrap();
    assert_eq!(decoder.unknown().get("was"), Some(&2));
    assert_eq!(decoder.take().unwrap().num_columns(), 4);
}

#[test]
fn lists_and_records_nest_and_name_their_place() {
    let nested = contract(&[(
        "groups",
        "struct(id bigint not null, tags text[])[] not null",
    )]);
    let text = r#"[{"groups":[{"id":1,"tags":["a","b"]},{"id":2,"tags":null}]},{"groups":[]}]"#;
    let batch = read(&nested, text).unwrap();
    assert_eq!(
        written(&batch, Layout::Lines),
        "{\"groups\":[{\"id\":1,\"tags\":[\"a\",\"b\"]},{\"id\":2,\"tags\":null}]}\n{\"groups\":[]}\n"
    );
    let wrong = read(&nested, r#"[{"groups":[{"id":1},{"id":"2"}]}]"#).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "row 1, field `groups[1].id`: must be an integer, not \"2\""
    );
}

#[test]
fn an_array_is_written_one_object_a_line() {
    let text = r#"[{"product_id":1,"price":"2.5"},{"product_id":-2,"price":"0.05","sku":"\n","scraped_date":"0001-01-01"}]"#;
    let batch = read(&prices(), text).unwrap();
    assert_eq!(
        written(&batch, Layout::Array),
        "[\n{\"product_id\":1,\"price\":\"2.50\",\"sku\":null,\"scraped_date\":null},\n\
         {\"product_id\":-2,\"price\":\"0.05\",\"sku\":\"\\n\",\"scraped_date\":\"0001-01-01\"}\n]\n"
    );
    assert_eq!(written(&batch.slice(0, 0), Layout::Array), "[\n]\n");
    assert_eq!(written(&batch.slice(0, 0), Layout::Lines), "");
}

#[test]
fn a_double_keeps_its_point_and_nan_is_refused() {
    let column: ArrayRef = std::sync::Arc::new(Float64Array::from(vec![1.0, 0.1, 1e300]));
    let batch = RecordBatch::try_from_iter([("x", column)]).unwrap();
    let mut text = Vec::new();
    encode_rows(&batch, " ", &mut text).unwrap();
    assert!(
        String::from_utf8(text)
            .unwrap()
            .starts_with(r#"{"x":1.0} {"x":0.1} "#)
    );
    let column: ArrayRef = std::sync::Arc::new(Float64Array::from(vec![f64::NAN]));
    let batch = RecordBatch::try_from_iter([("x", column)]).unwrap();
    let error = encode_rows(&batch, " ", &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "column `x`: NaN cannot be written");
}

#[test]
fn a_file_ends_with_its_list() {
    let whole = br#" [ {"product_id":1,"price":1} , {"product_id":2,"price":1},{"product_id":3,"price":1} ] "#;
    let batches = streamed(whole, Layout::Array, &prices()).unwrap();
    let rows: Vec<_> = batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(rows, [2, 1]);
    for end in [1, 5, 20, whole.len() - 2] {
        let error = streamed(&whole[..end], Layout::Array, &prices()).unwrap_err();
        assert!(error.is_cut_short(), "{end}: {error:?}");
    }
    for junk in ["x", "]", "[]", ","] {
        let text = format!("{}{junk}", std::str::from_utf8(whole).unwrap());
        assert!(streamed(text.as_bytes(), Layout::Array, &prices()).is_err());
    }
    assert!(
        streamed(
            b"[{\"product_id\":1,\"price\":1},]",
            Layout::Array,
            &prices()
        )
        .is_err()
    );
    assert!(streamed(b"[1}", Layout::Array, &prices()).is_err());
    assert!(
        streamed(b"[]", Layout::Array, &prices())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_row_of_a_file_is_counted_from_its_start() {
    let lines = b"{\"product_id\":1,\"price\":1}\n\n{\"product_id\":2,\"price\":1}\n{\"product_id\":3,\"price\":-}\n";
    let error = streamed(lines, Layout::Lines, &prices()).unwrap_err();
    assert!(matches!(error, Error::Syntax { line: 4, .. }), "{error:?}");
    let lines = b"{\"product_id\":1,\"price\":1}\n{\"product_id\":2}";
    let error = streamed(lines, Layout::Lines, &prices()).unwrap_err();
    assert_eq!(error.to_string(), "row 2, field `price`: is missing");
    let error = streamed(b"{\"product_id\":\xff}", Layout::Lines, &prices()).unwrap_err();
    assert!(matches!(error, Error::Layout { line: 1, .. }));
}

/// A reader that hands out a few bytes at a time.
struct Drip<'a>(&'a [u8], usize);

impl io::Read for Drip<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(self.0.len()).min(into.len());
        into[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn any_row() -> impl Strategy<Value = String> {
    let price =
        (0u64..10_000_000_000).prop_map(|cents| format!("{}.{:02}", cents / 100, cents % 100));
    let sku = proptest::option::of(any::<String>().prop_map(|text| text.replace('\0', "")));
    let ids = proptest::collection::vec(any::<i64>(), 0..4);
    (any::<i64>(), price, sku, any::<f64>(), ids).prop_map(|(id, price, sku, double, ids)| {
        let double = if double.is_finite() { double } else { 0.0 };
        serde_json::json!({"id": id, "price": price, "sku": sku, "double": double, "ids": ids})
            .to_string()
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(rows in proptest::collection::vec(any_row(), 0..12), step in 1usize..9) {
        let columns = [
            ("id", "bigint not null"), ("price", "decimal(10,2) not null"), ("sku", "text"),
            ("double", "double not null"), ("ids", "bigint[] not null"),
        ];
        let contract = contract(&columns);
        let batch = read(&contract, &format!("[{}]", rows.join(","))).unwrap();
        for layout in [Layout::Array, Layout::Lines] {
            let text = written(&batch, layout);
            let mut again = Vec::new();
            decode(Drip(text.as_bytes(), step), layout, &contract, 3, |batch| {
                again.push(batch);
                Ok(())
            }).unwrap();
            let again = concat_batches(&contract.arrow(), &again).unwrap();
            prop_assert_eq!(&again, &batch);
            prop_assert_eq!(written(&again, layout), text);
        }
    }

    #[test]
    fn no_text_makes_the_decoder_panic(text in "[\\[\\]{}\",:0-9a-z\\\\ \n-]{0,60}", step in 1usize..5) {
        let _ = read(&prices(), &text);
        for layout in [Layout::Array, Layout::Lines] {
            let _ = decode(Drip(text.as_bytes(), step), layout, &prices(), 2, |_| Ok(()));
        }
    }
}

#[test]
fn ids_read_as_they_are() {
    let batch = read(
        &prices(),
        r#"[{"product_id":-9223372036854775808,"price":0}]"#,
    )
    .unwrap();
    assert_eq!(
        batch.column(0).as_primitive::<Int64Type>().value(0),
        i64::MIN
    );
}
