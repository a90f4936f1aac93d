//! stub
use super::{
    args::UpdateArgs,
    context::{Context, Ending},
};
use crate::error::Result;
pub(crate) async fn update(context: &Context, args: &UpdateArgs) -> Result<Ending> {
    if args.archive {
        return super::archive::restore(context, args).await;
    }
    let _ = context;
    Ok(Ending::default())
}
