//! The parts of an address, as `wasi:http` wants them apart.

/// An address of http or https.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    /// Whether it is https.
    pub secure: bool,
    /// Host and port, `127.0.0.1:7001`.
    pub authority: &'a str,
    /// Path and query, `/v1/notices?district=xihu`; `/` when the address gives neither.
    pub path_with_query: String,
}

impl<'a> Address<'a> {
    /// Takes an address apart; none when it is of another scheme, has no host, names a user,
    /// or holds characters that no address has.
    pub(crate) fn parse(url: &'a str) -> Option<Self> {
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let (scheme, rest) = url.split_once("://")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.is_empty() || authority.starts_with(':') || authority.contains('@') {
            return None;
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Some(Self {
            secure,
            authority,
            path_with_query: format!("{slash}{path}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_addresses() {
        for (url, secure, authority, path_with_query) in [
            (
                "http://127.0.0.1:7001/v1/citizens",
                false,
                "127.0.0.1:7001",
                "/v1/citizens",
            ),
            ("HTTPS://feed.example", true, "feed.example", "/"),
            ("http://feed.example?since=1", false, "feed.example", "/?since=1"),
            ("http://[::1]:80/a?b=c/d#part", false, "[::1]:80", "/a?b=c/d"),
        ] {
            assert_eq!(
                Address::parse(url),
                Some(Address {
                    secure,
                    authority,
                    path_with_query: path_with_query.to_owned()
                }),
                "{url}"
            );
        }
    }

    #[test]
    fn what_is_no_address() {
        for url in [
            "",
            "feed.example/notices",
            "ftp://feed.example",
            "http://",
            "http:///notices",
            "http://:80/",
            "http://user:word@feed.example/",
            "http://feed.example/a b",
            "http://feed.example/\r\nx: y",
            "http://feed.example/杭州",
        ] {
            assert_eq!(Address::parse(url), None, "{url}");
        }
    }
}
