//! Randomness from the operating system, and nothing else.

/// Fills `buffer` with random bytes.
pub(crate) fn fill(buffer: &mut [u8]) {
    // Linux `getrandom(2)` cannot fail once the pool is seeded, and blocks until then. A process that cannot
    // get randomness must not hand out keys.
    getrandom::fill(buffer).expect("the operating system gives random bytes");
}

/// A text of `length` characters, each drawn evenly from `alphabet` (at most 256 characters).
///
/// A byte modulo 62 would favour the first eight characters; bytes from the incomplete last lap are thrown
/// away instead.
pub(crate) fn text(length: usize, alphabet: &[u8], mut fill: impl FnMut(&mut [u8])) -> String {
    let lap = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    let mut buffer = [0u8; 64];
    while text.len() < length {
        fill(&mut buffer);
        let even = buffer.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < lap);
        text.extend(even.map(|byte| char::from(alphabet[byte % alphabet.len()])).take(length - text.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_beyond_the_last_full_lap_are_thrown_away() {
        let mut next = 245u8;
        let drawn = text(6, b"0123456789", |buffer| {
            for byte in buffer {
                *byte = next;
                next = next.wrapping_add(1);
            }
        });
        // 245..=249 are 5..=9; 250..=255 are thrown away; 0 is 0.
        assert_eq!(drawn, "567890");
    }

    #[test]
    fn every_character_is_drawn_about_equally_often() {
        let alphabet = b"abcdefghij";
        let drawn = text(100_000, alphabet, fill);
        for character in alphabet {
            let times = drawn.bytes().filter(|b| b == character).count();
            // 10,000 expected, standard deviation 95: ten of them is never chance.
            assert!((9_050..=10_950).contains(&times), "{character} drawn {times} times");
        }
    }
}
