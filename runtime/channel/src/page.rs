//! The chat page: three static files that load nothing from anywhere else.
//!
//! The page talks to the API of the server that served it, as any other client does.

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Where the server offers it.
    pub path: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// What it holds.
    pub text: &'static str,
}

/// The page's files, the page itself first.
pub const ASSETS: [Asset; 3] = [
    Asset {
        path: "/",
        media_type: "text/html; charset=utf-8",
        text: include_str!("page/chat.html"),
    },
    Asset {
        path: "/chat.css",
        media_type: "text/css; charset=utf-8",
        text: include_str!("page/chat.css"),
    },
    Asset {
        path: "/chat.js",
        media_type: "text/javascript; charset=utf-8",
        text: include_str!("page/chat.js"),
    },
];

/// The page's content security policy: its own files, its own server, nothing inline.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_loads_nothing_from_elsewhere_and_has_nothing_inline() {
        for asset in ASSETS {
            for forbidden in ["http://", "https://", "<style", "style=\"", "onclick="] {
                assert!(
                    !asset.text.contains(forbidden),
                    "{} holds {forbidden}",
                    asset.path
                );
            }
        }
    }
}
