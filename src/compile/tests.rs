//! SQL that is refused or reported, with its place, and SQL that is sound: a table each.

use std::{fs, path::Path};

use indexmap::IndexMap;

use super::check;
use crate::{
    diagnostics::{Code, Finding, Severity},
    pipeline::Project,
};

const SOURCES: &str = r#"
[prices]
key = ["product_id", "store_id"]
[prices.columns]
product_id = "bigint not null"
store_id = "bigint not null"
price = "decimal(10,2) not null"
sku = "text"
scraped_date = "date"

[stores]
key = ["id"]
[stores.columns]
id = "bigint not null"
company = "text not null"
tier = "bigint"
open = "boolean"
latitude = "double"

[products]
key = ["id"]
[products.columns]
id = "bigint not null"
name = "text not null"
category = "bigint[] not null"
tags = "text[]"
"#;

const MANIFEST: &str = r#"
description = "What is tried."
output = "output"
file = "output.json"
grain = ["id"]
[contract]
id = "bigint not null"
"#;

/// Checks a project of one model that says `sql`, beside a seed of digits.
async fn found(sql: &str) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("pipelines/sources.toml", SOURCES);
    write("pipelines/tried.toml", MANIFEST);
    write("sql/tried/codes.csv", "code,label\n123,a\n456,b\n");
    write(
        "sql/tried/tried.sql",
        &format!("-- tried: one row per x.\n{sql}\n"),
    );
    write(
        "sql/tried/output.sql",
        "-- output: one row per id.\nselect id from stores\nwhere exists (select 1 from tried)\nand exists (select 1 from codes)\n",
    );
    let found = checked(folder.path()).await;
    // The grain of what is tried is beside the point.
    let found = found
        .into_iter()
        .filter(|finding| finding.code != Code::GrainColumn);
    found.collect()
}

async fn checked(root: &Path) -> Vec<Finding> {
    let project = Project::load(root).unwrap_or_else(|findings| panic!("{findings:?}"));
    let pipelines = project.select(&[]).unwrap();
    let checked = check(&project, &pipelines, &IndexMap::new(), &[])
        .await
        .unwrap();
    project
        .warnings
        .iter()
        .cloned()
        .chain(checked.findings)
        .collect()
}

/// Returns the text at a finding's place.
fn at(finding: &Finding) -> String {
    let place = finding.place().unwrap();
    place.text[place.span.clone()].to_owned()
}

