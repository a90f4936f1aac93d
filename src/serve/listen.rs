//! From a socket to [`app`], with limits that a plain accept loop lacks.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::TokioIo,
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use tower::ServiceExt;

use super::{Error, Result, Service, app, timer::ClockTimer};
use crate::clock::{self, Clock};

/// Serves until `shutdown` comes; then accepts nothing more, lets the requests in
/// flight finish, and cuts those that take too long.
///
/// # Errors
///
/// [`Error::Accept`] if the listener itself fails. What fails for one client is logged.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    let (limits, clock) = (service.limits, service.clock.clone());
    let timer = ClockTimer::new(clock.clone());
    let app = app(service);
    let free = Arc::new(Semaphore::new(limits.max_connections));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            accepted = accept(&listener, &free, &*clock) => {
                let (stream, peer, permit) = accepted?;
                let (app, watcher) = (app.clone(), graceful.watcher());
                let timer = (timer.clone(), limits.header_timeout);
                connections.spawn(async move {
                    connection(stream, peer, app, watcher, timer).await;
                    drop(permit);
                });
            }
            Some(_) = connections.join_next() => {}
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    let finished = clock::within(&*clock, limits.stop_timeout, graceful.shutdown());
    if finished.await.is_none() {
        tracing::warn!("requests still in flight were dropped");
    }
    Ok(()) // the set aborts what is left of the connections
}

/// Waits for a free place, then for a client.
async fn accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
    clock: &dyn Clock,
) -> Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = free.clone().acquire_owned().await;
    let permit = permit.map_err(|closed| Error::Accept(io::Error::other(closed)))?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return Ok((stream, peer, permit)),
            // A client that disconnected, or no file handle left: both are temporary.
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                clock.sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    watcher: Watcher,
    (timer, header_timeout): (ClockTimer, Duration),
) {
    let answer = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        app.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(timer)
        .header_read_timeout(header_timeout)
        .max_buf_size(64 << 10)
        .serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection was lost");
    }
}
