//! Where in a pipeline's SQL a run failed, and for which row.
//!
//! In comes the error of a plan, which holds the models that it reads inline; out comes the
//! same with the file, the line and the column, and the row, where they are found.

use datafusion::logical_expr::LogicalPlan;

use crate::{
    compile::{Compiled, Failed},
    engine::Error,
    pipeline::{Pipeline, SqlFile},
};

/// A part of a pipeline that failed.
pub(super) struct Part<'a> {
    /// What it is: `model `extremes` of bargains`.
    pub(super) name: String,
    /// The files whose SQL is in its plan.
    pub(super) files: Vec<&'a SqlFile>,
    pub(super) plan: &'a LogicalPlan,
}

impl<'a> Part<'a> {
    /// Returns a model with those that are computed along with it.
    pub(super) fn model(pipeline: &'a Pipeline, model: &str, plan: &'a LogicalPlan) -> Part<'a> {
        let inlined = pipeline.reads.inlined(model, &pipeline.output);
        let names = std::iter::once(model).chain(inlined);
        Part {
            name: format!("model `{model}` of {}", pipeline.name),
            files: names.filter_map(|name| pipeline.models.get(name)).collect(),
            plan,
        }
    }

    /// Returns a check; what it reads is computed by then, or a part of it.
    pub(super) fn check(pipeline: &'a Pipeline, check: &str, plan: &'a LogicalPlan) -> Part<'a> {
        let own = pipeline.rules.get(check).into_iter();
        Part {
            name: format!("check `{check}` of {}", pipeline.name),
            files: own.chain(pipeline.models.values()).collect(),
            plan,
        }
    }

    /// Names the place and the row of the operation that failed.
    pub(super) async fn located(self, compiled: &Compiled, error: Error) -> Error {
        let Error::Run { what, source } = error else {
            return error;
        };
        let failed = Failed {
            planner: &compiled.planner,
            plan: self.plan,
            files: self.files,
            keys: &compiled.keys,
        };
        let culprit = failed.culprit(&source).await;
        let what = match culprit.place {
            Some(place) => {
                let (line, column) = place.line_column();
                format!("{}:{line}:{column} ({})", place.file.display(), self.name)
            }
            None => what,
        };
        let what = match culprit.row {
            Some(row) => format!("{what}, in the row {row}"),
            None => what,
        };
        Error::Run { what, source }
    }
}
