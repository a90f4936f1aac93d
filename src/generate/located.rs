//! Where in a pipeline's SQL a run failed.
//!
//! In comes the error of a model's plan, which holds the models that it reads inline; out
//! comes the same with the file, the line and the column, where its words show them.

use crate::{chain::chain, compile, engine::Error, pipeline::Pipeline};

/// Names the place of an operation that failed while `model` was computed.
pub(super) fn located(pipeline: &Pipeline, model: &str, error: Error) -> Error {
    let Error::Run { what, source } = error else {
        return error;
    };
    let inlined = pipeline.reads.inlined(model, &pipeline.output);
    let names = std::iter::once(model).chain(inlined);
    let files = names.filter_map(|name| pipeline.models.get(name));
    let says = chain(source.as_ref());
    let what = match compile::blamed(&says, files) {
        Some((file, at)) => {
            let place = file.place(at);
            let (line, column) = place.line_column();
            let (path, name) = (place.file.display(), &pipeline.name);
            format!("{path}:{line}:{column} (model `{model}` of {name})")
        }
        None => what,
    };
    Error::Run { what, source }
}
