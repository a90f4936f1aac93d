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
        "row 1, field `price`: must be a decimal(10,2), not 1.005: it has too many digits after the point"
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

/// What a row holds, and one of the ways to spell it.
#[derive(Debug, Clone)]
struct Spelled {
    shown: String,
    fields: Vec<String>,
}

fn quoted_date(days: i32) -> String {
    let date = chrono::NaiveDate::default() + chrono::TimeDelta::days(days.into());
    format!("\"{date}\"")
}

/// Spells text by escapes alone.
fn escaped(text: &str) -> String {
    let units: String = text
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect();
    format!("\"{units}\"")
}

fn spelled() -> impl Strategy<Value = Spelled> {
    let field = |name: &'static str, value: String| format!("\"{name}\" :{value}");
    let cents = (0u64..10_000_000_000).prop_map(|cents| (cents / 100, cents % 100));
    let sku = proptest::option::of("[a-zčž\"\\\\\n\u{1f600}]{0,20}");
    let days = proptest::option::of(-700_000i32..2_900_000);
    let more = proptest::option::of(prop_oneof![
        Just("[{\"x\":[1.5e-3,null,\"\\ud800\"]},[]]"),
        Just("-0.0"),
        Just("{}"),
        Just("\"\\\"\"")
    ]);
    let spelling = (any::<bool>(), any::<bool>(), 0usize..5);
    (any::<i64>(), cents, sku, days, more, spelling).prop_map(
        move |(id, (whole, rest), sku, days, more, (number, escapes, turn))| {
            let price = format!("{whole}.{rest:02}");
            let json = |text: &str| serde_json::Value::from(text).to_string();
            let shown_sku = sku.as_deref().map_or("null".to_owned(), json);
            let date = days.map_or("null".to_owned(), quoted_date);
            let shown = format!(
                "{{\"product_id\":{id},\"price\":\"{price}\",\"sku\":{shown_sku},\"scraped_date\":{date}}}"
            );
            let spelled_price = match number {
                true => price.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => json(&price),
            };
            let mut fields = vec![
                field("product_id", id.to_string()),
                field("price", spelled_price),
                field("scraped_date", format!(" {date} ")),
            ];
            if let Some(sku) = sku {
                let spelled = if escapes { escaped(&sku) } else { json(&sku) };
                fields.push(field("sku", spelled));
            }
            fields.extend(more.map(|value| field("more", value.to_owned())));
            let turn = turn % fields.len();
            fields.rotate_left(turn);
            Spelled { shown, fields }
        },
    )
}

fn text_of(rows: &[Spelled]) -> String {
    let rows = rows
        .iter()
        .map(|row| format!("{{{}}}", row.fields.join(" ,\n")));
    format!(" [{}]\t", rows.collect::<Vec<_>>().join(", "))
}

/// What a way of reading brought: the rows, and the unknown fields.
type Brought = Option<(RecordBatch, std::collections::BTreeMap<String, u64>)>;

fn by_hand(contract: &Contract, text: &str) -> Brought {
    let mut decoder = Decoder::new(contract);
    let mut cursor = Cursor::new(text);
    decoder.take_array(&mut cursor)?;
    cursor.end()?;
    Some((decoder.take().unwrap(), decoder.unknown()))
}

fn by_the_parser(contract: &Contract, text: &str) -> Brought {
    let mut decoder = Decoder::new(contract);
    decoder.parse_array(text).ok()?;
    Some((decoder.take().unwrap(), decoder.unknown()))
}

/// A contract of every type.
fn all_types() -> Contract {
    contract(&[
        ("product_id", "bigint not null"),
        ("price", "decimal(10,2) not null"),
        ("sku", "text"),
        ("scraped_date", "date"),
        ("double", "double"),
        ("flag", "boolean"),
        ("at", "timestamp"),
        ("ids", "bigint[]"),
        ("inner", "struct(id bigint not null, tags text[])"),
    ])
}

