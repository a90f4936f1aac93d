//! What waits in the inbox goes into the tables, once, or not at all.

mod failures;
mod refused;
mod tables;

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
