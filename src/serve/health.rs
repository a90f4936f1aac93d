//! `/healthz`: whether the server works. Needs no key, reveals nothing else.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::Service;

/// Answers 200 when the database does, else 503.
pub(super) async fn healthz(State(service): State<Service>) -> Response {
    match service.database.ping().await {
        Ok(()) => Json(json!({"status": "ok"})).into_response(),
        Err(error) => {
            tracing::error!(%error, "the database does not answer");
            let body = Json(json!({"status": "the database does not answer"}));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}
