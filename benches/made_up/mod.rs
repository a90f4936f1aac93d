//! Made-up prices for the benches, in sizes that are part of a bench's id.

use pricemill::synth::{Export, Spec};

/// How many prices, and how that is written in an id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) prices: u64,
    pub(crate) label: &'static str,
}

/// Returns the sizes to measure; when benches are only tried (`cargo test --benches`),
/// a small one.
pub(crate) fn sizes() -> &'static [Size] {
    const fn size(prices: u64, label: &'static str) -> Size {
        Size { prices, label }
    }
    const TRIED: [Size; 1] = [size(2_000, "2k_rows")];
    const MEASURED: [Size; 2] = [size(100_000, "100k_rows"), size(1_000_000, "1m_rows")];
    #[expect(clippy::disallowed_methods, reason = "so criterion says how it is run")]
    let mut arguments = std::env::args();
    match arguments.any(|argument| argument == "--bench") {
        true => &MEASURED,
        false => &TRIED,
    }
}

/// Returns a country of a size, always the same.
pub(crate) fn export(size: Size) -> Export {
    Export::new(&Spec::with_prices(size.prices, 1))
}
