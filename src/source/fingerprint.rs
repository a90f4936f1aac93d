//! Distinguishes pages by a hash, at the speed of memory.
//!
//! Not a checksum and no proof of who wrote what: only a number of 64 bits that two
//! different pages share once in as many. Marks on disk hold it, so it never changes.

/// Digits of pi: numbers without a pattern.
const KEYS: [u64; 5] = [
    0x243f_6a88_85a3_08d3,
    0x1319_8a2e_0370_7344,
    0xa409_3822_299f_31d0,
    0x082e_fa98_ec4e_6c89,
    0x4528_21e6_38d0_1377,
];

/// Returns a number for the bytes, by folded multiplication of 16 at a time in two
/// lanes (Wang Yi's wyhash).
pub(super) fn fingerprint(bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<32>();
    let mut lanes = [KEYS[0], KEYS[1]];
    for block in blocks {
        lanes = mixed(lanes, block);
    }
    let mut last = [0; 32];
    last[..rest.len()].copy_from_slice(rest);
    let [a, b] = mixed(lanes, &last);
    folded(a ^ KEYS[4], b ^ bytes.len() as u64)
}

fn mixed(lanes: [u64; 2], block: &[u8; 32]) -> [u64; 2] {
    let (words, _) = block.as_chunks::<8>();
    let word = |at: usize| words.get(at).map_or(0, |word| u64::from_le_bytes(*word));
    [
        folded(word(0) ^ KEYS[2], word(1) ^ lanes[0]),
        folded(word(2) ^ KEYS[3], word(3) ^ lanes[1]),
    ]
}

fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn texts_that_differ_in_any_byte_or_in_length_are_told_apart() {
        let text = vec![b'a'; 100];
        let mut seen = HashSet::from([fingerprint(&text)]);
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut other = text.clone();
                other[at] ^= 1 << bit;
                assert!(seen.insert(fingerprint(&other)), "{at} {bit}");
            }
            assert!(seen.insert(fingerprint(&text[..at])), "{at}");
            assert!(seen.insert(fingerprint(&[&text[..], &vec![0; at + 1]].concat())));
        }
    }

    #[test]
    fn a_mark_means_the_same_page_in_the_next_run() {
        assert_eq!(fingerprint(b"[{\"id\":1}]"), 0x2f7f_0455_2952_c575);
    }
}
