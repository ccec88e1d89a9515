//! Reading name-addr headers and the users in their URIs. Own reading, because a header of a stranger must
//! not decide more than one field here: what cannot be read is none.

/// A display name, a URI and the parameters after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameAddr<'a> {
    pub(crate) display: Option<String>,
    pub(crate) uri: &'a str,
    pub(crate) parameters: &'a str,
}

/// Splits a header at commas that stand neither in quotes nor in angle brackets.
pub(crate) fn list(header: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut quoted, mut escaped, mut inside) = (Vec::new(), 0, false, false, false);
    for (at, c) in header.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => inside = true,
            '>' if !quoted => inside = false,
            ',' if !quoted && !inside => {
                parts.push(header[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(header[begin..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// Reads one name-addr or addr-spec.
pub(crate) fn name_addr(text: &str) -> Option<NameAddr<'_>> {
    let text = text.trim();
    let (display, rest) = match text.strip_prefix('"') {
        Some(quoted) => {
            let mut escaped = false;
            let end = quoted.char_indices().find_map(|(at, c)| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends.then_some(at)
            })?;
            let mut escaped = false;
            let display = quoted[..end].chars().filter(|c| {
                escaped = *c == '\\' && !escaped;
                !escaped
            });
            (Some(display.collect::<String>()), quoted[end + 1..].trim_start())
        }
        None => match text.split_once('<') {
            Some((display, _)) => (Some(display.trim().to_owned()), &text[text.find('<')?..]),
            None => (None, text),
        },
    };
    let display = display.filter(|display| !display.is_empty());
    match rest.strip_prefix('<') {
        Some(inside) => {
            let (uri, parameters) = inside.split_once('>')?;
            Some(NameAddr {
                display,
                uri: uri.trim(),
                parameters: parameters.trim_start_matches(';').trim(),
            })
        }
        // Without brackets, parameters belong to the header (RFC 3261 20.10).
        None => {
            let (uri, parameters) = rest.split_once(';').unwrap_or((rest, ""));
            Some(NameAddr {
                display,
                uri: uri.trim(),
                parameters: parameters.trim(),
            })
        }
    }
}

/// The user of a sip, sips or tel URI, without its own parameters and percent-decoded; none when empty or
/// withheld.
pub(crate) fn user(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once(':')?;
    let rest = rest.split('?').next()?;
    let user = if scheme.eq_ignore_ascii_case("tel") {
        let number: String = rest
            .split(';')
            .next()?
            .chars()
            .filter(|c| !matches!(c, '-' | '.' | '(' | ')'))
            .collect();
        return Some(decode(&number)).filter(|number| !number.is_empty());
    } else if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") {
        rest.rsplit_once('@')?.0
    } else {
        return None;
    };
    let user = decode(user.split([';', ':']).next()?);
    Some(user).filter(|user| !user.is_empty())
}

/// The value of a header parameter.
pub(crate) fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters.split(';').find_map(|part| {
        let (found, value) = part.split_once('=').unwrap_or((part, ""));
        found
            .trim()
            .eq_ignore_ascii_case(name)
            .then_some(value.trim().trim_matches('"'))
    })
}

/// Percent-decodes; a broken escape stays as it is, and what is no UTF-8 is replaced.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escape {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out)
        .chars()
        .filter(|c| !c.is_control())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_and_addresses_are_told_apart() {
        let read =
            name_addr("\"Anna \\\"A\\\", Bäcker\" <sip:+49301234@192.0.2.1;user=phone>;tag=1").unwrap();
        assert_eq!(read.display.as_deref(), Some("Anna \"A\", Bäcker"));
        assert_eq!(
            (read.uri, read.parameters),
            ("sip:+49301234@192.0.2.1;user=phone", "tag=1")
        );
        let bare = name_addr("sip:anna@example.com;tag=2").unwrap();
        assert_eq!(
            (bare.display, bare.uri, bare.parameters),
            (None, "sip:anna@example.com", "tag=2")
        );
        assert!(name_addr("\"unending").is_none());
        assert!(name_addr("Anna <sip:a@b").is_none());
    }

    #[test]
    fn users_are_read_and_decoded() {
        assert_eq!(
            user("sip:%2B4930;phone-context=x@192.0.2.1"),
            Some("+4930".to_owned())
        );
        assert_eq!(user("tel:+49-30-1234;x=y"), Some("+49301234".to_owned()));
        assert_eq!(user("sip:anna:geheim@example.com"), Some("anna".to_owned()));
        assert_eq!(user("sip:192.0.2.1"), None);
        assert_eq!(user("http://a@b"), None);
        assert_eq!(decode("a%20b%4"), "a b%4");
    }

    #[test]
    fn lists_are_split_outside_quotes() {
        assert_eq!(
            list("\"a,b\" <sip:c,d@e>, <sip:f@g>;x=y ,"),
            ["\"a,b\" <sip:c,d@e>", "<sip:f@g>;x=y"]
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_reading_panic(text in "\\PC{0,80}") {
            for part in list(&text) {
                if let Some(read) = name_addr(part) {
                    let _ = (user(read.uri), parameter(read.parameters, "tag"));
                }
            }
            prop_assert!(decode(&text).chars().count() <= text.chars().count());
        }
    }
}
