//! Phones behind an address translator: the Contact they write names an address that nobody outside can send
//! to. What is sent to a phone within a call goes to where its own packets come from, and nowhere else: no
//! phone can name the address of another, or of a carrier, to have that one's traffic.

use rsipstack::sip::{Header, Headers, Transport};
use rsipstack::transport::SipAddr;

use crate::address::name_addr;

/// Puts the address a datagram came from into its Contact. Streams need none of it: what is for a phone goes
/// back over its stream. A proxy that wants to stay between knows the phone's way itself.
pub(crate) fn put_right(headers: &mut Headers, from: &SipAddr) {
    if from.r#type != Some(Transport::Udp)
        || headers
            .iter()
            .any(|header| matches!(header, Header::RecordRoute(_)))
    {
        return;
    }
    let Ok(at) = from.get_socketaddr() else { return };
    let contacts = || {
        headers
            .iter()
            .filter(|header| matches!(header, Header::Contact(_)))
    };
    if contacts().count() != 1 {
        return;
    }
    let Some(right) = contacts()
        .next()
        .and_then(|header| contact(header.value(), &at.to_string()))
    else {
        return;
    };
    for header in headers.iter_mut() {
        if let Header::Contact(value) = header {
            *value = right.as_str().into();
        }
    }
}

/// A Contact with another host and port; its user and all parameters stay as they were written.
fn contact(value: &str, at: &str) -> Option<String> {
    let read = name_addr(value)?;
    let (scheme, rest) = read.uri.split_once(':')?;
    let main = rest.split('?').next()?;
    let (user, host) = match main.rsplit_once('@') {
        Some((user, host)) => (format!("{user}@"), host),
        None => (String::new(), main),
    };
    let parameters = host.find(';').map_or("", |begin| &host[begin..]);
    let after = match read.parameters {
        "" => String::new(),
        parameters => format!(";{parameters}"),
    };
    Some(format!("<{scheme}:{user}{at}{parameters}>{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_keeps_all_but_its_address() {
        let cases = [
            (
                "<sip:a%20b@10.0.0.1:5060;ob>;expires=60",
                "<sip:a%20b@192.0.2.1:7;ob>;expires=60",
            ),
            (
                "\"A, B\" <sip:a;x=1@phone.invalid;transport=udp?h=v@w>",
                "<sip:a;x=1@192.0.2.1:7;transport=udp>",
            ),
            ("sip:10.0.0.1;q=1", "<sip:192.0.2.1:7>;q=1"),
        ];
        for (before, after) in cases {
            assert_eq!(contact(before, "192.0.2.1:7").as_deref(), Some(after));
        }
        assert_eq!(contact("*", "192.0.2.1:7"), None);
        assert_eq!(contact("<sip:a", "192.0.2.1:7"), None);
    }

    #[test]
    fn only_datagrams_without_a_proxy_are_put_right() {
        let from = SipAddr {
            r#type: Some(Transport::Udp),
            addr: std::net::SocketAddr::from(([192, 0, 2, 1], 7)).into(),
        };
        let stream = SipAddr {
            r#type: Some(Transport::Tcp),
            ..from.clone()
        };
        let contact = || Header::Contact("<sip:a@10.0.0.1>".into());
        let after = |headers: Vec<Header>, from: &SipAddr| {
            let mut headers = Headers::from(headers);
            put_right(&mut headers, from);
            headers
                .iter()
                .map(|header| header.value().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(after(vec![contact()], &from), ["<sip:a@192.0.2.1:7>"]);
        assert_eq!(after(vec![contact()], &stream), ["<sip:a@10.0.0.1>"]);
        let routed = vec![contact(), Header::RecordRoute("<sip:p;lr>".into())];
        assert_eq!(after(routed, &from)[0], "<sip:a@10.0.0.1>");
        let two = vec![contact(), contact()];
        assert_eq!(after(two, &from)[1], "<sip:a@10.0.0.1>");
    }
}
