//! The engine's own functions, one a file: ordinary SQL with a plain name.

mod arg_min;
mod arguments;
mod avg;
mod connected_components;
mod dbscan;
mod embed;
mod escape_html;
mod fold_case;
mod ids;
mod jaccard;
mod name_list;
mod normalize_name;
mod outline_path;
mod parse_size;
mod percentage;
mod price_agreement;
mod price_matrix;
mod similar_names;
mod similar_vectors;
mod slug;
mod sum;
mod token_set_ratio;
mod unit_list;
mod vector_set;

pub(crate) use arg_min::fits_64_bits;
#[cfg(test)]
pub(crate) use arg_min::is_fast;
pub(crate) use embed::embeds;
pub(crate) use escape_html::escaped as escaped_html;

use std::sync::Arc;

use datafusion::prelude::SessionContext;

use crate::embedding::Embedding;

/// Registers all of pricemill's own functions.
pub fn register(context: &SessionContext) {
    context.register_udaf(sum::sum());
    context.register_udaf(avg::avg());
    context.register_udaf(arg_min::arg_min());
    context.register_udaf(arg_min::arg_max());
    context.register_udaf(price_matrix::price_matrix());
    let (pool, threads) = (context.runtime_env().memory_pool.clone(), threads(context));
    context.register_udf(price_agreement::price_agreement(Arc::clone(&pool), threads));
    context.register_udaf(name_list::name_list());
    context.register_udf(similar_names::similar_names(Arc::clone(&pool), threads));
    context.register_udf(token_set_ratio::token_set_ratio());
    context.register_udf(parse_size::parse_size());
    context.register_udf(parse_size::find_size());
    context.register_udf(normalize_name::normalize_name());
    context.register_udf(jaccard::jaccard());
    context.register_udf(percentage::percentage());
    context.register_udaf(vector_set::vector_set());
    context.register_udf(similar_vectors::similar_vectors(pool, threads));
    let embedding = Embedding::of(&context.copied_config());
    context.register_udf(embed::embedding_model(&embedding));
    context.register_udf(embed::embed(embedding));
    context.register_udaf(connected_components::connected_components());
    context.register_udwf(dbscan::dbscan());
    context.register_udf(escape_html::escape_html());
    context.register_udf(outline_path::outline_path());
    context.register_udf(fold_case::fold_case());
    context.register_udf(slug::slug());
}

/// Returns how many threads the session's operators use.
fn threads(context: &SessionContext) -> usize {
    context.copied_config().target_partitions()
}

#[cfg(test)]
mod tests {
    use datafusion::{arrow::util::display::array_value_to_string, error::DataFusionError};

    use crate::{config::EngineConfig, engine::session};

    /// Returns the first value of an expression over the numbers 1 to 5, or to 0.
    async fn first(expression: &str, rows: u8) -> Result<String, DataFusionError> {
        let context = session(&EngineConfig::default()).unwrap();
        let numbers = format!("unnest(range(1, {})) as number", rows + 1);
        let sql = format!("select {expression} from (select {numbers})");
        let batches = context.sql(&sql).await?.collect().await?;
        array_value_to_string(batches[0].column(0), 0).map_err(DataFusionError::from)
    }

    async fn refusal(expression: &str) -> String {
        first(expression, 5).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn no_rows_give_an_empty_list_and_no_value() {
        let agreement = "price_agreement(price_matrix(number, number, number), 0, 99.5)";
        assert_eq!(first(agreement, 0).await.unwrap(), "[]");
        let components = "connected_components(number, number)";
        assert_eq!(first(components, 0).await.unwrap(), "[]");
        assert_eq!(first("arg_min(number, number)", 0).await.unwrap(), "");
    }

    #[tokio::test]
    async fn integers_and_decimals_will_do_for_settings() {
        let cluster = "dbscan(45, 16.5, 25, 3) over (order by number)";
        assert_eq!(first(cluster, 5).await.unwrap(), "0");
        assert_eq!(first(cluster, 2).await.unwrap(), "");
        let pairs = "cardinality(price_agreement(price_matrix(number, 1, 2.50), 0, 100))";
        assert_eq!(first(pairs, 5).await.unwrap(), "10");
    }

    #[tokio::test]
    async fn a_setting_that_makes_no_sense_is_named() {
        for (expression, said) in [
            (
                "dbscan(45, 16, number, 3) over (order by number)",
                "eps_km must be a constant",
            ),
            (
                "dbscan(45, 16, 0, 3) over (order by number)",
                "eps_km must be above 0",
            ),
            (
                "dbscan(45, 16, 25, 0) over (order by number)",
                "min_samples must be 1 or more",
            ),
            (
                "price_matrix(number, 1, cast(1 as double))",
                "price must be a decimal",
            ),
            (
                "price_agreement(price_matrix(number, 1, 1.00), 0, 100.1)",
                "min_agreement must be from 0 to 100",
            ),
            (
                "price_agreement(price_matrix(number, 1, 1.00), null, 99.5)",
                "min_prices must be a constant",
            ),
            (
                "price_agreement(price_matrix(number, 1, 1.00), 0, cast(99 as double))",
                "min_agreement must be from 0 to 100",
            ),
            (
                "price_agreement(count(*), 0)",
                "takes (price_matrix(store_id, product_id, price)",
            ),
        ] {
            let error = refusal(expression).await;
            assert!(error.contains(said), "{expression}: {error}");
        }
    }
}
