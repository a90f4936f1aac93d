//! What the stores of a company ask for one product, as codes of its prices.

/// Codes by store; a store without one has 0.
///
/// A product that few stores have is a list, one that most have a table: at most
/// 4 bytes a price, and at most 2 bytes a store.
#[derive(Debug)]
pub(super) enum Column {
    /// Stores and their codes, by store.
    Sparse(Vec<(u16, u16)>),
    /// Codes by store; the stores after the last have none.
    Dense(Vec<u16>),
}

impl Default for Column {
    fn default() -> Self {
        Column::Sparse(Vec::new())
    }
}

impl Column {
    /// Returns the code of a store, 0 if it is new here, to be set at once. The
    /// company has `stores` stores so far.
    #[inline]
    pub(super) fn code(&mut self, store: u16, stores: usize) -> &mut u16 {
        if let Column::Sparse(codes) = self
            && codes.len() * 2 >= stores
        {
            *self = Column::Dense(dense(codes, stores));
        }
        match self {
            Column::Dense(codes) => {
                let store = usize::from(store);
                if store >= codes.len() {
                    grow(codes, stores);
                }
                &mut codes[store]
            }
            Column::Sparse(codes) => {
                let place = place(codes, store);
                &mut codes[place].1
            }
        }
    }

    /// Returns the bytes held.
    pub(super) fn size(&self) -> usize {
        match self {
            Column::Sparse(codes) => codes.capacity() * size_of::<(u16, u16)>(),
            Column::Dense(codes) => codes.capacity() * size_of::<u16>(),
        }
    }

    /// Gives back what only adding needs.
    pub(super) fn rest(&mut self) {
        match self {
            Column::Sparse(codes) => codes.shrink_to_fit(),
            Column::Dense(codes) => codes.shrink_to_fit(),
        }
    }
}

/// Finds or makes a store's place; stores mostly come in order.
#[inline]
fn place(codes: &mut Vec<(u16, u16)>, store: u16) -> usize {
    if codes.last().is_none_or(|last| last.0 < store) {
        codes.push((store, 0));
        return codes.len() - 1;
    }
    codes
        .binary_search_by_key(&store, |code| code.0)
        .unwrap_or_else(|place| {
            codes.insert(place, (store, 0));
            place
        })
}

fn dense(codes: &[(u16, u16)], stores: usize) -> Vec<u16> {
    let mut dense = vec![0; stores];
    for &(store, code) in codes {
        dense[usize::from(store)] = code;
    }
    dense
}

/// Makes room for all stores so far, and a few to come.
fn grow(codes: &mut Vec<u16>, stores: usize) {
    let more = stores - codes.len();
    codes.reserve_exact(more.max(codes.len() / 8));
    codes.resize(stores, 0);
}
