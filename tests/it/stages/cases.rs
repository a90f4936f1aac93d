//! The stages as library functions over one environment: no command, no process.

use std::sync::{Arc, Mutex};

use pricemill::{
    clock::SystemClock,
    config::{Config, Environment, Overrides},
    env::Env,
    events::{Event, Events, Sink},
    fetch, generate, load,
    pipeline::Project,
    report::{GenerateOutcome, Report, Step, UpdateOutcome, UploadOutcome},
    runs::Steps,
    status, turn, update, upload, workbench,
};

use crate::support::shop::{PRICES, PRODUCTS, STORES};

/// How many tables the shop's files fill.
const LOADED: usize = 8;

/// Keeps every event.
#[derive(Default)]
struct Seen(Mutex<Vec<Event>>);

impl Sink for Seen {
    fn receive(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Seen {
    /// Returns the kinds of the events since the last call, each once in a row, but for
    /// progress, which depends on the machine.
    fn kinds(&self) -> Vec<String> {
        let events = std::mem::take(&mut *self.0.lock().unwrap());
        let kinds = events.iter().map(|event| {
            let event = serde_json::to_value(event).unwrap();
            let step = event.get("step").and_then(|step| step.as_str());
            step.unwrap_or(event["event"].as_str().unwrap()).to_owned()
        });
        let mut kinds: Vec<String> = kinds.filter(|kind| kind != "task_advanced").collect();
        kinds.dedup();
        kinds
    }
}

struct Shop {
    env: Env,
    seen: Arc<Seen>,
    steps: Arc<Steps>,
    _folder: tempfile::TempDir,
}

impl Shop {
    async fn open() -> Shop {
        let folder = tempfile::tempdir().unwrap();
        let export = folder.path().join("export");
        std::fs::create_dir(&export).unwrap();
        for (name, text) in [
            ("stores", STORES),
            ("products", PRODUCTS),
            ("prices", PRICES),
        ] {
            std::fs::write(export.join(format!("{name}.csv")), text).unwrap();
        }
        let environment = Environment::default();
        let config = Config::load(folder.path(), &environment, &Overrides::default()).unwrap();
        let (seen, steps) = (Arc::new(Seen::default()), Arc::new(Steps::default()));
        let events = Events::new(vec![seen.clone(), steps.clone()]);
        let project = Project::load(folder.path());
        let env = Env::open(config, project, SystemClock::shared(), events).unwrap();
        let request = load::Request {
            paths: vec![export],
            ..load::Request::default()
        };
        let loaded = load::run(&env, &request).await.unwrap();
        assert_eq!(loaded.tables.len(), LOADED, "{loaded:?}");
        seen.kinds();
        Shop {
            env,
            seen,
            steps,
            _folder: folder,
        }
    }
}

fn bargains() -> generate::Request {
    generate::Request {
        pipelines: vec!["bargains".to_owned()],
        ..generate::Request::default()
    }
}

#[tokio::test]
async fn fetch_generate_upload_and_update_need_no_command() {
    let shop = Shop::open().await;
    let env = &shop.env;
    let fetched = fetch::run(env, &["prices".to_owned()]).await.unwrap();
    assert_eq!(fetched.datasets[0].rows, 7);
    assert_eq!(
        shop.seen.kinds(),
        ["task_begun", "task_ended", "fetch", "snapshot_committed"]
    );
    let request = generate::Request {
        snapshot: Some(fetched.snapshot),
        ..bargains()
    };
    let generated = generate::run(env, &request).await.unwrap();
    assert_eq!(generated.pipelines[0].outcome, GenerateOutcome::Committed);
    assert_eq!(generated.summary().pass, 1);
    assert_eq!(
        shop.seen.kinds(),
        [
            "task_begun",
            "model_computed",
            "checked",
            "output_written",
            "task_ended",
            "generate"
        ]
    );
    let again = generate::run(env, &request).await.unwrap();
    assert_eq!(again.pipelines[0].outcome, GenerateOutcome::Unchanged);
    assert_eq!(again.pipelines[0].artifact, generated.pipelines[0].artifact);
    let request = upload::Request {
        pipelines: vec!["bargains".to_owned()],
        dry_run: true,
    };
    let pending = upload::run(env, &request).await.unwrap();
    assert_eq!(pending.pipelines[0].outcome, UploadOutcome::Pending);
    let request = upload::Request {
        dry_run: false,
        ..request
    };
    let uploaded = upload::run(env, &request).await.unwrap();
    assert_eq!(uploaded.pipelines[0].outcome, UploadOutcome::Uploaded);
    let request = update::Request {
        pipelines: vec!["bargains".to_owned()],
        ..update::Request::default()
    };
    let updated = update::run(env, &request).await.unwrap();
    assert_eq!(updated.pipelines[0].outcome, UpdateOutcome::Applied);
    assert_eq!(updated.pipelines[0].tables[0].inserted, 1);
    let status = status::run(env, &["bargains".to_owned()], 0).await.unwrap();
    assert_eq!(status.pipelines[0].state, Some("applied"));
    let steps = shop.steps.so_far();
    let names = steps.iter().filter_map(|step| step.first());
    let names: Vec<_> = names
        .map(|(key, name)| (key.as_str(), name.as_str()))
        .collect();
    let step = |name| ("step", Some(name));
    assert_eq!(
        names[LOADED..LOADED + 3],
        [step("fetch"), step("generate"), step("generate")]
    );
}

#[tokio::test]
async fn a_pipeline_is_committed_before_the_next_begins_and_none_begins_after_a_failure() {
    let shop = Shop::open().await;
    let datasets = ["prices".to_owned(), "stores".to_owned()];
    let fetched = fetch::run(&shop.env, &datasets).await.unwrap();
    let begun_and_settled = || {
        let mut kinds = shop.seen.kinds();
        kinds.retain(|kind| kind == "task_begun" || kind == "generate");
        kinds
    };
    begun_and_settled();
    let request = generate::Request {
        pipelines: vec!["bargains".to_owned(), "store-groups".to_owned()],
        snapshot: Some(fetched.snapshot),
        fail_fast: true,
        ..generate::Request::default()
    };
    generate::run(&shop.env, &request).await.unwrap();
    assert_eq!(
        begun_and_settled(),
        ["task_begun", "generate", "task_begun", "generate"]
    );
    let request = generate::Request {
        params: vec!["bargains.min_ratio=9".to_owned()],
        ..request
    };
    let failed = generate::run(&shop.env, &request).await.unwrap();
    assert_eq!(failed.pipelines[0].outcome, GenerateOutcome::Refused);
    assert_eq!(failed.pipelines[1].after.as_deref(), Some("bargains"));
    // Steps in a row are one: the second was skipped.
    assert_eq!(begun_and_settled(), ["task_begun", "generate"]);
}

#[tokio::test]
async fn a_turn_is_one_list_of_steps() {
    let shop = Shop::open().await;
    let turned = turn::run(&shop.env, &bargains()).await.unwrap();
    let kinds = turned.steps.iter().map(|step| match step {
        Step::Generate(_) => "generate",
        Step::Upload(_) => "upload",
        Step::Update(_) => "update",
        _ => "other",
    });
    assert_eq!(kinds.collect::<Vec<_>>(), ["generate", "upload", "update"]);
    assert_eq!(turned.summary().pass, 3);
}

#[tokio::test]
async fn a_check_reports_what_keeps_a_project_from_being_read() {
    let shop = Shop::open().await;
    let sound = workbench::check(&shop.env, &[]).await.unwrap();
    assert!(sound.is_sound() && !sound.promises.is_empty());
    let root = &shop.env.config.root;
    std::fs::create_dir(root.join("pipelines")).unwrap();
    std::fs::write(root.join("pipelines/a.toml"), "outputt = 1").unwrap();
    let (config, clock) = (shop.env.config.clone(), shop.env.clock.clone());
    let project = Project::load(root);
    let env = Env::open(config, project, clock, Events::silent()).unwrap();
    let found = workbench::check(&env, &[]).await.unwrap();
    assert_eq!(found.summary().exit_code(), 2);
    assert!(!found.findings.is_empty());
    let lineage = workbench::lineage(&env, &[]);
    assert!(lineage.is_err(), "what needs the project refuses it");
}
