//! The columnar form: streams of Arrow.

use super::*;

fn arrow(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
    batches
        .iter()
        .for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

fn columns(products: Vec<i64>, prices: Vec<i128>) -> Vec<(&'static str, ArrayRef)> {
    let stores = vec![1i64; products.len()];
    let prices = Decimal128Array::from(prices)
        .with_precision_and_scale(10, 2)
        .unwrap();
    vec![
        ("product_id", Arc::new(Int64Array::from(products))),
        ("store_id", Arc::new(Int64Array::from(stores))),
        ("price", Arc::new(prices)),
    ]
}

fn table(columns: Vec<(&'static str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn stream(count: &str, body: &[u8]) -> Vec<u8> {
    let headers =
        format!("content-type: application/vnd.apache.arrow.stream\r\nx-total-count: {count}\r\n");
    answer("200 OK", &headers, body)
}

#[tokio::test]
async fn a_stream_brings_the_rows_that_pages_bring() {
    let first = table(columns(vec![1, 2], vec![250, 250]));
    let body = arrow(&[
        first.clone(),
        first.slice(0, 0),
        table(columns(vec![3], vec![250])),
    ]);
    let service = Service::new(move |_, _| stream("3", &body)).await;
    let brought = brought(&service).await;
    assert_eq!(brought.rows, read_back(&some(3)));
    assert_eq!(
        (brought.stats.form.as_str(), brought.stats.requests),
        ("stream", 1)
    );
}

#[tokio::test]
async fn text_in_a_stream_may_have_any_form_and_unknown_columns_are_counted() {
    let sku: DictionaryArray<Int32Type> = ["a", "b"].into_iter().collect();
    let mut with_sku = columns(vec![1, 2], vec![250, 250]);
    with_sku.push(("sku", Arc::new(sku)));
    with_sku.push(("was", Arc::new(StringViewArray::from(vec!["x", "y"]))));
    let body = arrow(&[table(with_sku)]);
    let service = Service::new(move |_, _| stream("2", &body)).await;
    let brought = brought(&service).await;
    assert!(brought.rows.contains("\"sku\":\"b\""));
    assert_eq!(brought.stats.unknown_fields.get("was"), Some(&2));
}

#[tokio::test]
async fn a_stream_that_breaks_the_contract_names_its_column_and_row() {
    let mut other_type = columns(vec![1], vec![250]);
    other_type[0].1 = Arc::new(StringViewArray::from(vec!["1"]));
    let mut missing = columns(vec![1], vec![250]);
    missing.remove(1);
    let negative = columns(vec![1, 2, 3], vec![250, 1, -1]);
    for (bad, says) in [
        (
            other_type,
            "column `product_id` must be bigint, not Utf8View",
        ),
        (missing, "column `store_id` is missing"),
        (
            negative,
            "row 3, field `price`: must not be negative, but is -0.01",
        ),
    ] {
        let body = arrow(&[table(bad)]);
        let service = Service::new(move |_, _| stream("3", &body)).await;
        let error = refused(&service).await;
        assert_eq!(error.kind(), Kind::Data);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_stream_without_its_end_is_fetched_again() {
    let whole = arrow(&[table(columns(vec![1, 2, 3], vec![250; 3]))]);
    for cut in [8, 20, whole.len() - 1] {
        let body = whole.clone();
        let service = Service::new(move |request, _| match request {
            0 => stream("3", &body[..body.len() - cut]),
            _ => stream("3", &body),
        })
        .await;
        let brought = brought(&service).await;
        assert_eq!(brought.rows, read_back(&some(3)), "{cut}");
        assert_eq!((brought.again.len(), brought.stats.restarts), (1, 1));
    }
    let service = Service::new(move |_, _| stream("3", &whole[..whole.len() - 8])).await;
    assert_eq!(refused(&service).await.kind(), Kind::Unavailable);
}

#[tokio::test]
async fn a_stream_of_another_count_is_fetched_again_and_then_given_up() {
    let body = arrow(&[table(columns(vec![1], vec![250]))]);
    let service = Service::new(move |_, _| stream("2", &body)).await;
    let error = refused(&service).await;
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(
        error
            .to_string()
            .contains("received 1 rows, but the count is 2")
    );
    assert_eq!(service.asked().len(), 3);
}

#[tokio::test]
async fn bytes_that_are_no_stream_are_refused() {
    let service = Service::new(|_, _| stream("1", &[0x7f; 4000])).await;
    let config = FetchConfig {
        max_page_bytes: 1000,
        ..quick()
    };
    let error = bring(&client(&service, &config), Vec::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Data, "{error}");
}
