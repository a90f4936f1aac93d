//! `lineage`: what each model reads, as the SQL says.

use super::{
    context::Context,
    ending::Ending,
    left_out,
    screen::{Output, print_report, print_text},
    selection::Selection,
};
use crate::{
    error::Result,
    report::{Lineage, PipelineOutput, Report},
    workbench,
};

/// The arguments of `lineage`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(skip)]
    pub(super) selection: Selection,
}

/// Prints each pipeline's models and what they read, from the output down.
pub(super) fn run(context: &Context, args: Args) -> Result<Ending> {
    let lineage = workbench::lineage(&context.env, &args.selection.names)?;
    match context.screen.output() {
        Output::Text => {
            let trees = lineage.outputs.iter().map(|output| tree(&lineage, output));
            print_text(&trees.collect::<String>());
        }
        output => print_report(&lineage, output)?,
    }
    let errors = left_out::findings(&lineage.left_out);
    let lines = left_out::lines(&lineage.left_out);
    errors
        .iter()
        .chain(&lines)
        .for_each(|it| context.screen.show(it));
    Ok(Ending::uncounted(lineage.summary()))
}

fn tree(lineage: &Lineage, output: &PipelineOutput) -> String {
    let PipelineOutput {
        pipeline,
        model,
        file,
    } = output;
    let mut text = format!("{pipeline} → {file}\n");
    let mut open = vec![(1, model.as_str(), "model")];
    while let Some((depth, name, kind)) = open.pop() {
        let indent = "  ".repeat(depth);
        if kind != "model" {
            text += &format!("{indent}{name}  ({kind})\n");
            continue;
        }
        text += &format!("{indent}{name}\n");
        let edges = lineage.edges.iter().rev();
        let below = edges.filter(|edge| edge.pipeline == *pipeline && edge.reader == name);
        open.extend(below.map(|edge| (depth + 1, edge.reads.as_str(), edge.kind)));
    }
    text
}
