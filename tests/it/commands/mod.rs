//! Commands as users run them, one file a command.

mod analyst;
mod broken;
mod check;
mod contributing;
mod docs;
mod explain;
mod failures;
mod files;
mod findings;
mod load;
mod operator;
mod output;
mod query;
mod schema;
mod screens;
mod synth;
mod test;
mod turn;
mod tutorial;
