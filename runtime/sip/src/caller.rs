//! Who calls and what was dialled, as an INVITE tells it.

use rsipstack::sip::{HasHeaders as _, Header, HeadersExt as _, Request, Scheme};

use crate::address::{self, list, name_addr, parameter, user};
use crate::call::{Caller, DialogId};
use crate::limits::DIVERSIONS_MAX;

/// Every header of a name, with what it says.
fn headers<'a>(request: &'a Request, name: &'a str) -> impl Iterator<Item = &'a str> {
    request
        .headers()
        .iter()
        .filter(move |header| header.name().eq_ignore_ascii_case(name))
        .map(Header::value)
}

/// The caller: what the trunk vouches for, else what the phone says. None when withheld.
pub(crate) fn caller(request: &Request, trusted: bool) -> Option<Caller> {
    let withheld = headers(request, "Privacy")
        .flat_map(|value| value.split([';', ',']))
        .any(|word| ["id", "user", "full", "header"].contains(&word.trim().to_ascii_lowercase().as_str()));
    let from = request
        .from_header()
        .ok()
        .and_then(|from| name_addr(from.value()))?;
    let from_user = user(from.uri).filter(|user| !user.eq_ignore_ascii_case("anonymous"));
    let anonymous = from.uri.to_ascii_lowercase().contains("anonymous.invalid");
    if withheld || from_user.is_none() || anonymous {
        return None;
    }
    let asserted = headers(request, "P-Asserted-Identity")
        .flat_map(list)
        .find_map(|value| {
            let read = name_addr(value)?;
            Some(Caller {
                number: user(read.uri)?,
                display: read.display,
                vouched: true,
            })
        });
    let remote = || {
        headers(request, "Remote-Party-ID")
            .flat_map(list)
            .find_map(|value| {
                let read = name_addr(value)?;
                if parameter(read.parameters, "party").is_some_and(|party| party != "calling") {
                    return None;
                }
                let vouched = parameter(read.parameters, "screen") == Some("yes");
                let hidden = parameter(read.parameters, "privacy").is_some_and(|privacy| privacy != "off");
                Some((
                    hidden,
                    Caller {
                        number: user(read.uri)?,
                        display: read.display,
                        vouched,
                    },
                ))
            })
    };
    if trusted {
        if let Some(asserted) = asserted {
            return Some(asserted);
        }
        if let Some((hidden, remote)) = remote() {
            return (!hidden).then_some(remote);
        }
    }
    Some(Caller {
        number: from_user?,
        display: from.display,
        vouched: false,
    })
}

/// What was dialled as it reached us, and at first.
pub(crate) fn called(request: &Request) -> (String, String) {
    // The stack keeps the user as it was written.
    let called = match &request.uri.scheme {
        Some(Scheme::Other(_)) => user(&request.uri.to_string()),
        _ => request
            .uri
            .user()
            .map(|user| address::decode(user.split(';').next().unwrap_or_default())),
    };
    let called = called.unwrap_or_default();
    let to = request
        .to_header()
        .ok()
        .and_then(|to| name_addr(to.value()))
        .and_then(|to| user(to.uri));
    (called.clone(), to.unwrap_or(called))
}

/// The numbers the call was diverted from, the original one first: by Diversion (RFC 5806, the latest stands
/// first), else by History-Info (RFC 7044, the last entry is where it is now).
pub(crate) fn diverted(request: &Request) -> Vec<String> {
    let mut numbers: Vec<String> = headers(request, "Diversion")
        .flat_map(list)
        .filter_map(|value| user(name_addr(value)?.uri))
        .take(DIVERSIONS_MAX)
        .collect();
    numbers.reverse();
    if numbers.is_empty() {
        numbers = headers(request, "History-Info")
            .flat_map(list)
            .take(DIVERSIONS_MAX + 1)
            .filter(|value| !value.to_ascii_lowercase().contains("privacy=history"))
            .filter_map(|value| user(name_addr(value)?.uri))
            .collect();
        numbers.pop();
    }
    numbers
}

