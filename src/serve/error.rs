//! The server's error responses: always JSON, as in its contract.

use std::{any::Any, error::Error as StdError, io};

use axum::{
    Json,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{
    chain::{causes, chain},
    database, inbox, json,
    kind::Kind,
    storage,
};

/// A request that is not answered with what it asked for.
///
/// Exports and keys are refused with `detail`, uploads with `error`, as the existing
/// service does.
#[derive(Debug)]
pub(super) enum Refusal {
    /// 401.
    Key,
    /// 404 for a path.
    NotFound,
    /// 404 for a page.
    InvalidPage,
    /// 405.
    Method(Method),
    /// 406.
    NotAcceptable,
    /// 429, with the seconds to wait.
    Throttled(u64),
    /// 503 or worse: the database did not answer.
    Database(database::Error),
    /// An upload, with its status and the reason.
    Upload(StatusCode, String),
    /// 422.
    Contract(json::Error),
    /// 409 and others.
    Inbox(inbox::Error),
    /// 507 or 500: the server's own disk.
    Disk(io::Error),
    /// 500: a bug.
    Bug(String),
}

pub(super) type Result<T, E = Refusal> = std::result::Result<T, E>;

impl Refusal {
    /// Refuses an upload.
    pub(super) fn upload(status: StatusCode, reason: impl Into<String>) -> Refusal {
        Refusal::Upload(status, reason.into())
    }

    fn status(&self) -> StatusCode {
        match self {
            Refusal::Key => StatusCode::UNAUTHORIZED,
            Refusal::NotFound | Refusal::InvalidPage => StatusCode::NOT_FOUND,
            Refusal::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Refusal::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Refusal::Database(error) => server_status(error.kind()),
            Refusal::Upload(status, _) => *status,
            Refusal::Contract(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::Inbox(inbox::Error::Conflict { .. }) => StatusCode::CONFLICT,
            Refusal::Inbox(error) if is_full(error) => StatusCode::INSUFFICIENT_STORAGE,
            Refusal::Inbox(error) => server_status(error.kind()),
            Refusal::Disk(error) if is_full(error) => StatusCode::INSUFFICIENT_STORAGE,
            Refusal::Disk(_) | Refusal::Bug(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn body(&self) -> Value {
        match self {
            Refusal::Key => {
                json!({"detail": "Authentication credentials were not provided or are wrong."})
            }
            Refusal::NotFound => json!({"detail": "Not found."}),
            Refusal::InvalidPage => json!({"detail": "Invalid page."}),
            Refusal::Method(method) => {
                json!({"detail": format!("Method \"{method}\" not allowed.")})
            }
            Refusal::NotAcceptable => {
                json!({"detail": "Could not satisfy the request Accept header."})
            }
            Refusal::Throttled(seconds) => json!({"detail": format!(
                "Request was throttled. Expected available in {seconds} seconds."
            )}),
            Refusal::Database(_) => json!({"detail": "The database did not answer."}),
            Refusal::Upload(_, reason) => json!({"error": reason}),
            Refusal::Contract(error) => contract_body(error),
            Refusal::Inbox(error @ inbox::Error::Conflict { highest, .. }) => {
                json!({"error": error.to_string(), "highest": highest})
            }
            Refusal::Inbox(_) | Refusal::Disk(_) => {
                json!({"error": "the upload could not be stored"})
            }
            Refusal::Bug(_) => json!({"detail": "Internal server error."}),
        }
    }

    /// The server's own faults are logged here, where they are handled: the answer
    /// names no path and no cause.
    fn log(&self) {
        match self {
            Refusal::Database(error) => tracing::error!(error = chain(error), "database failed"),
            Refusal::Inbox(inbox::Error::Conflict { .. }) => {}
            Refusal::Inbox(error) => tracing::error!(error = chain(error), "inbox failed"),
            Refusal::Disk(error) => tracing::error!(error = chain(error), "disk failed"),
            Refusal::Bug(what) => tracing::error!(what, "bug"),
            _ => {}
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.log();
        let mut response = (self.status(), Json(self.body())).into_response();
        if let Refusal::Throttled(seconds) = self {
            let seconds = HeaderValue::from(seconds);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

impl From<database::Error> for Refusal {
    fn from(error: database::Error) -> Refusal {
        Refusal::Database(error)
    }
}

fn server_status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Unavailable | Kind::Busy | Kind::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn contract_body(error: &json::Error) -> Value {
    match error {
        json::Error::Row(row) => {
            json!({"error": error.to_string(), "row": row.row, "field": row.field})
        }
        json::Error::Syntax { line, column, .. } => {
            json!({"error": error.to_string(), "line": line, "column": column})
        }
        json::Error::Layout { line, .. } => json!({"error": error.to_string(), "line": line}),
        _ => json!({"error": error.to_string()}),
    }
}

/// Returns whether a full disk or an exhausted quota is at the bottom of an error.
fn is_full(error: &(dyn StdError + 'static)) -> bool {
    let full = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    };
    causes(error).any(|error| {
        error.downcast_ref().is_some_and(full)
            || matches!(error.downcast_ref(), Some(storage::Error::Io { source, .. }) if full(source))
    })
}

/// Answers a request whose handler panicked.
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    Refusal::Bug(text.unwrap_or("a handler panicked").to_owned()).into_response()
}

/// Keeps browsers from taking an answer for anything but what it says it is.
pub(super) async fn no_sniffing(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_507_however_deep_it_lies() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(Refusal::Disk(full()).status(), 507);
        let stored = storage::Error::Store {
            action: "write",
            path: "inbox".into(),
            source: Box::new(object_store::Error::Generic {
                store: "folder",
                source: Box::new(full()),
            }),
        };
        assert_eq!(Refusal::Inbox(stored.into()).status(), 507);
        let other = io::Error::other("broken");
        assert_eq!(Refusal::Disk(other).status(), 500);
    }

    #[test]
    fn a_panic_tells_nothing_of_itself() {
        let response = panicked(Box::new("the key is hunter2"));
        assert_eq!(response.status(), 500);
    }
}
