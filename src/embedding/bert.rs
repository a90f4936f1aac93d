//! The network of BERT (Devlin et al., 2018), as far as embedding needs it: texts of one
//! length in tokens, no padding, no second sentence.

use std::convert::identity;

use candle_core::{D, Module, Result, Tensor, bail};
use candle_nn::{
    Embedding, LayerNorm, Linear, VarBuilder, embedding, layer_norm, linear_no_bias,
    ops::softmax_last_dim,
};
use serde::Deserialize;

use super::{gelu::gelu, in_place::AddRowThen};

/// What `config.json` says of the network.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Config {
    vocab_size: usize,
    pub(super) hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    hidden_act: String,
    pub(super) max_position_embeddings: usize,
    type_vocab_size: usize,
    layer_norm_eps: f64,
}

/// The network and its weights.
pub(super) struct Bert {
    words: Embedding,
    positions: Tensor,
    /// The vector of the first sentence, which is the only one.
    first: Tensor,
    norm: LayerNorm,
    layers: Vec<Layer>,
}

impl Bert {
    /// Takes the weights by the names they are published under.
    pub(super) fn load(weights: VarBuilder, config: &Config) -> Result<Bert> {
        if config.hidden_act != "gelu" {
            bail!(
                "hidden_act is {}, and only gelu is known",
                config.hidden_act
            );
        }
        let (size, of) = (config.hidden_size, weights.pp("embeddings"));
        let table = |rows: usize, name: &str| of.pp(name).get((rows, size), "weight");
        let layers = (0..config.num_hidden_layers)
            .map(|layer| Layer::load(weights.pp(format!("encoder.layer.{layer}")), config));
        Ok(Bert {
            words: embedding(config.vocab_size, size, of.pp("word_embeddings"))?,
            positions: table(config.max_position_embeddings, "position_embeddings")?,
            first: table(config.type_vocab_size, "token_type_embeddings")?.narrow(0, 0, 1)?,
            norm: layer_norm(size, config.layer_norm_eps, of.pp("LayerNorm"))?,
            layers: layers.collect::<Result<_>>()?,
        })
    }

    /// Returns a vector for each token; `ids` are texts by tokens.
    pub(super) fn forward(&self, ids: &Tensor) -> Result<Tensor> {
        let positions = self.positions.narrow(0, 0, ids.dim(1)?)?;
        let summed = self.words.forward(ids)?;
        summed.inplace_op2(&self.first, &AddRowThen(identity))?;
        summed.inplace_op2(&positions, &AddRowThen(identity))?;
        let embedded = self.norm.forward(&summed)?;
        let mut layers = self.layers.iter();
        layers.try_fold(embedded, |hidden, layer| layer.forward(&hidden))
    }
}

struct Layer {
    heads: usize,
    query: Dense,
    key: Dense,
    value: Dense,
    attended: Dense,
    attended_norm: LayerNorm,
    wide: Dense,
    narrow: Dense,
    norm: LayerNorm,
}

/// A matrix and a bias.
struct Dense {
    weights: Linear,
    bias: Tensor,
}

impl Dense {
    fn load(from: usize, to: usize, weights: VarBuilder) -> Result<Dense> {
        Ok(Dense {
            bias: weights.get(to, "bias")?,
            weights: linear_no_bias(from, to, weights)?,
        })
    }

    fn forward(&self, numbers: &Tensor) -> Result<Tensor> {
        let product = self.weights.forward(numbers)?;
        product.inplace_op2(&self.bias, &AddRowThen(identity))?;
        Ok(product)
    }

    fn forward_then_gelu(&self, numbers: &Tensor) -> Result<Tensor> {
        let product = self.weights.forward(numbers)?;
        product.inplace_op2(&self.bias, &AddRowThen(gelu))?;
        Ok(product)
    }
}

impl Layer {
    fn load(weights: VarBuilder, config: &Config) -> Result<Layer> {
        let (size, wide) = (config.hidden_size, config.intermediate_size);
        let heads = config.num_attention_heads;
        if heads == 0 || size % heads != 0 {
            bail!("{size} numbers cannot be shared by {heads} heads");
        }
        let square = |name: &str| Dense::load(size, size, weights.pp(name));
        let norm = |name: &str| layer_norm(size, config.layer_norm_eps, weights.pp(name));
        Ok(Layer {
            heads,
            query: square("attention.self.query")?,
            key: square("attention.self.key")?,
            value: square("attention.self.value")?,
            attended: square("attention.output.dense")?,
            attended_norm: norm("attention.output.LayerNorm")?,
            wide: Dense::load(size, wide, weights.pp("intermediate.dense"))?,
            narrow: Dense::load(wide, size, weights.pp("output.dense"))?,
            norm: norm("output.LayerNorm")?,
        })
    }

    fn forward(&self, hidden: &Tensor) -> Result<Tensor> {
        let attended = self.attended.forward(&self.attend(hidden)?)?;
        attended.inplace_op2(hidden, &AddRowThen(identity))?;
        let attended = self.attended_norm.forward(&attended)?;
        let wide = self.wide.forward_then_gelu(&attended)?;
        let narrow = self.narrow.forward(&wide)?;
        narrow.inplace_op2(&attended, &AddRowThen(identity))?;
        self.norm.forward(&narrow)
    }

    /// Each token takes from the others' values as far as its query fits their keys.
    fn attend(&self, hidden: &Tensor) -> Result<Tensor> {
        let query = self.by_head(&self.query.forward(hidden)?)?;
        let key = self.by_head(&self.key.forward(hidden)?)?;
        let value = self.by_head(&self.value.forward(hidden)?)?;
        let fits = (query.matmul(&key.t()?)? / (query.dim(D::Minus1)? as f64).sqrt())?;
        let taken = softmax_last_dim(&fits)?.matmul(&value)?;
        taken.transpose(1, 2)?.contiguous()?.flatten_from(2)
    }

    /// Returns texts by heads by tokens.
    fn by_head(&self, numbers: &Tensor) -> Result<Tensor> {
        let (texts, tokens, size) = numbers.dims3()?;
        let parted = numbers.reshape((texts, tokens, self.heads, size / self.heads))?;
        parted.transpose(1, 2)?.contiguous()
    }
}
