//! Files as editors and spreadsheets save them: with a byte-order mark, with CR LF, with
//! tabs, with capitals in extensions and headers.

use std::{fs::File, sync::Arc};

use datafusion::{
    arrow::{
        array::{ArrayRef, Decimal128Array, Int64Array},
        record_batch::RecordBatch,
    },
    parquet::arrow::ArrowWriter,
};

use crate::support::world::World;

/// What an editor makes of a file: its name and its text.
type Saved = (&'static str, fn(&str, &str) -> (String, String));

const SAVED: &[Saved] = &[
    ("a byte-order mark", |name, text| {
        (name.to_owned(), format!("\u{feff}{text}"))
    }),
    ("CR LF", |name, text| {
        (name.to_owned(), text.replace('\n', "\r\n"))
    }),
    ("both", |name, text| {
        (
            name.to_owned(),
            format!("\u{feff}{}", text.replace('\n', "\r\n")),
        )
    }),
    ("capitals in the extension", |name, text| {
        let (stem, end) = name.rsplit_once('.').unwrap();
        (format!("{stem}.{}", end.to_uppercase()), text.to_owned())
    }),
    ("tabs", |name, text| {
        let text = match name.rsplit_once('.') {
            Some((_, "csv")) => text.replace(',', "\t"),
            _ => text.replace("    ", "\t").replace(" = ", "\t=\t"),
        };
        (name.to_owned(), text)
    }),
    ("a blank line at the end", |name, text| {
        (name.to_owned(), format!("{text}\n"))
    }),
];

const SOURCES: &str = "[prices]\nkey = [\"product_id\", \"store_id\"]\n[prices.columns]\n\
    product_id = \"bigint not null\"\nstore_id = \"bigint not null\"\n\
    price = \"decimal(10,2) not null\"\n";

/// A project with a file of each kind.
const PROJECT: &[(&str, &str)] = &[
    (
        "pricemill.toml",
        "data = \"here\"\n\n[engine]\nthreads = 1\n",
    ),
    ("pipelines/sources.toml", SOURCES),
    (
        "pipelines/page.toml",
        "description = \"A page.\"\noutput = \"page\"\nfile = \"page.html\"\n\n\
         [contract]\nhtml = \"text not null\"\n",
    ),
    (
        "sql/page/page.sql",
        "-- page: one row.\nselect\n    title,\n    (select text from style) as style\nfrom words\n",
    ),
    (
        "sql/page/page.html",
        "<h1>{{ title }}</h1>\n<style>{{ style | safe }}</style>\n",
    ),
    ("sql/page/words.csv", "title\nMilk\n"),
    ("sql/page/style.css", "h1 {\n    color: red;\n}\n"),
    ("sql/page/notes.md", "# Notes\n"),
    (
        "pipelines/low.toml",
        "description = \"Low prices.\"\noutput = \"low\"\nfile = \"low.json\"\n\
         grain = [\"product_id\"]\n\n[params.most]\ntype = \"decimal(10,2)\"\ndefault = \"2\"\n\
         doc = \"The most.\"\n\n[contract]\nproduct_id = \"bigint not null\"\n\
         label = \"text\"\n\n[[update]]\ntable = \"low\"\nmode = \"replace\"\n",
    ),
    (
        "sql/low/low.sql",
        "-- low: one row per product_id: those of a low price.\nselect\n    known_prices.product_id,\n\
         \x20   min(labels.label) as label\nfrom known_prices\nleft join labels\n    on \
         labels.product_id = known_prices.product_id\nwhere known_prices.price <= $most\n\
         group by known_prices.product_id\n",
    ),
    (
        "sql/low/labels.csv",
        "product_id,label\n1,\"cheap, very\"\n",
    ),
    (
        "sql/low/checks/too_dear.sql",
        "-- too_dear: products without a label.\nselect product_id\nfrom low\nwhere product_id < 0\n",
    ),
    (
        "sql/low/update/low.sql",
        "select\n    product_id,\n    label\nfrom artifact\n",
    ),
    (
        "sql/staging/known_prices.sql",
        "-- known_prices: one row per product_id, store_id: those above zero.\nselect\n    \
         product_id,\n    store_id,\n    price\nfrom prices\nwhere price > 0\n",
    ),
    (
        "tests/sql/low/low.slt",
        "# Low prices.\nstatement ok\ncreate table prices as select * from (values\n    \
         (1, 11, 1.00),\n    (2, 11, 9.00)\n) as t (product_id, store_id, price)\n\n\
         query I\nselect product_id from low\n----\n1\n",
    ),
];

/// Returns a world with the project, each of whose files is saved in this way.
fn project(saved: fn(&str, &str) -> (String, String)) -> World {
    let world = World::new();
    for (name, text) in PROJECT {
        let (name, text) = saved(name, text);
        world.write(&name, &text);
    }
    world
}

fn as_it_is(name: &str, text: &str) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

#[test]
fn every_file_of_a_project_is_taken_as_it_is_saved() {
    for (way, saved) in SAVED {
        let world = project(*saved);
        let check = world.run(&["check"]);
        assert_eq!(check.code, 0, "{way}:\n{}", check.err);
        assert!(!check.err.contains("warning"), "{way}:\n{}", check.err);
        let test = world.run(&["test"]);
        assert_eq!(test.code, 0, "{way}:\n{}", test.err);
        assert!(test.err.contains("passed 1,"), "{way}:\n{}", test.err);
        world.run(&["status"]).ends(0);
        assert!(
            world.path("here").exists(),
            "{way}: the settings are not read"
        );
    }
}

#[test]
fn a_place_is_right_whatever_ends_a_line() {
    let world = project(as_it_is);
    let wrong = "\u{feff}-- page: one row.\r\nselect\r\n\ttitel\r\nfrom words\r\n";
    world.write("sql/page/page.sql", wrong);
    let said = world.run(&["check"]).ends(2);
    said.tells("sql/page/page.sql:3:2");
    world.write(
        "sql/page/page.sql",
        "-- page: one row.\nselect title, 'x' as style from words\n",
    );
    world.write(
        "tests/sql/low/low.slt",
        "\u{feff}query I\r\nselect\r\n  produkt_id\r\nfrom low\r\n----\r\n",
    );
    world
        .run(&["test", "low"])
        .ends(1)
        .tells("tests/sql/low/low.slt:3:3");
}

#[test]
fn rewriting_a_test_keeps_the_ends_of_its_lines() {
    let world = project(as_it_is);
    let path = "tests/sql/low/low.slt";
    let text = std::fs::read_to_string(world.path(path)).unwrap();
    world.write(
        path,
        &text.replace("----\n1\n", "----\n7\n").replace('\n', "\r\n"),
    );
    world.run(&["test", "low", "--accept"]).ends(0);
    let text = std::fs::read_to_string(world.path(path)).unwrap();
    assert!(text.ends_with("----\r\n1\r\n"), "{text:?}");
    assert!(!text.replace("\r\n", "").contains('\n'));
}

/// Rows of a shop in each form that is loaded.
const LOADED: &[(&str, &str)] = &[
    ("stores.csv", "id,company,name\n1,Alder,Alder 1\n"),
    ("products.csv", "id,name\n1,Milk\n"),
    ("prices.csv", "product_id,store_id,price\n1,1,1.50\n"),
];

#[test]
fn every_file_that_is_loaded_is_taken_as_it_is_saved() {
    let more: &[Saved] = &[
        ("semicolons", |name, text| {
            (name.to_owned(), text.replace(',', ";"))
        }),
        ("capitals in the header", |name, text| {
            let (header, rows) = text.split_once('\n').unwrap();
            (
                name.to_owned(),
                format!("{}\n{rows}", header.to_uppercase()),
            )
        }),
        ("capitals in the name", |name, text| {
            (name.to_uppercase(), text.to_owned())
        }),
        ("JSON Lines", as_json_lines),
        ("JSON Lines with a mark and CR LF", |name, text| {
            let (name, text) = as_json_lines(name, text);
            (
                name.to_uppercase(),
                format!("\u{feff}{}", text.replace('\n', "\r\n")),
            )
        }),
        ("JSON Lines with capitals", |name, text| {
            let (name, text) = as_json_lines(name, text);
            (
                name,
                text.replace("\"price\"", "\"Price\"")
                    .replace("\"id\"", "\"ID\""),
            )
        }),
    ];
    for (way, saved) in SAVED.iter().chain(more) {
        let world = World::new();
        for (name, text) in LOADED {
            let (name, text) = saved(name, text);
            world.write(&format!("export/{name}"), &text);
        }
        let said = world.run(&["load", "export"]);
        assert_eq!(said.code, 0, "{way}:\n{}", said.err);
        assert!(!said.err.contains("warning"), "{way}:\n{}", said.err);
        assert_eq!(world.number("select price_cents from prices"), 150, "{way}");
    }
}

/// Returns rows of CSV as JSON Lines.
fn as_json_lines(name: &str, text: &str) -> (String, String) {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let objects = lines.map(|line| {
        let fields = header.iter().zip(line.split(','));
        let fields = fields.map(|(name, value)| format!("\"{name}\": \"{value}\""));
        format!("{{{}}}\n", fields.collect::<Vec<_>>().join(", "))
    });
    (name.replace(".csv", ".jsonl"), objects.collect())
}

#[test]
fn a_given_file_may_have_capitals() {
    let world = World::new();
    let price = Decimal128Array::from(vec![150, 900]);
    let price = price.with_precision_and_scale(10, 2).unwrap();
    let columns: [(&str, ArrayRef); 4] = [
        ("PRODUCT_ID", Arc::new(Int64Array::from(vec![1, 2]))),
        ("Store_Id", Arc::new(Int64Array::from(vec![7, 7]))),
        ("PRICE", Arc::new(price)),
        ("Other", Arc::new(Int64Array::from(vec![0, 0]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    for name in ["P.PARQUET", "folder/p.Parquet"] {
        let path = world.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut writer =
            ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }
    for given in ["prices=P.PARQUET", "prices=folder"] {
        let sql = "\u{feff}select product_id,\r\n\tprice from prices where price < 2";
        let query = ["query", sql, "--file", given, "--output", "csv"];
        assert_eq!(world.run(&query).ends(0).out, "product_id,price\n1,1.50\n");
    }
}