/// A row with a value of every type, some of them wrong.
fn odd_row() -> impl Strategy<Value = String> {
    let number = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{0,3})?(e[0-9])?|007|-|NaN";
    let date = "\"[0-9]{4}-[01][0-9]-[0-3][0-9]\"|\"2026-11-2 \"|null";
    let instant = "\"2026-11-2[0-9]T[0-2][0-9]:00:00(Z|\\+02:00)\"|\"now\"|null";
    let ids = "\\[([0-9]{1,3}(,[0-9]{1,3}){0,3})?\\]|\\[null\\]|null|7";
    let inner = "\\{\"id\":[0-9](,\"tags\":(null|\\[\"a\"\\]))?\\}|\\{\\}|null";
    let flag = "true|false|null|\"true\"";
    (number, number, "\"[a-z\\x00-\\x20]{0,9}\"", date, flag, instant, ids, inner).prop_map(
        |(id, price, sku, date, flag, at, ids, inner)| {
            format!(
                "{{\"product_id\":{id},\"price\":{price},\"double\":{price},\"sku\":{sku},\
                 \"scraped_date\":{date},\"flag\":{flag},\"at\":{at},\"ids\":{ids},\"inner\":{inner}}}"
            )
        },
    )
}

proptest! {
    #[test]
    fn a_row_means_the_same_however_it_is_spelled(rows in proptest::collection::vec(spelled(), 0..6)) {
        let text = text_of(&rows);
        let shown: Vec<_> = rows.iter().map(|row| row.shown.as_str()).collect();
        let (batch, _) = by_hand(&prices(), &text).expect("the usual form");
        let mut again = Vec::new();
        encode_rows(&batch, "\n", &mut again).unwrap();
        prop_assert_eq!(String::from_utf8(again).unwrap(), shown.join("\n"));
        prop_assert_eq!(by_the_parser(&prices(), &text), by_hand(&prices(), &text));
    }

    #[test]
    fn what_is_read_by_hand_the_parser_reads_the_same(
        rows in proptest::collection::vec(spelled(), 1..4),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), "[\\[\\]{}\",:0-9a-f.eE+\\\\ \n\u{1}-]{0,2}"), 1..4),
    ) {
        let mut text: Vec<char> = text_of(&rows).chars().collect();
        for (at, other) in changes {
            let at = at.index(text.len());
            text.splice(at..=at, other.chars());
        }
        let text: String = text.into_iter().collect();
        if let Some(brought) = by_hand(&prices(), &text) {
            prop_assert_eq!(by_the_parser(&prices(), &text), Some(brought), "{}", text);
        }
    }

    #[test]
    fn a_value_of_any_type_is_read_by_hand_as_by_the_parser(row in odd_row()) {
        let text = format!("[{row}]");
        let by_hand = by_hand(&all_types(), &text);
        if by_hand.is_some() {
            prop_assert_eq!(by_the_parser(&all_types(), &text), by_hand, "{}", text);
        }
    }

    #[test]
    fn a_row_that_is_refused_leaves_the_rows_before_it_alone(
        rows in proptest::collection::vec(spelled(), 0..4),
        odd in odd_row(),
    ) {
        let mut decoder = Decoder::new(&all_types());
        for row in &rows {
            decoder.row(&format!("{{{}}}", row.fields.join(","))).unwrap();
        }
        // By hand it may come to nothing after several fields, then the parser reads it.
        let is_row = decoder.row(&odd).is_ok();
        if is_row {
            let batch = decoder.take().unwrap();
            prop_assert_eq!(batch.num_rows(), rows.len() + 1);
            let text = text_of(&rows);
            let (before, _) = by_the_parser(&all_types(), &text).expect("rows");
            prop_assert_eq!(batch.slice(0, rows.len()), before);
        }
    }
}

#[test]
fn a_fault_late_in_a_row_of_lists_leaves_nothing_of_it() {
    let mut decoder = Decoder::new(&all_types());
    let row = |id: &str| {
        format!(
            "{{\"ids\":[1,2],\"inner\":{{\"id\":1,\"tags\":[\"a\"]}},\"price\":1,\"product_id\":{id}}}"
        )
    };
    decoder.row(&row("1")).unwrap();
    // A name with an escape is not read by hand, though it is one.
    decoder
        .row(&row("2").replace("product_id", "product\\u005fid"))
        .unwrap();
    decoder.row(&row("3")).unwrap();
    let batch = decoder.take().unwrap();
    let same = batch.column(7).slice(1, 2);
    assert_eq!(&same, &batch.column(7).slice(0, 2));
    assert_eq!(batch.num_rows(), 3);
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