/// Each SQL has one finding, of the code, at the text, with some help.
async fn each_is(code: Code, cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (sql, place) in cases {
        let found = found(sql).await;
        let says: Vec<_> = found
            .iter()
            .map(|it| (it.code.id(), at(it), it.message.clone(), it.help.clone()))
            .collect();
        let is = matches!(found.as_slice(), [one] if one.code == code && at(one) == *place && !one.help.is_empty());
        if !is {
            wrong.push(format!("{sql}\n  wanted {code} at `{place}`\n  {says:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_different_kinds_are_refused() {
    each_is(
        Code::MixedTypes,
        &[
            (
                "select sku as x from prices join codes on prices.sku = codes.code",
                "prices.sku",
            ),
            ("select sku as x from prices where sku = 5", "sku"),
            ("select sku as x from prices where 5 < sku", "5"),
            ("select sku as x from prices where sku <> store_id", "sku"),
            ("select sku as x from prices where sku in (1, '2')", "sku"),
            (
                "select sku as x from prices where sku in (select code from codes)",
                "sku",
            ),
            (
                "select sku as x from prices where store_id not in (select label from codes)",
                "store_id",
            ),
            (
                "select sku as x from prices where sku between 1 and 2",
                "sku",
            ),
            (
                "select sku as x from prices where store_id > 'nine'",
                "store_id",
            ),
            (
                "select sku as x from prices where scraped_date = sku",
                "scraped_date",
            ),
            (
                "select sku as x from prices where scraped_date > 'yesterday'",
                "scraped_date",
            ),
            ("select id as x from stores where open = 1", "open"),
            ("select id as x from stores where open = company", "open"),
            ("select id as x from stores where open = 'open'", "open"),
            (
                "select id as x from stores where latitude = company",
                "latitude",
            ),
            (
                "select id as x from products where category = name",
                "category",
            ),
            (
                "select id as x from products where category = tags",
                "category",
            ),
            (
                "select id as x from products where array_has(category, name)",
                "category",
            ),
            (
                "select token_set_ratio(tags, name) as x from products",
                "tags",
            ),
            (
                "select sku as x from prices union all select store_id from prices",
                "sku",
            ),
            (
                "select sku as x from prices union select code from codes",
                "sku",
            ),
            (
                "select sku as x from prices intersect select code from codes",
                "sku",
            ),
            (
                "select sku as x from prices except select code from codes",
                "sku",
            ),
            (
                "select case when price > 1 then sku else store_id end as x from prices",
                "sku",
            ),
            ("select case sku when 5 then 1 end as x from prices", "sku"),
            ("select coalesce(sku, store_id) as x from prices", "sku"),
            ("select coalesce(tier, 'none') as x from stores", "tier"),
            ("select nullif(sku, 0) as x from prices", "sku"),
            ("select case when price > 1 then tier else '5' end as x from prices join stores on id = store_id", "tier"),
            ("select tier as x from stores union all select '5'", "tier"),
            ("select x from (values (1), ('a')) as t(x)", "'a'"),
            ("select tier as x from stores union select code from codes union all select label from codes", "label"),
            ("select a.id as x from stores as a join (select name as id from products) as b using (id)", "id"),
            ("select greatest(tier, company) as x from stores", "tier"),
            ("select sku + 1 as x from prices", "sku"),
            (
                "select lag(tier, 1, 'none') over (order by id) as x from stores",
                "tier",
            ),
            (
                "select a.id as x from stores as a join products as b on a.company = b.id",
                "a.company",
            ),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn choices_without_an_order_are_reported() {
    each_is(
        Code::UnorderedChoice,
        &[
            ("select product_id as x, first_value(store_id) as y from prices group by product_id", "first_value"),
            ("select product_id as x, last_value(store_id) as y from prices group by 1", "last_value"),
            ("select product_id as x, nth_value(store_id, 2) as y from prices group by product_id", "nth_value"),
            ("select row_number() over () as x from prices", "row_number"),
            ("select row_number() over (partition by store_id) as x from prices", "row_number"),
            ("select rank() over (partition by store_id) as x from prices", "rank"),
            ("select ntile(4) over () as x from prices", "ntile"),
            ("select lag(price) over (partition by store_id) as x from prices", "lag"),
            ("select lead(price) over w as x from prices window w as (partition by store_id)", "lead"),
            ("select first_value(price) over (partition by store_id) as x from prices", "first_value"),
            ("select sum(price) over (rows between 1 preceding and current row) as x from prices", "sum"),
            ("select distinct on (product_id) product_id as x, price from prices", "distinct on"),
            ("select distinct on (product_id) product_id as x, price from prices order by product_id", "distinct on"),
            // Orders that leave ties.
            ("select row_number() over (order by price) as x from prices", "row_number"),
            ("select row_number() over (partition by product_id order by price) as x from prices", "row_number"),
            ("select ntile(4) over (order by price desc, store_id) as x from prices", "ntile"),
            ("select lag(price) over (partition by store_id order by scraped_date) as x from prices", "lag"),
            ("select lead(price) over w as x from prices window w as (order by product_id)", "lead"),
            ("select first_value(store_id) over (partition by product_id order by price) as x from prices", "first_value"),
            ("select sum(price) over (order by store_id rows between 2 preceding and current row) as x from prices", "sum"),
            ("select product_id as x, first_value(store_id order by price) as y from prices group by product_id", "first_value"),
            ("select product_id as x, last_value(sku order by price) as y from prices group by product_id", "last_value"),
            ("select product_id as x, nth_value(store_id, 2 order by price) as y from prices group by 1", "nth_value"),
            ("select distinct on (product_id) product_id as x, sku from prices order by product_id, price", "distinct on"),
            ("select row_number() over (order by s.company) as x from prices as p join stores as s on s.id = p.store_id", "row_number"),
            ("select row_number() over (order by s.id) as x from prices as p join stores as s on s.id = p.store_id", "row_number"),
            ("with cheap as (select product_id, store_id, price from prices) select row_number() over (order by price) as x from cheap", "row_number"),
            ("select row_number() over (order by n) as x from (select store_id, count(*) as n from prices group by store_id) as t", "row_number"),
            ("select store_id as x, row_number() over (order by count(*)) as y from prices group by store_id", "row_number"),
        ],
    )
    .await;
    each_is(
        Code::UnorderedArray,
        &[
            ("select product_id as x, array_agg(store_id) as y from prices group by product_id", "array_agg"),
            ("select product_id as x, array_agg(distinct store_id) as y from prices group by product_id", "array_agg"),
            ("select product_id as x, string_agg(sku, ',') as y from prices group by product_id", "string_agg"),
            ("select product_id as x, array_agg(store_id order by price) as y from prices group by product_id", "array_agg"),
            ("select string_agg(sku, ',' order by price) as x from prices", "string_agg"),
        ],
    )
    .await;
    each_is(
        Code::UnorderedLimit,
        &[
            ("select id as x from stores limit 3", "limit"),
            ("select id as x from stores offset 3", "offset"),
            ("select x from (select id as x from stores limit 3) as t", "limit"),
            ("select id as x from stores order by company limit 3", "limit"),
            ("select product_id as x from prices order by product_id limit 3", "limit"),
            ("select company as x, count(*) as n from stores group by company order by n desc limit 3", "limit"),
            ("select distinct company as x, tier from stores order by company limit 3", "limit"),
            ("select p.price as x from prices as p join stores as s on s.id = p.store_id order by p.price limit 3", "limit"),
            ("with c as (select company, count(*) as n from stores group by company) select company as x from c order by n limit 3", "limit"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rarely_meant_is_reported() {
    each_is(
        Code::NullComparison,
        &[
            ("select id as x from stores where tier = null", "null"),
            ("select id as x from stores where null <> tier", "null"),
            (
                "select case when tier > NULL then 1 end as x from stores",
                "NULL",
            ),
        ],
    )
    .await;
    each_is(
        Code::CrossJoin,
        &[
            ("select price as x from prices, stores", "stores"),
            (
                "select price as x from prices, stores where price > 1",
                "stores",
            ),
            (
                "select price as x from prices as p, stores as s where p.price > 1 and s.tier = 2",
                "stores as s",
            ),
        ],
    )
    .await;
    each_is(
        Code::IntegerDivision,
        &[
            ("select tier / 7 as x from stores", "tier"),
            ("select sum(tier) / 7 as x from stores", "sum"),
            ("select round(tier / 7) as x from stores", "tier"),
        ],
    )
    .await;
    each_is(
        Code::TimeDependent,
        &[
            ("select now() as x from stores", "now"),
            ("select current_date as x from stores", "current_date"),
            (
                "select store_id as x from prices where scraped_date = current_date",
                "current_date",
            ),
            (
                "select current_timestamp as x from stores",
                "current_timestamp",
            ),
        ],
    )
    .await;
    each_is(
        Code::UnsupportedClause,
        &[
            (
                "select id as x from products cross join unnest(products.category)",
                "unnest",
            ),
            ("select id as x from products, unnest(category)", "unnest"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_sql_has_no_finding() {
    let mut wrong = Vec::new();
    for sql in [
        "select id as x from stores where tier > '9'",
        "select sku as x from prices where price = '1.50' and scraped_date > '2026-01-01'",
        "select sku as x from prices where sku = '5' or sku in ('1', null)",
        "select sku as x from prices join codes on cast(codes.code as text) = prices.sku",
        "select sku as x from prices where price > 1 and price < 2.5 and price <> store_id",
        "select id as x from stores where latitude > 1 and latitude between 1.5 and tier",
        "select concat(company, id) as x from stores",
        "select company || '-' || id as x from stores",
        "select coalesce(tier, 0.5) as x from stores union all select null",
        "select case when tier > 1 then null else company end as x from stores",
        "select id as x from products where array_has(category, 5) and array_has(tags, 'a')",
        "select id as x from stores where open and open = true and open is not distinct from false",
        "select product_id as x, max(price) as a, max(cast(price as bigint)) as b from prices group by product_id",
        "select max(price) as x, max(cast(price as double)) as y, max(price::bigint) as z from prices",
        "select product_id as x, first_value(store_id order by price, store_id) as y from prices group by product_id",
        "select product_id as x, first_value(product_id) as y from prices group by product_id",
        "select row_number() over (partition by store_id order by product_id) as x from prices",
        "select lag(price) over w as x from prices window w as (partition by store_id order by product_id)",
        "select sum(price) over (partition by store_id) as x, count(*) over () as n from prices",
        "select sum(price) over (rows between unbounded preceding and unbounded following) as x from prices",
        "select distinct on (product_id) product_id as x, price from prices order by product_id, price, store_id",
        "select distinct on (product_id) product_id as x, price from prices order by product_id, price",
        "select rank() over (order by price) as x, dense_rank() over (order by price) as y from prices",
        "select row_number() over (partition by product_id order by price, store_id) as x from prices",
        "select row_number() over (order by price, product_id) as x from prices where store_id = 7",
        "select row_number() over (order by p.store_id, p.product_id) as x from prices as p join stores as s on s.id = p.store_id",
        "select row_number() over (order by s.id, p.product_id) as x from prices as p join stores as s on s.id = p.store_id",
        "select row_number() over (order by p.store_id, p.product_id) as x from prices as p left join stores as s on s.id = p.store_id",
        "select sum(price) over (order by store_id) as x from prices",
        "select first_value(price) over (partition by product_id order by price) as x from prices",
        "select product_id as x, array_agg(store_id order by price, store_id) as y from prices group by product_id",
        "select product_id as x, array_agg(price order by store_id) as y from prices group by product_id",
        "select company as x, array_agg(id order by id desc) as y from stores group by company",
        "select s.company as x, array_agg(p.sku order by p.product_id, s.id) as y from prices as p join stores as s on s.id = p.store_id group by s.company",
        "select store_id as x, row_number() over (order by count(*) desc, store_id) as y from prices group by store_id",
        "with c as (select company, count(*) as n from stores group by company) select company as x, row_number() over (order by n, company) as y from c",
        "select row_number() over (order by code) as x from codes",
        "select p.price as x from prices as p join stores as s on s.id = p.store_id order by p.price, s.id, p.product_id limit 3",
        "select id as x from stores where tier is distinct from 3 and company is not distinct from 'a' or tier = 1",
        "select string_agg(sku, ',' order by sku) as x from prices",
        "select id as x from stores order by company, id limit 3",
        "select s.id as x from stores as s order by s.id desc limit 3 offset 2",
        "select store_id as x from prices where product_id = 7 order by store_id limit 3",
        "select company as x, count(*) as n from stores group by company order by n desc, company limit 3",
        "select company as x, count(*) as n from stores group by 1 order by 2 desc, 1 limit 3",
        "select count(*) as x from stores limit 1",
        "select p.price as x from prices as p, stores as s where p.store_id = s.id",
        "select price as x from prices, stores where store_id = id",
        "select p.price as x from prices as p, (select max(price) as top from prices) as m",
        "select p.price as x from prices as p cross join stores",
        "select p.price as x from prices as p join stores as s where s.id = p.store_id",
        "select floor(tier / 7) as x from stores",
        "select cast(tier / 7 as bigint) as x, tier / 7 * 7 as y, tier % 7 as z from stores",
        "select id as x from stores where id <= tier / 7 and tier / 7 >= id",
        "select tier / 7.0 as x, 1.0 * tier / 7 as y from stores",
        "select unnest(category) as x from products",
        "select id as x, c from products cross join unnest(products.category) as t(c)",
        "select p.id as x, u.c as y from products as p, unnest(p.category) as u(c) where u.c > 1",
        "select id as x, id in (select store_id from prices) as y from stores",
        "select s.id as x from stores as s where s.tier not in (select p.product_id from prices as p where p.store_id = s.id)",
        "select id as x, exists (select 1 from prices as p where p.store_id = s.id) as y from stores as s",
        "select id as x from stores where company like 'a!_b' escape '!'",
        "select x from unnest([1, 2]) as t(x)",
        "select tier as x from stores where tier is null",
        "with n as (select id, tier from stores) select a.id as x from n as a join n as b using (id)",
        "select date_part('year', scraped_date) as x from prices",
        "select round(price, 1) as x, abs(price - 2) as y from prices",
        "select x from (values (1, 'a'), (2, 'b')) as t(x, y) where y = 'a'",
        "select substr(sku, 1, 3) as x, length(sku) as y, lpad(sku, 5, '0') as z from prices",
        "select lead(tier, 1, 0) over (order by id) as x from stores",
        "select greatest(price, 1.5, store_id) as x, nullif(tier, 0) as y from prices join stores on id = store_id",
    ] {
        let found = found(sql).await;
        let says: Vec<_> = found
            .iter()
            .map(|it| (it.severity == Severity::Error, it.message.clone()))
            .collect();
        if !found.is_empty() {
            wrong.push(format!("{sql}: {says:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Words of DataFusion and Arrow that no user knows.
const THEIRS: &[&str] = &[
    "Utf8",
    "Int64",
    "Int32",
    "UInt",
    "Float64",
    "Decimal128",
    "Date32",
    "Internal",
    "internal error",
    "report",
    "WindowFunction",
    "AggregateFunction",
    "InSubquery",
    "OuterReference",
    "Optimizer",
    "Arrow",
    "DataFusion",
    "Cast error",
    "Execution error",
    "Error during",
    "Schema error",
    "This feature",
    "not implemented",
    "Candidate",
    "Coercible",
    "coerc",
    "Signature",
    "physical",
    "logical",
    "LogicalPlan",
    "expr:",
    "non-string",
    "ObjectName",
    "Identifier",
    "TypeSig",
    "Extra column",
    "too many columns!",
    "Null[]",
    "EOF",
    "NULLS LAST",
    "ast node",
    " { ",
];

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_planning_are_in_plain_words() {
    let mut wrong = Vec::new();
    for sql in include_str!("wrong.txt").lines() {
        let found = found(sql).await;
        for finding in &found {
            let says = format!("{} {}", finding.message, finding.help.join(" "));
            if let Some(theirs) = THEIRS.iter().find(|theirs| says.contains(**theirs)) {
                wrong.push(format!("{sql}: `{theirs}` in {says}"));
            }
        }
        let says: Vec<_> = found
            .iter()
            .map(|it| (it.code.id(), at(it), &it.message))
            .collect();
        println!("{sql}\n    {says:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn errors_of_runs_are_in_plain_words() {
    use crate::{
        chain::chain,
        config::EngineConfig,
        engine::{Error, session},
    };
    let context = session(&EngineConfig::default()).unwrap();
    let rows = "(values (0, 'C0007919', 1.5), (9223372036854775807, 'x', 2.5)) as t(a, b, c)";
    for (expr, says) in [
        ("cast(b as bigint)", "`C0007919` is not a bigint"),
        ("cast(b as date)", "`C0007919` is not a date"),
        ("cast(b as decimal(10,2))", "`C0007919` is not a decimal"),
        ("cast(b as boolean)", "`c0007919` is not a boolean"),
        ("cast(b as double)", "`C0007919` is not a double"),
        (
            "7 / a",
            "a number is divided by zero: write `nullif(divisor, 0)`",
        ),
        (
            "7 % a",
            "a number is divided by zero: write `nullif(divisor, 0)`",
        ),
        (
            "a + 1",
            "9223372036854775807 + 1 is beyond the range of its type; cast to a decimal before `+`",
        ),
        (
            "cast(a as int)",
            "9223372036854775807 is beyond the range of integer",
        ),
    ] {
        let sql = format!("select {expr} as x from {rows}");
        let frame = context.sql(&sql).await;
        let rows = match frame {
            Ok(frame) => frame.collect().await,
            Err(error) => Err(error),
        };
        let error = Error::run("sql/a/a.sql", rows.unwrap_err());
        let line = chain(&error);
        assert_eq!(line, format!("sql/a/a.sql: {says}"), "{expr}");
    }
}
