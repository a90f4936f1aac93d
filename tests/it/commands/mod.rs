//! Commands as users run them, one file a command.

mod check;
mod docs;
mod explain;
mod files;
mod load;
mod output;
mod schema;
mod synth;
mod test;
mod turn;
mod tutorial;
