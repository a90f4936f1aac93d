use std::io::BufReader;

use proptest::prelude::*;

use super::*;

/// Reads a whole text: the header, the rows with their lines, and the doubts.
fn read(text: &str) -> Result<Vec<(u64, Vec<String>)>, Stop> {
    let (header, mut csv) = Csv::open(BufReader::with_capacity(3, text.as_bytes()))?;
    let mut rows = vec![(0, header)];
    let mut record = StringRecord::new();
    loop {
        match csv.next(&mut record)? {
            Read::Row(line) => rows.push((line, record.iter().map(str::to_owned).collect())),
            Read::Bad(line, reason) => rows.push((line, vec![format!("! {reason}")])),
            Read::End => return Ok(rows),
        }
    }
}

fn rows(text: &str) -> String {
    let rows = read(text).unwrap().into_iter().skip(1);
    let rows = rows.map(|(line, fields)| format!("{line}:{}", fields.join("|")));
    rows.collect::<Vec<_>>().join(" ")
}

fn doubts(text: &str) -> Vec<u64> {
    let (_, mut csv) = Csv::open(text.as_bytes()).unwrap();
    while csv.next(&mut StringRecord::new()).unwrap() != Read::End {}
    csv.doubts().into_iter().map(|(line, _)| line).collect()
}

#[test]
fn a_row_stands_where_it_begins() {
    assert_eq!(rows("id,name\n1,a\n2,b\n3,c"), "2:1|a 3:2|b 4:3|c");
    assert_eq!(rows("id,name\n1,\"a\nb\nc\"\n2,b\n"), "2:1|a\nb\nc 5:2|b");
    assert_eq!(
        rows("id,name\r\n1,\"a\r\nb\"\r\n2,b\r\n"),
        "2:1|a\r\nb 4:2|b"
    );
    assert_eq!(rows("id,name\n1,a\n\n\n2,b\n"), "2:1|a 5:2|b");
    assert_eq!(rows("id,name\r1,a\r2,b\r"), "2:1|a 3:2|b");
}

#[test]
fn quotes_enclose_a_field_as_a_whole() {
    assert_eq!(rows("a,b\n\"1,\"\"2\"\"\",\"\"\n"), "2:1,\"2\"|");
    assert_eq!(rows("a,b\n1,\"\"\"\"\n"), "2:1|\"");
    assert_eq!(
        rows("a,b\n5, \"Kava\"\n6,\"a\"b\n7,\"a\" \n8,x\n"),
        "2:! field 2 has blanks before the opening quote \
         3:! field 2 has text after the closing quote \
         4:! field 2 has text after the closing quote 5:8|x"
    );
}

#[test]
fn a_quote_that_is_never_closed_stops_where_it_opens() {
    let line = |text: &str| read(text).unwrap_err().line;
    let prices = "product_id,store_id,price,sku\n1,1,1.09,\"A\n1,2,2.49,B\n2,1,0.99,C";
    assert_eq!(line(prices), 2);
    assert_eq!(line("a,b\n1,2\n3,\"x\ny,\n"), 3);
    assert_eq!(line("a,b\n1,\"x\ny\"\n3,\"\n"), 4);
    assert_eq!(line("a,b,c\n1,\"x\ny\",\"z"), 3);
    assert_eq!(line("a,\"b\n1,2\n"), 1);
}

#[test]
fn rows_within_a_quoted_field_are_doubted() {
    assert_eq!(doubts("a,b,c\n1,2,\"A\n3,4,B\"\n5,6,7\n"), [2]);
    assert_eq!(doubts("a,b,c\n1,2,\"A\nand, B\"\n"), [0u64; 0]);
    assert_eq!(doubts("text\n\"A\nB\"\n"), [0u64; 0]);
    assert_eq!(doubts("a,b\n1,x\n2,24\" wide\n3,24\" wide\n"), [3]);
}

#[test]
fn byte_order_marks_tabs_and_semicolons_are_taken() {
    for text in [
        "\u{feff}id,name\n1,a\n",
        "id\tname\r\n1\ta\r\n",
        "id;name\n1;a",
    ] {
        let rows = read(text).unwrap();
        assert_eq!(rows[0].1, ["id", "name"], "{text}");
        assert_eq!(rows[1].1, ["1", "a"], "{text}");
    }
    assert_eq!(rows("id\tname\n1\ta,b\n"), "2:1|a,b");
}

#[test]
fn what_is_no_text_and_what_is_no_row_is_said() {
    let (_, mut csv) = Csv::open(&b"a,b\n1,\xff\n2\n3,c\n"[..]).unwrap();
    let mut next = || csv.next(&mut StringRecord::new()).unwrap();
    assert_eq!(next(), Read::Bad(2, "field 2 is not UTF-8".into()));
    assert_eq!(
        next(),
        Read::Bad(3, "has 1 fields, the header has 2".into())
    );
    assert_eq!(next(), Read::Row(4));
    for nothing in ["", "\n\r\n", "\u{feff}"] {
        assert!(
            read(nothing).unwrap_err().reason.contains("empty"),
            "{nothing:?}"
        );
    }
}

proptest! {
    #[test]
    fn what_a_writer_wrote_reads_back(
        table in proptest::collection::vec(
            proptest::collection::vec("[a-c,;\t\"\r\n ž]{0,6}", 3), 0..6),
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["a", "b", "c"]).unwrap();
        for row in &table {
            writer.write_record(row).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let rows = read(&text).unwrap();
        let rows: Vec<_> = rows.into_iter().skip(1).map(|(_, row)| row).collect();
        // A writer quotes what begins or ends with a blank only where it must.
        prop_assert_eq!(rows, table);
    }
}
