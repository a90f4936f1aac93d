//! The exports, the uploads and `/healthz`, over HTTP.
//!
//! [`app`] answers requests and is tested without a socket; [`serve`] feeds it from
//! one. Every request but `/healthz` shows its key before anything else is looked at.
//! Exports only read the database, uploads only write to the inbox.

mod accept;
mod auth;
mod body;
mod columnar;
mod error;
mod exports;
mod gunzip;
mod health;
mod listen;
mod service;
mod throttle;
mod timer;
mod uploads;

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};
use tower_http::catch_panic::CatchPanicLayer;

pub use auth::Keys;
pub use listen::serve;
pub use service::service;

use crate::{
    clock::{SharedClock, SystemClock},
    config::ServeConfig,
    database::Database,
    diagnostics::Finding,
    env,
    inbox::Inbox,
    kind::Kind,
    pipeline::Project,
};
use error::Refusal;
use throttle::Throttle;

/// Why the server could not start or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The project, the database or a place is not to be had.
    #[error(transparent)]
    Env(#[from] env::Error),
    /// The folder for uploads on their way could not be made or emptied.
    #[error("could not prepare {path} for uploads")]
    Temp {
        /// The folder's path.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// No key is configured: nobody could be let in.
    #[error("there is no key for clients to authenticate with")]
    NoKey,
    /// The address cannot be listened on.
    #[error("could not listen on {address}")]
    Listen {
        /// The address, as `--listen` names it.
        address: String,
        /// The system's own error.
        source: io::Error,
    },
    /// The listener failed.
    #[error("could not accept connections")]
    Accept(#[source] io::Error),
}

/// A result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Error::Temp { .. } | Error::Listen { .. } | Error::Accept(_) => Kind::Failed,
            Error::NoKey => Kind::Usage,
            Error::Env(error) => error.kind(),
        }
    }

    pub(crate) fn findings(&self) -> &[Finding] {
        match self {
            Error::Env(error) => error.findings(),
            Error::Temp { .. } | Error::NoKey | Error::Listen { .. } | Error::Accept(_) => &[],
        }
    }

    /// Returns what the user can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Env(error) => error.hint(),
            Error::NoKey => Some("set INTERNAL_API_KEY".to_owned()),
            Error::Listen { .. } => Some("choose a free address with --listen".to_owned()),
            Error::Temp { .. } | Error::Accept(_) => None,
        }
    }
}

/// What a connection may take of the server.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long a client may take to send a request's headers.
    pub header_timeout: Duration,
    /// How long a client may stay silent within an upload.
    pub body_timeout: Duration,
    /// How long requests in flight may go on once the server is asked to stop.
    pub stop_timeout: Duration,
    /// The most connections at once.
    pub max_connections: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(30),
            max_connections: 512,
        }
    }
}

/// What the server serves, and to whom. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Service {
    project: Arc<Project>,
    database: Arc<dyn Database>,
    inbox: Inbox,
    config: ServeConfig,
    keys: Keys,
    throttle: Arc<Throttle>,
    clock: SharedClock,
    temp: PathBuf,
    limits: Limits,
}

impl Service {
    /// Gathers what the server needs. `temp` is a folder of the server's own, where
    /// uploads are kept while they are checked; what a killed server left there is removed.
    ///
    /// # Errors
    ///
    /// [`Error::NoKey`] without a key, and [`Error::Temp`] if `temp` cannot be made or emptied.
    pub fn new(
        project: Arc<Project>,
        database: Arc<dyn Database>,
        inbox: Inbox,
        config: ServeConfig,
        keys: Keys,
        temp: PathBuf,
    ) -> Result<Service> {
        if keys.is_empty() {
            return Err(Error::NoKey);
        }
        uploads::sweep(&temp).map_err(|source| Error::Temp {
            path: temp.clone(),
            source,
        })?;
        let clock = SystemClock::shared();
        let throttle = Arc::new(Throttle::new(&config, clock.clone()));
        Ok(Service {
            project,
            database,
            inbox,
            config,
            keys,
            throttle,
            clock,
            temp,
            limits: Limits::default(),
        })
    }

    /// Takes the time from that clock, not from the system's.
    pub fn with_clock(self, clock: SharedClock) -> Service {
        let throttle = Arc::new(Throttle::new(&self.config, clock.clone()));
        Service {
            throttle,
            clock,
            ..self
        }
    }

    /// Replaces the limits of connections.
    pub fn with_limits(self, limits: Limits) -> Service {
        Service { limits, ..self }
    }
}

/// Returns the whole server as a service of requests.
///
/// Exports and uploads answer with and without the trailing slash: a redirect would
/// lose a POST's body.
///
/// ```
/// # use std::sync::Arc;
/// # use axum::{body::Body, http::{Request, StatusCode}};
/// # use pricemill::{config::ServeConfig, database, inbox::Inbox, pipeline::Project};
/// # use pricemill::{serve::{Keys, Service, app}, storage::Location};
/// # use tower::ServiceExt;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let service = Service::new(
///     Arc::new(Project::load(folder.path())?),
///     database::open("sqlite:shop.db", folder.path())?,
///     Inbox::new(Location::in_memory(), Location::in_memory()),
///     ServeConfig::default(),
///     Keys::new(&["choose-one".into()]),
///     folder.path().join("uploads"),
/// )?;
/// let request = Request::get("/healthz").body(Body::empty())?;
/// let response = app(service).oneshot(request).await?;
/// assert_eq!(response.status(), StatusCode::OK);
/// # Ok(())
/// # }
/// ```
pub fn app(service: Service) -> Router {
    let guarded = Router::new()
        .route("/api/export/{endpoint}", get(exports::export))
        .route("/api/export/{endpoint}/", get(exports::export))
        .route("/api/upload/{endpoint}", post(uploads::upload))
        .route("/api/upload/{endpoint}/", post(uploads::upload))
        .fallback(async || Refusal::NotFound)
        .method_not_allowed_fallback(async |method| Refusal::Method(method))
        .layer(DefaultBodyLimit::disable()) // `body` has its own, counted as it is read
        .layer(from_fn_with_state(service.clone(), auth::guard));
    Router::new()
        .route("/healthz", get(health::healthz))
        .merge(guarded)
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn(error::no_sniffing))
        .with_state(service)
}
