//! Pairs of real names that mean alike to all-MiniLM-L6-v2, beside what
//! sentence-transformers says (`tests/minilm/record_pairs.py`).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use datafusion::arrow::{
    array::{ArrayRef, Int64Array, ListArray, StringArray},
    datatypes::Int64Type,
};
use pricemill::config::{EmbeddingConfig, EmbeddingModel, EngineConfig};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{
    stages::functions::Bench,
    support::{data, world::World},
};

/// Both compute in `f32`: closer to the threshold than this, either may be right.
const CLOSE: f64 = 1e-4;
const THRESHOLD: f64 = 0.75;

type Pairs = BTreeMap<(i64, i64), f64>;

/// What sentence-transformers found: what the first lines say, and pairs with cosines.
struct Reference {
    told: BTreeMap<String, String>,
    pairs: Pairs,
}

fn reference(name: &str) -> Reference {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/minilm");
    let text = fs::read_to_string(folder.join(name)).unwrap();
    let told = text.lines().filter_map(|line| line.strip_prefix("# "));
    let told = told.map(|line| line.split_once(' ').unwrap());
    let mut rows = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let pairs = rows.deserialize::<(i64, i64, f64)>().map(Result::unwrap);
    Reference {
        told: told
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
        pairs: pairs.map(|(a, b, cosine)| ((a, b), cosine)).collect(),
    }
}

impl Reference {
    /// Asserts that these are the names that were embedded.
    fn is_of<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let names: Vec<&str> = names.collect();
        assert_eq!(names.len().to_string(), self.told["names"]);
        let digest = Sha256::digest(names.join("\n"));
        assert_eq!(hex::encode(digest), self.told["sha256"]);
    }

    /// Asserts that `found` are the pairs over the threshold, and their scores the
    /// cosines; `others` were found for another reason.
    fn agrees(&self, found: &Pairs, others: &Pairs) {
        for (pair, score) in found {
            let cosine = self.pairs.get(pair);
            let cosine = cosine.unwrap_or_else(|| panic!("{pair:?} {score} is no pair"));
            assert!((score - cosine).abs() <= CLOSE, "{pair:?} {score} {cosine}");
        }
        for (pair, cosine) in &self.pairs {
            let must = *cosine > THRESHOLD + CLOSE && !others.contains_key(pair);
            assert!(!must || found.contains_key(pair), "{pair:?} {cosine}");
        }
        assert!(!found.is_empty());
    }
}

/// Returns a session with the real model, if the environment says where it is, and the
/// real data's folder.
fn bench(given: &[(&str, &str)]) -> Option<(Bench, PathBuf)> {
    let hr = data::folder("hr")?;
    let folder = data::minilm()?;
    let config = EngineConfig {
        embedding: EmbeddingConfig {
            model: EmbeddingModel::Minilm { folder },
            ..EmbeddingConfig::default()
        },
        ..EngineConfig::default()
    };
    Some((Bench::on(&config, "substitutions", given), hr))
}

/// Returns rows of the real export.
fn export<T: for<'de> Deserialize<'de>>(hr: &Path, dataset: &str, sql: &str) -> Vec<T> {
    let world = World::new();
    world.run(&["load", hr.to_str().unwrap()]).ends(0);
    world.run(&["fetch", dataset]).ends(0);
    let rows = world
        .run(&["query", sql, "--limit", "-1", "--output", "ndjson"])
        .ends(0);
    let rows = rows.out.lines().map(serde_json::from_str);
    rows.collect::<Result<_, _>>().unwrap()
}

fn pair(row: &[String]) -> ((i64, i64), f64) {
    let number = |text: &String| text.parse::<i64>().unwrap();
    ((number(&row[0]), number(&row[1])), row[2].parse().unwrap())
}

#[derive(Deserialize)]
struct Category {
    name: String,
}

