//! Commands as users run them, one file a command.

mod analyst;
mod broken;
mod check;
mod contributing;
mod docs;
mod empty;
mod explain;
mod failures;
mod files;
mod findings;
mod intake;
mod json;
mod load;
mod new;
mod operator;
mod output;
mod parameters;
mod query;
mod schema;
mod screens;
mod synth;
mod terminal;
mod test;
mod turn;
mod tutorial;
