//! `embed(text)`: the text's vector, `float[]`, by the model that [embedding] names;
//! `embedding_model()`: that model's name there, `ngram`, `minilm` or `file`.
//!
//! A vector has length 1, so that the cosine of two is the sum of their products; null
//! has none. Each text of a batch is embedded once, however often it comes. Cost and
//! memory are the model's (see the modules of `embedding`); a model is opened when the
//! first text comes.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::Arc,
};

use async_trait::async_trait;
use datafusion::{
    arrow::{
        array::{AsArray, ListArray, StringArray, UInt32Array},
        compute::take,
        datatypes::DataType,
    },
    common::tree_node::{TreeNode, TreeNodeRecursion},
    common::{Result, ScalarValue, exec_err},
    logical_expr::{
        ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        Volatility,
        async_udf::{AsyncScalarUDF, AsyncScalarUDFImpl},
        expr::ScalarFunction,
    },
};

use crate::embedding::{Embedding, Text, to_lists, vector_type};

const NAME: &str = "embed";

/// Returns `embed`, by a session's model.
pub(super) fn embed(embedding: Arc<Embedding>) -> ScalarUDF {
    let signature = Signature::string(1, Volatility::Immutable);
    let function = Embed {
        signature,
        embedding,
    };
    AsyncScalarUDF::new(Arc::new(function)).into_scalar_udf()
}

/// Returns `embedding_model`.
pub(super) fn embedding_model(embedding: &Embedding) -> ScalarUDF {
    let signature = Signature::nullary(Volatility::Immutable);
    let name = embedding.setting();
    EmbeddingModel { signature, name }.into()
}

/// Returns whether a plan embeds texts.
pub(crate) fn embeds(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            found |= expression.exists(|part| Ok(is_embed(part)))?;
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(found)
}

fn is_embed(expression: &Expr) -> bool {
    match expression {
        Expr::ScalarFunction(ScalarFunction { func, .. }) => func.name() == NAME,
        _ => false,
    }
}

#[derive(Debug)]
struct Embed {
    signature: Signature,
    embedding: Arc<Embedding>,
}

impl PartialEq for Embed {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.embedding, &other.embedding)
    }
}

impl Eq for Embed {}

impl Hash for Embed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        NAME.hash(state);
    }
}

impl ScalarUDFImpl for Embed {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(vector_type())
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!("{NAME} can only run asynchronously")
    }
}

#[async_trait]
impl AsyncScalarUDFImpl for Embed {
    async fn invoke_async_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts = given.args[0].cast_to(&DataType::Utf8, None)?;
        let texts = texts.to_array(given.number_rows)?;
        let (distinct, places) = distinct(texts.as_string());
        let vectors = self.vectors(&distinct).await?;
        Ok(ColumnarValue::Array(take(&vectors, &places, None)?))
    }
}

impl Embed {
    async fn vectors(&self, texts: &[Text]) -> Result<ListArray> {
        if texts.is_empty() {
            return to_lists(Vec::new(), 1);
        }
        let vectors = self.embedding.embed(texts).await?;
        let dimension = vectors.len() / texts.len();
        to_lists(vectors, dimension)
    }
}

/// Returns the texts, each once, in the order they come, and of each row the place of its
/// text among them.
fn distinct(column: &StringArray) -> (Vec<Text>, UInt32Array) {
    let mut texts: Vec<Text> = Vec::new();
    let mut known = HashMap::new();
    let mut place = |text: &str| match known.get(text) {
        Some(place) => *place,
        None => {
            let place = texts.len() as u32;
            texts.push(text.into());
            known.insert(texts[place as usize].clone(), place);
            place
        }
    };
    let places = column.iter().map(|text| text.map(&mut place)).collect();
    (texts, places)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct EmbeddingModel {
    signature: Signature,
    name: &'static str,
}

impl ScalarUDFImpl for EmbeddingModel {
    fn name(&self) -> &str {
        "embedding_model"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(ScalarValue::from(self.name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_comes_once_and_a_null_has_none() {
        let column = StringArray::from(vec![Some("b"), None, Some("a"), Some("b")]);
        let (texts, places) = distinct(&column);
        assert_eq!(texts, [Text::from("b"), Text::from("a")]);
        let expected = UInt32Array::from(vec![Some(0), None, Some(1), Some(0)]);
        assert_eq!(places, expected);
    }
}
