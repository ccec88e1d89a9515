//! Texts with placeholders of secrets in them.

/// A text with `{secret:NAME}` and `{basic:USER:NAME}` filled in.
pub(crate) fn filled(
    text: &str,
    placeholder: impl Fn(&str) -> Result<String, String>,
) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((inside, after)) = after.split_once('}') else {
            break;
        };
        out.push_str(before);
        if let Some(name) = inside.strip_prefix("secret:") {
            out.push_str(&placeholder(name)?);
        } else if let Some((user, name)) = inside.strip_prefix("basic:").and_then(|it| it.split_once(':')) {
            out.push_str(&base64(format!("{user}:{}", placeholder(name)?).as_bytes()));
        } else {
            out.push_str(&format!("{{{inside}}}"));
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Base64 with padding (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            if digit <= group.len() {
                out.push(char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
    }

    #[test]
    fn placeholders_are_filled_in() {
        let drawn = |name: &str| Ok(format!("<{name}>"));
        assert_eq!(
            filled("Bearer {secret:a-b}{x}{", drawn).unwrap(),
            "Bearer <a-b>{x}{"
        );
        assert_eq!(
            filled("Basic {basic:f:oo}", |_| Ok("o".to_owned())).unwrap(),
            "Basic Zjpv"
        );
        assert!(filled("{secret:a}", |_| Err("missing".to_owned())).is_err());
    }
}
