//! Ids and orders that look random and are not: all of them follow from the seed and a number.

/// Mixes a number until every bit of it depends on every other (the finaliser of `SplitMix64`).
pub(super) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number that follows from a seed and a text.
pub(super) fn hash(seed: u64, text: &str) -> u64 {
    text.bytes()
        .fold(mix(seed), |state, byte| mix(state ^ u64::from(byte)))
}

/// `length` characters of `alphabet` that follow from `number`.
pub(super) fn letters(number: u64, alphabet: &[u8], length: usize) -> String {
    let mut state = number;
    let mut text = String::with_capacity(length);
    let size = u64::try_from(alphabet.len()).unwrap_or(1).max(1);
    for _ in 0..length {
        state = mix(state);
        let index = usize::try_from(state % size).unwrap_or(0);
        text.push(alphabet.get(index).copied().map_or('0', char::from));
    }
    text
}

/// Puts items into an order that follows from the seed and their names.
pub(super) fn shuffle<T>(seed: u64, items: &mut [T], name: impl Fn(&T) -> String) {
    items.sort_by_cached_key(|item| {
        let name = name(item);
        (hash(seed, &name), name)
    });
}