/// The dialog a Replaces header (RFC 3891) names, seen from our side.
pub(crate) fn replaces(text: &str) -> Option<DialogId> {
    let (call, parameters) = text.split_once(';')?;
    let local = parameter(parameters, "to-tag")?.to_owned();
    let remote = parameter(parameters, "from-tag")?.to_owned();
    Some(DialogId {
        call: call.trim().to_owned(),
        local,
        remote,
    })
}

/// The address and the dialog that a Refer-To header names.
pub(crate) fn refer_to(value: &str) -> Option<(String, Option<DialogId>)> {
    let read = name_addr(value)?;
    let (uri, asked) = read.uri.split_once('?').unwrap_or((read.uri, ""));
    let (scheme, _) = uri.split_once(':')?;
    if !["sip", "sips", "tel"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return None;
    }
    let dialog = asked.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.eq_ignore_ascii_case("Replaces")
            .then(|| replaces(&address::decode(value)))?
    });
    Some((uri.to_owned(), dialog))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite(headers: &str) -> Request {
        let text = format!(
            "INVITE sip:200@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nTo: <sip:100@x>\r\nCall-ID: a\r\n\
             CSeq: 1 INVITE\r\n{headers}\r\n\r\n"
        );
        Request::try_from(text.as_str()).expect("an INVITE")
    }

    fn number(headers: &str, trusted: bool) -> Option<(String, bool)> {
        caller(&invite(headers), trusted).map(|caller| (caller.number, caller.vouched))
    }

    #[test]
    fn a_trunk_vouches_and_a_phone_does_not() {
        let headers =
            "From: <sip:030@x>;tag=1\r\nP-Asserted-Identity: \"Amt\" <sip:+4930115@y>, <tel:+4930115>";
        assert_eq!(number(headers, true), Some(("+4930115".to_owned(), true)));
        assert_eq!(number(headers, false), Some(("030".to_owned(), false)));
        let remote =
            "From: <sip:030@x>;tag=1\r\nRemote-Party-ID: <sip:031@y>;party=calling;screen=yes;privacy=off";
        assert_eq!(number(remote, true), Some(("031".to_owned(), true)));
    }

    #[test]
    fn withheld_numbers_stay_withheld() {
        for headers in [
            "From: <sip:030@x>;tag=1\r\nPrivacy: id;critical\r\nP-Asserted-Identity: <sip:030@y>",
            "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1\r\nP-Asserted-Identity: <sip:030@y>",
            "From: <sip:030@x>;tag=1\r\nRemote-Party-ID: <sip:030@y>;privacy=full",
        ] {
            assert_eq!(number(headers, true), None, "{headers}");
        }
    }

    #[test]
    fn diversions_begin_with_the_original() {
        let both =
            invite("From: <sip:1@x>;tag=1\r\nDiversion: <sip:3@x>;reason=no-answer\r\nDiversion: <sip:2@x>");
        assert_eq!(diverted(&both), ["2", "3"]);
        let history = invite(
            "From: <sip:1@x>;tag=1\r\nHistory-Info: <sip:2@x>;index=1, <sip:3@x>;index=1.1\r\nHistory-Info: <sip:200@x>;index=1.1.1",
        );
        assert_eq!(diverted(&history), ["2", "3"]);
        assert_eq!(called(&both), ("200".to_owned(), "100".to_owned()));
    }

    #[test]
    fn replaces_is_seen_from_our_side() {
        let ours = DialogId {
            call: "c@d".to_owned(),
            local: "l".to_owned(),
            remote: "r".to_owned(),
        };
        assert_eq!(replaces("c@d;from-tag=r;to-tag=l;early-only"), Some(ours.clone()));
        assert_eq!(
            refer_to("\"B\" <sip:7@x?Replaces=c%40d%3Bto-tag%3Dl%3Bfrom-tag%3Dr>"),
            Some(("sip:7@x".to_owned(), Some(ours)))
        );
        assert_eq!(refer_to("<http://x>"), None);
    }
}