#[tokio::test]
async fn real_categories_that_mean_alike_are_those_of_sentence_transformers() {
    let Some((bench, hr)) = bench(&[]) else {
        return;
    };
    let sql = "select distinct name from categories order by name";
    let names: Vec<Category> = export(&hr, "categories", sql);
    let names: Vec<&str> = names
        .iter()
        .map(|category| category.name.as_str())
        .collect();
    let reference = reference("category_pairs.csv");
    reference.is_of(names.iter().copied());
    let places = (0..names.len() as i64).collect::<Int64Array>();
    let names: StringArray = names.into_iter().map(Some).collect();
    bench.table(
        "names",
        vec![("place", Arc::new(places)), ("name", Arc::new(names))],
    );
    let sql = "with similar as (
            select similar_vectors(vector_set(place, embed(name)), 0.75, 1000) as similar
            from names
        ),
        pairs as (
            select unnest(similar['pairs']) as pair
            from similar
        )
        select pair['a'], pair['b'], pair['score']
        from pairs";
    let found = bench.rows(sql).await.unwrap();
    let found = found.iter().map(|row| pair(row)).collect();
    reference.agrees(&found, &Pairs::new());
}

#[derive(Deserialize)]
struct Product {
    id: i64,
    name: String,
    normalized_name: String,
    brand_id: Option<i64>,
    size: Option<String>,
    category: Vec<i64>,
}

fn register_products(bench: &Bench, products: &[Product]) {
    let ids: Int64Array = products.iter().map(|product| Some(product.id)).collect();
    let brands: Int64Array = products.iter().map(|product| product.brand_id).collect();
    let names: StringArray = products.iter().map(|product| Some(&product.name)).collect();
    let normal = products
        .iter()
        .map(|product| Some(&product.normalized_name));
    let sizes: StringArray = products
        .iter()
        .map(|product| product.size.as_ref())
        .collect();
    let lists = products
        .iter()
        .map(|product| product.category.iter().copied().map(Some));
    let categories = ListArray::from_iter_primitive::<Int64Type, _, _>(lists.map(Some));
    let columns: [(&str, ArrayRef); 6] = [
        ("id", Arc::new(ids)),
        ("name", Arc::new(names)),
        ("normalized_name", Arc::new(normal.collect::<StringArray>())),
        ("brand_id", Arc::new(brands)),
        ("size", Arc::new(sizes)),
        ("category", Arc::new(categories)),
    ];
    bench.table("products", columns.into());
}

/// No categories are linked yet.
async fn register_no_links(bench: &Bench) {
    let links = "create table export.category_links as
        select 1 as category_a_id, 2 as category_b_id, 'MATCH' as link_type
        where false";
    for sql in ["create schema export", links] {
        bench.context.sql(sql).await.unwrap();
    }
}

#[tokio::test]
async fn real_products_that_mean_alike_are_those_of_sentence_transformers() {
    let Some((bench, hr)) = bench(&[("max_per_product", "1000000")]) else {
        return;
    };
    let reference = reference("product_pairs.csv");
    let sample = reference.told["categories"].replace(' ', ", ");
    let sql = format!(
        "select
            id, name, normalized_name, brand_id, size,
            array_intersect(category, [{sample}]) as category
        from products
        where array_has_any(category, [{sample}])
        order by id"
    );
    let products: Vec<Product> = export(&hr, "products", &sql);
    reference.is_of(
        products
            .iter()
            .map(|product| product.normalized_name.as_str()),
    );
    register_products(&bench, &products);
    register_no_links(&bench).await;
    bench.define_models().await;
    let sql = "select product_a, product_b, score, level from substitutions";
    let mut by_level = BTreeMap::<String, Pairs>::new();
    for row in bench.rows(sql).await.unwrap() {
        let (pair, score) = pair(&row);
        by_level
            .entry(row[3].clone())
            .or_default()
            .insert(pair, score);
    }
    let alike = by_level.remove("LVL3").unwrap();
    let stricter = by_level.into_values().flatten().collect();
    reference.agrees(&alike, &stricter);
}
