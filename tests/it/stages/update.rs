//! What waits in the inbox goes into the tables, once, or not at all.

use std::{path::Path, sync::Arc};

use datafusion::arrow::util::pretty::pretty_format_batches;
use futures::TryStreamExt;
use pricemill::{
    Kind,
    artifact::{digest::Digest, id::Seq},
    config::EngineConfig,
    database::{self, Accept, Database, TableCounts},
    events::Events,
    inbox::{Arrival, Inbox},
    load::{Options, load},
    pipeline::{Pipeline, Project},
    storage::Location,
    update::{Error, Outcome, Update, Updated, update},
};

const AT: &str = "2026-11-22T10:00:00Z";

struct World {
    folder: tempfile::TempDir,
    project: Project,
    database: Arc<dyn Database>,
    inbox: Inbox,
    rejects: Location,
}

/// How an update is asked for.
#[derive(Default)]
struct Asked<'a> {
    artifact: Option<&'a str>,
    accept: Accept,
    dry_run: bool,
    fail_fast: bool,
}

impl World {
    /// The shipped pipelines, ten products, and two stores of each of two companies.
    async fn new() -> World {
        World::with(&[]).await
    }

    /// As well, files of the project: `pipelines/…` and `sql/…`.
    async fn with(files: &[(&str, &str)]) -> World {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (name, text) in files {
            write(&root.join(name), text);
        }
        if !files.is_empty() {
            let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/sources.toml");
            std::fs::copy(sources, root.join("pipelines/sources.toml")).unwrap();
        }
        let project = Project::load(root).unwrap();
        let database = database::open("sqlite:prices.db", root).unwrap();
        let stores = "id,company,name\n1,Lidl,A\n2,Lidl,B\n3,Konzum,C\n4,Konzum,D\n";
        write(&root.join("in/stores.csv"), stores);
        let products: String = (1..=10).map(|id| format!("{id},Product {id}\n")).collect();
        write(
            &root.join("in/products.csv"),
            &format!("id,name\n{products}"),
        );
        load(
            &*database,
            &root.join("in"),
            &Options::default(),
            &EngineConfig::default(),
            &Events::silent(),
        )
        .await
        .unwrap();
        let data = Location::folder(&root.join("data")).unwrap();
        World {
            inbox: Inbox::new(data.child("inbox"), data.child("archive/inbox")),
            rejects: data.child("runs/1/rejects"),
            project,
            database,
            folder,
        }
    }

    async fn receive(&self, pipeline: &str, seq: u64, content: &str) {
        let file = self.folder.path().join("sent");
        std::fs::write(&file, content).unwrap();
        let name = &self.project.pipelines[pipeline].file.name;
        let arrival = Arrival {
            pipeline: pipeline.into(),
            seq: Some(Seq(seq)),
            extension: name.rsplit('.').next().unwrap().to_owned(),
            digest: Digest::of_bytes(content.as_bytes()),
            rows: content.matches('{').count() as u64,
            at: AT.parse().unwrap(),
            manifest: None,
        };
        self.inbox.receive(arrival, &file, None).await.unwrap();
    }

    async fn ask(&self, names: &[&str], asked: Asked<'_>) -> Result<Vec<Updated>, Error> {
        let pipelines: Vec<&Pipeline> = names
            .iter()
            .map(|name| &self.project.pipelines[*name])
            .collect();
        let request = Update {
            pipelines: &pipelines,
            inbox: &self.inbox,
            database: &self.database,
            artifact: asked.artifact,
            accept: asked.accept,
            dry_run: asked.dry_run,
            fail_fast: asked.fail_fast,
            engine: &EngineConfig::default(),
            rejects: &self.rejects,
            at: AT.parse().unwrap(),
        };
        update(request, &Events::silent()).await
    }

    #[must_use]
    async fn update(&self, pipeline: &str) -> Updated {
        self.ask(&[pipeline], Asked::default())
            .await
            .unwrap()
            .remove(0)
    }

    #[must_use]
    async fn rows(&self, table: &str) -> String {
        let rows = self.database.read(table).await.unwrap();
        let rows: Vec<_> = rows.try_collect().await.unwrap();
        pretty_format_batches(&rows).unwrap().to_string()
    }

