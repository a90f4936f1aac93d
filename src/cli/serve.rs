//! `serve`: the exports, the uploads and `/healthz`.

use std::sync::Arc;

use super::{
    args::ServeArgs,
    context::{self, Context, Ending},
};
use crate::{
    error::Result,
    serve::{self, Keys, Service},
};

/// Serves until it is told to stop; requests in flight may finish.
pub(crate) async fn serve(context: &Context, args: &ServeArgs) -> Result<Ending> {
    let listener = tokio::net::TcpListener::bind(args.listen);
    let listener = listener.await.map_err(|source| serve::Error::Listen {
        address: args.listen.to_string(),
        source,
    })?;
    let address = listener.local_addr().unwrap_or(args.listen);
    let service = service(context, address.port())?;
    context.screen.say(format!("listening on http://{address}"));
    let stop = async {
        context::signal().await;
        context
            .screen
            .say("stopping: requests in flight may finish");
    };
    serve::serve(listener, service, stop).await?;
    Ok(Ending::silent())
}

/// Gathers what the server needs from the settings. Uploads on their way lie in a
/// folder of the port's own, so that the next server there can sweep it.
pub(crate) fn service(context: &Context, port: u16) -> Result<Service> {
    let keys = Keys::new(context.config.api_key.as_ref());
    let temp = context.data.local().unwrap_or_else(std::env::temp_dir);
    let temp = temp.join(format!(".uploads-{port}"));
    Ok(Service::new(
        Arc::new(context.project()?.clone()),
        context.database()?,
        context.inbox()?,
        context.config.serve.clone(),
        keys,
        temp,
    )?)
}
