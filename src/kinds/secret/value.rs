//! A secret's first value: made in memory from the system's randomness, sent once, never shown.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::aws::Secret;
use crate::config::{Encoding, Generate};
use crate::error::{Error, Result};

/// Makes a value.
pub(super) fn generate(generate: &Generate) -> Result<Secret<String>> {
    let Generate { bytes, encoding } = generate;
    let length = usize::try_from(*bytes).unwrap_or_default();
    let mut random = vec![0; length];
    getrandom::fill(&mut random).map_err(|error| {
        Error::failed(format!(
            "The system gives no random bytes for a secret: {error}."
        ))
    })?;
    Ok(Secret::new(encode(&random, *encoding)))
}

fn encode(bytes: &[u8], encoding: Encoding) -> String {
    match encoding {
        Encoding::Base64 => STANDARD.encode(bytes),
        Encoding::Base64Url => URL_SAFE_NO_PAD.encode(bytes),
        Encoding::Hex => bytes.iter().fold(String::new(), |mut text, byte| {
            // Writing to a String does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_asked() {
        let bytes = [0xfb, 0xff, 0x00];
        assert_eq!(encode(&bytes, Encoding::Base64), "+/8A");
        assert_eq!(encode(&bytes, Encoding::Base64Url), "-_8A");
        assert_eq!(encode(&bytes, Encoding::Hex), "fbff00");
    }

    #[test]
    fn values_have_their_length_and_differ() {
        let asked = Generate {
            bytes: 64,
            encoding: Encoding::Hex,
        };
        let (one, two) = (generate(&asked).unwrap(), generate(&asked).unwrap());
        assert_eq!(one.expose().len(), 128);
        assert!(one.expose() != two.expose());
    }
}