    /// The ids in the table's first column.
    #[must_use]
    async fn ids(&self, table: &str) -> Vec<i64> {
        let text = self.rows(table).await;
        let rows = text.lines().filter_map(|line| line.split('|').nth(1));
        rows.filter_map(|cell| cell.trim().parse().ok()).collect()
    }

    #[must_use]
    async fn pending(&self, pipeline: &str) -> Vec<u64> {
        let pending = self.inbox.pending(pipeline).await.unwrap();
        pending.iter().map(|received| received.seq.0).collect()
    }

    fn sql(&self, sql: &str) {
        let path = self.folder.path().join("prices.db");
        rusqlite::Connection::open(path)
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// An artifact of bargains of those products, all at one store.
fn bargains(products: impl IntoIterator<Item = i64>, store: i64) -> String {
    let row = |id| {
        format!(
            "{{\"product_id\":{id},\"store_id\":{store},\"cheapest_price_record_id\":{id},\
             \"most_expensive_price_record_id\":null,\"percentage_difference\":60.5}}"
        )
    };
    let rows: Vec<String> = products.into_iter().map(row).collect();
    match rows.as_slice() {
        [] => "[\n]\n".to_owned(),
        rows => format!("[\n{}\n]\n", rows.join(",\n")),
    }
}

fn counts(updated: &Updated) -> &TableCounts {
    match &updated.outcome {
        Outcome::Applied(tables) => &tables[0],
        other => panic!("{other:?}"),
    }
}

fn told(counts: &TableCounts) -> [u64; 5] {
    [
        counts.inserted,
        counts.changed,
        counts.unchanged,
        counts.deleted,
        counts.rejected,
    ]
}

fn failed(updated: &Updated) -> &Error {
    match &updated.outcome {
        Outcome::Failed(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_artifact_becomes_the_table_and_goes_to_the_archive() {
    let world = World::new().await;
    world.receive("bargains", 1, &bargains([1, 2, 3], 1)).await;
    let updated = world.update("bargains").await;
    assert_eq!(told(counts(&updated)), [3, 0, 0, 0, 0]);
    insta::assert_snapshot!(world.rows("bargains").await, @r"
    +------------+----------+--------------------------+--------------------------------+-----------------------+
    | product_id | store_id | cheapest_price_record_id | most_expensive_price_record_id | percentage_difference |
    +------------+----------+--------------------------+--------------------------------+-----------------------+
    | 1          | 1        | 1                        |                                | 60.5                  |
    | 2          | 1        | 2                        |                                | 60.5                  |
    | 3          | 1        | 3                        |                                | 60.5                  |
    +------------+----------+--------------------------+--------------------------------+-----------------------+
    ");
    assert_eq!(world.pending("bargains").await, Vec::<u64>::new());
    assert_eq!(world.inbox.archived("bargains").await.unwrap().len(), 1);
    let ledger = world.database.applied("bargains").await.unwrap().unwrap();
    assert_eq!((ledger.seq, told(&ledger.counts[0])), (1, [3, 0, 0, 0, 0]));
    assert!(matches!(
        world.update("bargains").await.outcome,
        Outcome::Nothing { .. }
    ));
}

#[tokio::test]
async fn only_the_difference_is_written() {
    let world = World::new().await;
    world
        .receive("bargains", 1, &bargains([1, 2, 3, 4], 1))
        .await;
    let _ = world.update("bargains").await;
    let next = bargains([2, 3], 1)
        .replace("]\n", ",")
        .replace("}\n,", "},")
        + bargains([4, 5], 2).trim_start_matches("[\n");
    world.receive("bargains", 2, &next).await;
    assert_eq!(
        told(counts(&world.update("bargains").await)),
        [1, 1, 2, 1, 0]
    );
    assert_eq!(world.ids("bargains").await, [2, 3, 4, 5]);
}

#[tokio::test]
async fn a_dry_run_counts_the_same_and_changes_nothing() {
    let world = World::new().await;
    world.receive("bargains", 1, &bargains([1, 2, 99], 1)).await;
    let accept = Accept {
        change: true,
        ..Accept::default()
    };
    let dry = Asked {
        dry_run: true,
        accept,
        ..Asked::default()
    };
    let dry = world.ask(&["bargains"], dry).await.unwrap().remove(0);
    assert_eq!(told(counts(&dry)), [2, 0, 0, 0, 1]);
    assert_eq!(world.ids("bargains").await, Vec::<i64>::new());
    assert_eq!(world.pending("bargains").await, [1]);
    assert!(world.database.applied("bargains").await.unwrap().is_none());
    let real = world
        .ask(
            &["bargains"],
            Asked {
                accept,
                ..Asked::default()
            },
        )
        .await
        .unwrap();
    assert_eq!(told(counts(&real[0])), told(counts(&dry)));
}

#[tokio::test]
async fn the_highest_number_is_taken_and_the_others_are_superseded() {
    let world = World::new().await;
    for seq in [1, 2, 3] {
        world
            .receive(
                "bargains",
                seq,
                &bargains(1..=i64::try_from(seq).unwrap(), 1),
            )
            .await;
    }
    let updated = world.update("bargains").await;
    assert_eq!(updated.superseded.len(), 2);
    assert_eq!(world.ids("bargains").await, [1, 2, 3]);
    assert_eq!(world.inbox.archived("bargains").await.unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_older_than_the_ledger_is_never_applied_unless_asked_for_by_name() {
    let world = World::new().await;
    world.receive("bargains", 1, &bargains([1, 2], 1)).await;
    let _ = world.update("bargains").await;
    world.sql("update applied_artifacts set seq = 9");
    world.receive("bargains", 5, &bargains([3, 4], 1)).await;
    let updated = world.update("bargains").await;
    assert!(
        matches!(updated.outcome, Outcome::Nothing { .. }),
        "{updated:?}"
    );
    assert_eq!(updated.superseded.len(), 1);
    assert_eq!(world.ids("bargains").await, [1, 2]);
    let asked = Asked {
        artifact: Some("5"),
        ..Asked::default()
    };
    let _ = world.ask(&["bargains"], asked).await.unwrap();
    assert_eq!(world.ids("bargains").await, [3, 4]);
    assert_eq!(
        world
            .database
            .applied("bargains")
            .await
            .unwrap()
            .unwrap()
            .seq,
        5
    );
}

#[tokio::test]
async fn prices_may_go_there_and_back() {
    let world = World::new().await;
    for (seq, products) in [(1, [1, 2]), (2, [2, 3]), (3, [1, 2])] {
        world.receive("bargains", seq, &bargains(products, 1)).await;
        assert!(matches!(
            world.update("bargains").await.outcome,
            Outcome::Applied(_)
        ));
        assert_eq!(world.ids("bargains").await, products);
    }
}

#[tokio::test]
async fn a_run_killed_between_commit_and_move_is_healed_by_the_next() {
    let world = World::new().await;
    let content = bargains([1, 2], 1);
    world.receive("bargains", 1, &content).await;
    let _ = world.update("bargains").await;
    let inbox = world.folder.path().join("data/inbox/bargains");
    let archive = world.folder.path().join("data/archive/inbox/bargains");
    // As if the move had never begun.
    std::fs::remove_dir_all(&archive).unwrap();
    std::fs::create_dir_all(&inbox).unwrap();
    world.receive("bargains", 1, &content).await;
    let rows = world.rows("applied_artifacts").await;
    assert!(matches!(
        world.update("bargains").await.outcome,
        Outcome::Already
    ));
    assert_eq!(world.rows("applied_artifacts").await, rows);
    assert_eq!(world.pending("bargains").await, Vec::<u64>::new());
    assert_eq!(world.inbox.archived("bargains").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_row_without_its_reference_is_rejected_with_column_and_reason() {
    let world = World::new().await;
    world
        .receive("bargains", 1, &bargains((1..=10).chain([99]), 1))
        .await;
    let updated = world.update("bargains").await;
    let error = failed(&updated);
    assert_eq!(
        error.to_string(),
        "1 of 11 rows for `bargains` were rejected, more than 1% (the first: product_id: products has no id 99)"
    );
    assert_eq!(world.ids("bargains").await, Vec::<i64>::new());
    let refused = world.inbox.refused("bargains").await.unwrap();
    assert_eq!(
        (refused.len(), world.pending("bargains").await.len()),
        (1, 0)
    );
    let written = world
        .rejects
        .read("bargains.bargains.jsonl")
        .await
        .unwrap()
        .unwrap();
    insta::assert_snapshot!(String::from_utf8_lossy(&written), @r#"{"table":"bargains","column":"product_id","reason":"products has no id 99","row":{"product_id":99,"store_id":1,"cheapest_price_record_id":99,"most_expensive_price_record_id":null,"percentage_difference":60.5}}"#);
    let accept = Accept {
        change: true,
        ..Accept::default()
    };
    let asked = Asked {
        artifact: Some("1"),
        accept,
        ..Asked::default()
    };
    let updated = world.ask(&["bargains"], asked).await.unwrap().remove(0);
    assert_eq!(told(counts(&updated)), [10, 0, 0, 0, 1]);
    assert_eq!(world.inbox.refused("bargains").await.unwrap().len(), 0);
}

#[tokio::test]
async fn an_artifact_that_empties_or_halves_a_table_is_refused_unless_accepted() {
    let world = World::new().await;
    world.receive("bargains", 1, &bargains(1..=10, 1)).await;
    let _ = world.update("bargains").await;
    world.receive("bargains", 2, &bargains([], 1)).await;
    let updated = world.update("bargains").await;
    assert_eq!(
        failed(&updated).to_string(),
        "no rows for `bargains`, which has 10"
    );
    world.receive("bargains", 3, &bargains(1..=4, 1)).await;
    let updated = world.update("bargains").await;
    assert_eq!(
        failed(&updated).to_string(),
        "only 4 rows for `bargains`, which has 10"
    );
    assert_eq!(world.ids("bargains").await.len(), 10);
    world.receive("bargains", 4, &bargains(1..=5, 1)).await;
    assert_eq!(
        told(counts(&world.update("bargains").await)),
        [0, 0, 5, 5, 0]
    );
    let accept = Accept {
        shrink: true,
        ..Accept::default()
    };
    let asked = Asked {
        artifact: Some("2"),
        accept,
        ..Asked::default()
    };
    let updated = world.ask(&["bargains"], asked).await.unwrap();
    assert_eq!(
        failed(&updated[0]).to_string(),
        "no rows for `bargains`, which has 5"
    );
    let accept = Accept {
        empty: true,
        ..Accept::default()
    };
    let asked = Asked {
        artifact: Some("2"),
        accept,
        ..Asked::default()
    };
    let _ = world.ask(&["bargains"], asked).await.unwrap();
    assert_eq!(world.ids("bargains").await, Vec::<i64>::new());
}

#[tokio::test]
async fn rows_of_one_key_are_one_if_equal_and_refused_if_not() {
    let world = World::new().await;
    world
        .receive("bargains", 1, &bargains([1, 2, 1, 1], 1))
        .await;
    let updated = world.update("bargains").await;
    assert_eq!(
        (counts(&updated).inserted, counts(&updated).collapsed),
        (2, 2)
    );
    let two = bargains([1], 1).replace("\n]\n", ",\n") + bargains([1], 2).trim_start_matches("[\n");
    world.receive("bargains", 2, &two).await;
    let updated = world.update("bargains").await;
    assert_eq!(
        failed(&updated).to_string(),
        "two different rows for `bargains` have the same key: product_id = 1"
    );
    assert_eq!(failed(&updated).source_kind(), Kind::Data);
    assert_eq!(world.ids("bargains").await, [1, 2]);
}

#[tokio::test]
async fn content_that_was_changed_or_breaks_the_contract_is_refused() {
    let world = World::new().await;
    world
        .receive("bargains", 1, "[\n{\"product_id\":\"1\"}\n]\n")
        .await;
    let updated = world.update("bargains").await;
    assert!(matches!(failed(&updated), Error::Decode(_)));
    let refused = world.inbox.refused("bargains").await.unwrap();
    assert!(
        format!("{:?}", refused[0].disposition).contains("product_id"),
        "{refused:?}"
    );
    world.receive("bargains", 2, &bargains([1], 1)).await;
    let file = world.inbox.pending("bargains").await.unwrap()[0]
        .file
        .clone();
    let path = world.folder.path().join("data/inbox").join(file);
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replace("60.5", "61.5");
    std::fs::write(&path, text).unwrap();
    assert!(matches!(
        failed(&world.update("bargains").await),
        Error::Inbox(_)
    ));
    assert_eq!(world.ids("bargains").await, Vec::<i64>::new());
}

#[tokio::test]
async fn store_groups_become_groups_and_members_in_one_go() {
    let world = World::new().await;
    let groups = "[\n{\"company\":\"Konzum\",\"stores\":[4,3]},\n{\"company\":\"Lidl\",\"stores\":[1]},\n{\"company\":\"Lidl\",\"stores\":[2]}\n]\n";
    world.receive("store-groups", 1, groups).await;
    let updated = world.update("store-groups").await;
    assert!(
        matches!(&updated.outcome, Outcome::Applied(tables) if tables.len() == 2),
        "{updated:?}"
    );
    insta::assert_snapshot!(world.rows("store_groups").await, @r"
    +----+---------+--------+-----------+---------+
    | id | company | anchor | is_active | status  |
    +----+---------+--------+-----------+---------+
    | 1  | 1       | 1      | true      | healthy |
    | 2  | 1       | 2      | true      | healthy |
    | 4  | 2       | 4      | true      | healthy |
    +----+---------+--------+-----------+---------+
    ");
    let moved = groups.replace("[4,3]", "[3,4]");
    world.receive("store-groups", 2, &moved).await;
    let updated = world.update("store-groups").await;
    let Outcome::Applied(tables) = &updated.outcome else {
        panic!("{updated:?}")
    };
    assert_eq!(told(&tables[0]), [1, 0, 2, 1, 0]);
    assert_eq!(told(&tables[1]), [0, 2, 2, 0, 0]);
    insta::assert_snapshot!(world.rows("store_group_members").await, @r"
    +----------+----------+
    | store_id | group_id |
    +----------+----------+
    | 1        | 1        |
    | 2        | 2        |
    | 3        | 3        |
    | 4        | 3        |
    +----------+----------+
    ");
}

#[tokio::test]
async fn a_company_the_database_does_not_know_is_a_rejected_row() {
    let world = World::new().await;
    let groups = "[\n{\"company\":\"Spar\",\"stores\":[1]}\n]\n";
    world.receive("store-groups", 1, groups).await;
    let updated = world.update("store-groups").await;
    assert!(
        failed(&updated)
            .to_string()
            .contains("company: must not be null"),
        "{updated:?}"
    );
}

#[tokio::test]
async fn links_to_a_bargain_that_stands_survive_a_later_update() {
    let world = World::new().await;
    world.receive("bargains", 1, &bargains([1, 2, 3], 1)).await;
    let _ = world.update("bargains").await;
    world.sql(
        "insert into super_categories values ('Drinks');
         insert into super_category_bargains values ('Drinks', 1, 1), ('Drinks', 2, 1);",
    );
    world.receive("bargains", 2, &bargains([2, 3, 4], 2)).await;
    let _ = world.update("bargains").await;
    let links = world.rows("super_category_bargains").await;
    assert!(
        links.contains("| Drinks         | 2 ") && !links.contains("| 1          |"),
        "{links}"
    );
}

const MARGINS: (&str, &str) = (
    "pipelines/margins.toml",
    r#"description = "Margins of products."
output = "margins"
file = "margins.csv"
grain = ["product_id"]
[contract]
product_id = "bigint not null"
margin = "decimal(6,3) not null"
seen_on = "date"
[[update]]
table = "margins"
mode = "upsert"
references = { product_id = "products.id" }
max_rejects = "50%"
"#,
);

const MARGINS_SQL: (&str, &str) = (
    "sql/margins/margins.sql",
    "select id as product_id, cast(1.5 as decimal(6,3)) as margin, cast(null as date) as seen_on\nfrom products\n",
);

#[tokio::test]
async fn a_table_the_schema_does_not_have_is_made_from_the_contract() {
    let world = World::with(&[MARGINS, MARGINS_SQL]).await;
    world
        .receive(
            "margins",
            1,
            "product_id,margin,seen_on\n1,0.125,2026-01-31\n2,12,\n77,1,\n",
        )
        .await;
    let updated = world.update("margins").await;
    assert_eq!(told(counts(&updated)), [2, 0, 0, 0, 1]);
    world
        .receive(
            "margins",
            2,
            "product_id,margin,seen_on\n2,12.5,\n3,1.000,\n",
        )
        .await;
    assert_eq!(
        told(counts(&world.update("margins").await)),
        [1, 1, 0, 0, 0]
    );
    insta::assert_snapshot!(world.rows("margins").await, @r"
    +------------+--------+------------+
    | product_id | margin | seen_on    |
    +------------+--------+------------+
    | 1          | 0.125  | 2026-01-31 |
    | 2          | 12.500 |            |
    | 3          | 1.000  |            |
    +------------+--------+------------+
    ");
    world
        .receive("margins", 3, "product_id,margin,seen_on\n4,12.5001,\n")
        .await;
    assert!(matches!(
        failed(&world.update("margins").await),
        Error::Decode(_)
    ));
}

#[tokio::test]
async fn a_pipeline_must_not_write_the_ledger() {
    let toml = MARGINS
        .1
        .replace("table = \"margins\"", "table = \"applied_artifacts\"");
    let world = World::with(&[("pipelines/margins.toml", &toml), MARGINS_SQL]).await;
    world
        .receive("margins", 1, "product_id,margin,seen_on\n1,1,\n")
        .await;
    assert!(matches!(
        failed(&world.update("margins").await),
        Error::OwnTable { .. }
    ));
    assert_eq!(world.pending("margins").await, [1]);
}

#[tokio::test]
async fn one_that_fails_stops_what_depends_on_it_and_no_other() {
    let margins = MARGINS.1.replace("products.id", "bargains.product_id");
    let bargains_toml = include_str!("../../../pipelines/bargains.toml");
    let groups_toml = include_str!("../../../pipelines/store-groups.toml");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![
        ("pipelines/margins.toml".to_owned(), margins),
        (MARGINS_SQL.0.to_owned(), MARGINS_SQL.1.to_owned()),
        (
            "pipelines/bargains.toml".to_owned(),
            bargains_toml.to_owned(),
        ),
        (
            "pipelines/store-groups.toml".to_owned(),
            groups_toml.to_owned(),
        ),
    ];
    for folder in [
        "sql/bargains",
        "sql/bargains/checks",
        "sql/store-groups",
        "sql/store-groups/checks",
        "sql/store-groups/update",
    ] {
        for entry in std::fs::read_dir(root.join(folder)).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap());
                files.push((name, std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let world = World::with(&files).await;
    world.receive("bargains", 1, &bargains([99], 1)).await;
    world
        .receive("margins", 1, "product_id,margin,seen_on\n1,1,\n")
        .await;
    world
        .receive(
            "store-groups",
            1,
            "[\n{\"company\":\"Lidl\",\"stores\":[1]}\n]\n",
        )
        .await;
    let updated = world
        .ask(&["margins", "store-groups", "bargains"], Asked::default())
        .await
        .unwrap();
    let names: Vec<&str> = updated.iter().map(|u| u.pipeline.as_str()).collect();
    assert_eq!(names, ["bargains", "margins", "store-groups"]);
    assert!(updated[0].outcome.is_failure());
    assert!(matches!(&updated[1].outcome, Outcome::Skipped { after } if after == "bargains"));
    assert!(matches!(updated[2].outcome, Outcome::Applied(_)));
    assert_eq!(world.pending("margins").await, [1]);
}

#[tokio::test]
async fn an_artifact_that_is_not_there_is_told_before_anything_begins() {
    let world = World::new().await;
    let asked = Asked {
        artifact: Some("7"),
        ..Asked::default()
    };
    let refused = world.ask(&["bargains"], asked).await;
    assert!(matches!(refused, Err(Error::UnknownArtifact { .. })));
}

#[tokio::test]
async fn a_database_in_use_is_busy_and_the_artifact_waits() {
    let world = World::new().await;
    world.receive("bargains", 1, &bargains([1], 1)).await;
    let path = world.folder.path().join("prices.db");
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let updated = world.update("bargains").await;
    assert_eq!(failed(&updated).source_kind(), Kind::Busy);
    assert_eq!(world.pending("bargains").await, [1]);
    other.execute_batch("rollback").unwrap();
    assert_eq!(
        told(counts(&world.update("bargains").await)),
        [1, 0, 0, 0, 0]
    );
}

/// The kind, as the edge sees it.
trait SourceKind {
    fn source_kind(&self) -> Kind;
}

impl SourceKind for Error {
    fn source_kind(&self) -> Kind {
        match self {
            Error::Database(database::Error::Busy { .. }) => Kind::Busy,
            Error::Database(database::Error::Conflict { .. }) => Kind::Data,
            other => panic!("{other}"),
        }
    }
}
