//! `demo`: one whole turn of the loop on made-up data, in a new folder.
//!
//! Everything is real: a project's folder, a database, a server on a free port,
//! the same commands. Afterwards the folder works without the server.

use std::path::Path;

use secrecy::ExposeSecret;
use tokio::{net::TcpListener, sync::oneshot};

use super::{
    args::{DemoArgs, FetchArgs, GenerateArgs, LoadArgs, Selection, UpdateArgs, UploadArgs},
    context::{Context, Ending, project_of},
    fetch, generate, load, new, query,
    screen::grouped,
    serve, update, upload,
};
use crate::{
    config::{Config, Environment, Overrides},
    error::Result,
    events::Progress,
    serve::serve as serve_on,
    service, storage,
    synth::{self, Spec},
};

/// What the demo shows at its end.
const BARGAINS: &str = include_str!("bargains.sql");
const GROUPS: &str = include_str!("groups.sql");

/// Runs the demo.
pub(crate) async fn demo(outside: &Context, args: DemoArgs) -> Result<Ending> {
    let folder = outside.from.join(&args.dir);
    let screen = &outside.screen;
    new::write_project(&folder)?;
    let export = make_export(outside, &folder).await?;

    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .map_err(io("listen on", "a free port"))?;
    let address = listener
        .local_addr()
        .map_err(io("listen on", "a free port"))?;
    let inside = inside(outside, &folder, &format!("http://{address}"))?;

    screen.title("load: CSV → database");
    load::load(
        &inside,
        &LoadArgs {
            paths: vec![export],
        },
    )
    .await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let service = serve::service(&inside, address.port())?;
    let server = tokio::spawn(serve_on(listener, service, async {
        // Dropped or sent: either way it is time to stop.
        let _ = stopped.await;
    }));
    screen.title(&format!(
        "serve: the exports are at http://{address}/api/export/"
    ));
    let ending = turn(&inside).await;
    let _ = stop.send(());
    // A server that failed has shown itself in the turn already.
    let _ = server.await;
    let ending = ending?;

    show(&inside).await?;
    what_to_try(outside, &args.dir, &inside);
    Ok(ending)
}

fn io(action: &'static str, path: &str) -> impl Fn(std::io::Error) -> storage::Error + use<> {
    let path = path.to_owned();
    move |source| storage::Error::Io {
        action,
        path: path.clone(),
        source,
    }
}

/// Makes up an export as CSV files.
async fn make_export(outside: &Context, folder: &Path) -> Result<std::path::PathBuf> {
    let export = folder.join("export");
    let country = synth::Export::new(&Spec::demo());
    let files = synth::Files {
        folder: &export,
        layout: synth::Layout::Named,
        format: synth::Format::Csv,
        order: synth::Order::Key,
    };
    synth::write(&country, files, &Progress::silent()).await?;
    outside.screen.title("a made-up country");
    outside.screen.say(format!(
        "{} stores of four companies, {} products, {} prices",
        country.stores(),
        grouped(u64::from(country.spec().products)),
        grouped(country.prices())
    ));
    Ok(export)
}

/// Returns what the commands work with inside the demo's folder.
fn inside(outside: &Context, folder: &Path, server: &str) -> Result<Context> {
    let key = service::random_key()?;
    let environment = Environment::of([
        ("INTERNAL_API_KEY", key.expose_secret()),
        ("PRICEMILL_PROFILE_DEV_SERVER", server),
    ]);
    let overrides = Overrides {
        profile: Some("dev".to_owned()),
        ..Overrides::default()
    };
    let config = Config::load(folder, &environment, &overrides)?;
    Context::new(
        config,
        project_of(folder),
        outside.screen.clone(),
        &environment,
        folder,
    )
}

async fn turn(inside: &Context) -> Result<Ending> {
    let selection = Selection::default();
    inside.screen.title("fetch: exports → snapshot");
    let datasets = inside.project()?.datasets.keys().cloned().collect();
    let ending = fetch::fetch(inside, &FetchArgs { datasets }).await?;
    inside.screen.title("generate: snapshot → SQL → outbox");
    let generate = GenerateArgs {
        selection: selection.clone(),
        snapshot: Some("latest".to_owned()),
        ..GenerateArgs::default()
    };
    let ending = ending.and(generate::generate(inside, &generate).await?);
    inside.screen.title("upload: outbox → inbox");
    let upload = UploadArgs {
        selection: selection.clone(),
        dry_run: false,
    };
    let ending = ending.and(upload::upload(inside, &upload).await?);
    inside.screen.title("update: inbox → database");
    let update = UpdateArgs {
        selection,
        ..UpdateArgs::default()
    };
    Ok(ending.and(update::update(inside, &update).await?))
}

async fn show(inside: &Context) -> Result<()> {
    inside.screen.title("\nthe best bargains");
    query::print_query(inside, BARGAINS, 5).await?;
    inside.screen.title("stores that price alike");
    query::print_query(inside, GROUPS, 8).await
}

fn what_to_try(outside: &Context, dir: &Path, inside: &Context) {
    let program = program(&outside.environment, dir);
    let screen = &outside.screen;
    screen.title("\nwhere things are");
    screen.say(format!(
        "  {}/data/pricemill.db   the database, with the derived tables",
        dir.display()
    ));
    screen.say(format!(
        "  {}/data/snapshots/     Parquet, readable by any tool",
        dir.display()
    ));
    screen.say(format!(
        "  {}/data/outbox/        the artifacts with their manifests",
        dir.display()
    ));
    screen.say(format!(
        "  {}/sql/, pipelines/    what made them",
        dir.display()
    ));
    screen.title("three things to try");
    screen.say(format!("  cd {}", dir.display()));
    let mut tries = Vec::new();
    let first = inside
        .project()
        .into_iter()
        .flat_map(|p| p.pipelines.values())
        .next();
    if let Some(pipeline) = first
        && let Some(param) = pipeline.params.keys().next()
    {
        let (name, flag) = (&pipeline.name, param.replace('_', "-"));
        let show = format!("show {} --limit 3", pipeline.relation());
        tries.push((
            format!("run {name} --{flag} 2"),
            "a number changed: look at the counts".to_owned(),
        ));
        tries.push((
            show,
            format!("its rows; then edit sql/{name}/ and look again"),
        ));
    }
    tries.push(("status".to_owned(), "each pipeline at each hop".to_owned()));
    for (command, what) in tries {
        screen.say(format!("  {program} {command:<26} {what}"));
    }
}

/// Returns how the user calls this program from the demo's folder.
fn program(environment: &Environment, dir: &Path) -> String {
    let Ok(program) = std::env::current_exe() else {
        return "pricemill".to_owned();
    };
    let on_path = environment.get("PATH").is_some_and(|path| {
        std::env::split_paths(path).any(|folder| program.parent() == Some(&folder))
    });
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| program.strip_prefix(here).ok().map(Path::to_owned));
    match below {
        _ if on_path => "pricemill".to_owned(),
        Some(below) if dir.is_relative() => {
            let up = dir.components().map(|_| "..").collect::<Vec<_>>().join("/");
            format!("{up}/{}", below.display())
        }
        _ => program.display().to_string(),
    }
}
