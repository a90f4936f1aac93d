//! The engine's own functions, one a file: ordinary SQL with a plain name.

mod arg_min;
mod arguments;
mod connected_components;
mod dbscan;
mod price_agreement;
mod store_comparison;
mod union_find;

use datafusion::prelude::SessionContext;

/// Registers every function of ours.
pub fn register(context: &SessionContext) {
    context.register_udaf(arg_min::arg_min());
    context.register_udaf(arg_min::arg_max());
    context.register_udaf(price_agreement::price_agreement());
    context.register_udaf(connected_components::connected_components());
    context.register_udwf(dbscan::dbscan());
}
