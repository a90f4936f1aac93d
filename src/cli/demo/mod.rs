//! `demo`: one whole turn of the loop on made-up data, in a new folder.
//!
//! Everything is real: a project's folder, a database, a server on a free port,
//! the same commands. Afterwards the folder works without the server.

use std::path::{Path, PathBuf};

use tokio::{net::TcpListener, sync::oneshot};

use super::{
    context::{Context, project_of},
    ending::Ending,
    query::{Over, print, rows},
    screen::grouped,
};
use crate::{
    config::{Config, Environment, Overrides},
    error::Result,
    events::{Event, Events},
    fetch, generate, load,
    report::{Report, Summary},
    serve, storage,
    synth::{self, Spec},
    update, upload,
    workbench::{self, About},
};

/// The arguments of `demo`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// New folder
    #[arg(default_value = "pricemill-demo")]
    pub(in crate::cli) dir: PathBuf,
}

/// What the demo shows at its end.
const BARGAINS: &str = include_str!("bargains.sql");
const GROUPS: &str = include_str!("groups.sql");

/// Runs the demo.
pub(in crate::cli) async fn run(outside: &Context, args: Args) -> Result<Ending> {
    let folder = outside.from.join(&args.dir);
    workbench::new_project(&folder, false)?;
    let export = make_export(outside, &folder).await?;

    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .map_err(io("listen on", "a free port"))?;
    let address = listener
        .local_addr()
        .map_err(io("listen on", "a free port"))?;
    let inside = inside(outside, &folder, &format!("http://{address}"))?;

    title(&inside, "load: CSV → database");
    let request = load::Request {
        paths: vec![export],
        ..load::Request::default()
    };
    load::run(&inside.env, &request).await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let service = serve::service(&inside.env, address.port())?;
    let server = tokio::spawn(serve::serve(listener, service, async {
        // Dropped or sent: either way it is time to stop.
        let _ = stopped.await;
    }));
    title(
        &inside,
        &format!("serve: the exports are at http://{address}/api/export/"),
    );
    let summary = turn(&inside).await;
    let _ = stop.send(());
    // A server that failed has shown itself in the turn already.
    let _ = server.await;
    let summary = summary?;

    show(&inside).await?;
    what_to_try(outside, &args.dir, &inside);
    Ok(Ending::counted(summary))
}

fn title(context: &Context, text: &str) {
    context.env.events.emit(Event::Title {
        text: text.to_owned(),
    });
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
async fn make_export(outside: &Context, folder: &Path) -> Result<PathBuf> {
    let export = folder.join("export");
    let country = synth::Export::new(&Spec::demo());
    let files = synth::Files {
        folder: &export,
        layout: synth::Layout::Named,
        format: synth::Format::Csv,
        order: synth::Order::Key,
    };
    synth::write(&country, files, &Events::silent()).await?;
    title(outside, "a made-up country");
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
    let key = random_key()?;
    let environment = Environment::of([
        ("INTERNAL_API_KEY", key.as_str()),
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
        outside.env.events.clone(),
        environment,
        folder.to_owned(),
    )
}

/// Returns a key that nobody else has.
fn random_key() -> Result<String> {
    let mut bytes = [0; 16];
    let filled = getrandom::fill(&mut bytes).map_err(std::io::Error::other);
    filled.map_err(io("read", "the system's randomness"))?;
    Ok(hex::encode(bytes))
}

async fn turn(inside: &Context) -> Result<Summary> {
    let env = &inside.env;
    title(inside, "fetch: exports → snapshot");
    let datasets: Vec<_> = env.project()?.datasets.keys().cloned().collect();
    let summary = fetch::run(env, &datasets).await?.summary();
    title(inside, "generate: snapshot → SQL → outbox");
    let generate = generate::Request {
        snapshot: Some("latest".to_owned()),
        ..generate::Request::default()
    };
    let summary = summary.and(generate::run(env, &generate).await?.summary());
    title(inside, "upload: outbox → inbox");
    let upload = upload::Request::default();
    let summary = summary.and(upload::run(env, &upload).await?.summary());
    title(inside, "update: inbox → database");
    let update = update::Request::default();
    Ok(summary.and(update::run(env, &update).await?.summary()))
}

async fn show(inside: &Context) -> Result<()> {
    for (text, sql, limit) in [
        ("\nthe best bargains", BARGAINS, 5),
        ("stores that price alike", GROUPS, 8),
    ] {
        title(inside, text);
        let about = About::Sql(sql.to_owned());
        print(inside, rows(inside, about, limit, Over::default()).await?).await?;
    }
    Ok(())
}

fn what_to_try(outside: &Context, dir: &Path, inside: &Context) {
    let program = program(&outside.environment, dir);
    let screen = &outside.screen;
    title(outside, "\nwhere things are");
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
        "  {}/sql/, pipelines/    the SQL and the manifests",
        dir.display()
    ));
    title(outside, "three things to try");
    screen.say(format!("  cd {}", dir.display()));
    let mut tries = Vec::new();
    let first = inside
        .env
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
            "change a number, and look at the counts".to_owned(),
        ));
        tries.push((
            show,
            format!("its rows; then edit sql/{name}/ and look again"),
        ));
    }
    tries.push((
        "status".to_owned(),
        "how far each pipeline has got".to_owned(),
    ));
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
