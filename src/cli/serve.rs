//! `serve`: the exports, the uploads and `/healthz`.

use super::{
    context::{self, Context},
    ending::Ending,
};
use crate::{error::Result, serve};

/// The arguments of `serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:8000", value_name = "ADDR")]
    pub(super) listen: std::net::SocketAddr,
}

/// Serves until it is asked to stop; requests in flight may finish.
pub(super) async fn run(context: &Context, args: Args) -> Result<Ending> {
    let listener = tokio::net::TcpListener::bind(args.listen);
    let listener = listener.await.map_err(|source| serve::Error::Listen {
        address: args.listen.to_string(),
        source,
    })?;
    let address = listener.local_addr().unwrap_or(args.listen);
    let service = serve::service(&context.env, address.port())?;
    context.say_left_out()?;
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
