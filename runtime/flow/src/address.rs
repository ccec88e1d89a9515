//! Addresses that can be rung: numbers as people dial them, and SIP addresses.

use crate::limits::{NUMBER_CHARS_MAX, SIP_BYTES_MAX};

/// Whether a text is a number that can be rung: digits, `*` and `#` without spaces, perhaps a plus sign before
/// them.
pub fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (1..=NUMBER_CHARS_MAX).contains(&digits.len())
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#'))
}

/// Whether a text is a SIP address with its scheme.
pub fn is_sip(text: &str) -> bool {
    let rest = text.strip_prefix("sip:").or_else(|| text.strip_prefix("sips:"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && rest.len() <= SIP_BYTES_MAX
            && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sip_addresses_can_be_rung_and_nothing_else() {
        for number in ["110", "+8657112345", "*9#"] {
            assert!(is_number(number) && !is_sip(number), "{number}");
        }
        for address in ["sip:desk@example.org", "sips:desk"] {
            assert!(is_sip(address) && !is_number(address), "{address}");
        }
        for neither in [
            "",
            "+",
            "110 ",
            "desk@example.org",
            "sip:",
            "sip:a b",
            "sip:a\r\nb",
            "十",
        ] {
            assert!(!is_number(neither) && !is_sip(neither), "{neither:?}");
        }
        assert!(!is_number(&"1".repeat(NUMBER_CHARS_MAX + 1)));
        assert!(!is_sip(&format!("sip:{}", "a".repeat(SIP_BYTES_MAX + 1))));
    }
}
