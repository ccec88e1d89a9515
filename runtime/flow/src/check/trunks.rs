//! Trunks: each is known by where its calls come from or by a login, and no call is of two of them.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_model::Network;

use super::world::World;
use crate::{
    diagnostics::{Code, Finding, did_you_mean, one_of},
    hotline::{Destination, Login, Trunk},
    source::{Spanned, Word},
    syntax::TrunkSyntax,
};

pub(super) fn check(world: &World<'_>) -> BTreeMap<Arc<str>, Trunk> {
    let mut trunks = BTreeMap::new();
    let mut known: Vec<(&Word, Spanned<Network>)> = Vec::new();
    for written in &world.hotline.trunks {
        let from = networks(world, written);
        for network in &from {
            alone(world, written, network, &known);
        }
        known.extend(from.iter().map(|network| (&written.name, *network)));
        proves_itself(world, written);
        registers(world, written);
        if let Some(trunk) = trunk(world, written, &from) {
            trunks.insert(written.name.value.clone(), trunk);
        }
    }
    logins(world);
    trunks
}

/// The networks from which a trunk's calls come; reports what is none.
fn networks(world: &World<'_>, written: &TrunkSyntax) -> Vec<Spanned<Network>> {
    let words = written.from.iter().flatten();
    words
        .filter_map(|word| {
            let network = read(world, word, "`from`")?;
            Some(Spanned::new(network, word.span))
        })
        .collect()
}

fn read<T: std::str::FromStr<Err: std::fmt::Display>>(
    world: &World<'_>,
    word: &Word,
    what: &str,
) -> Option<T> {
    match word.as_str().parse() {
        Ok(value) => Some(value),
        Err(error) => {
            world.report(Finding::new(
                Code::WrongValue,
                word.span,
                format!("{what} cannot be `{}`: {error}", word.as_str()),
            ));
            None
        }
    }
}

/// Reports a network from which calls of another trunk come as well.
fn alone(
    world: &World<'_>,
    written: &TrunkSyntax,
    network: &Spanned<Network>,
    known: &[(&Word, Spanned<Network>)],
) {
    let clash = known
        .iter()
        .find(|(trunk, other)| trunk.value != written.name.value && other.value.overlaps(network.value));
    if let Some((trunk, other)) = clash {
        world.report(
            Finding::new(
                Code::TrunksOverlap,
                network.span,
                format!(
                    "a call from `{}` could be of the trunk `{}` or of `{}`",
                    network.value,
                    written.name.as_str(),
                    trunk.as_str()
                ),
            )
            .label(other.span, "addresses of the other")
            .help("give each trunk addresses of its own"),
        );
    }
}

/// Reports a trunk whose calls nobody could tell from anybody's.
fn proves_itself(world: &World<'_>, written: &TrunkSyntax) {
    let from_nowhere = written.from.as_ref().is_none_or(Vec::is_empty);
    if from_nowhere && written.login.is_none() && written.secret.is_none() {
        world.report(
            Finding::new(
                Code::BadTrunk,
                written.name.span,
                format!(
                    "nothing tells calls of the trunk `{}` from anybody's",
                    written.name.as_str()
                ),
            )
            .help("say from which addresses they come: `from: [192.0.2.0/28]`; or how they prove themselves: `login` and `secret`"),
        );
    }
    match (&written.login, &written.secret) {
        (Some(login), None) => world.report(
            Finding::new(
                Code::BadTrunk,
                login.span,
                format!("the login `{}` has no password", login.as_str()),
            )
            .help(format!(
                "name the server's secret that is its password: `secret: {}-trunk`",
                written.name.as_str()
            )),
        ),
        (None, Some(secret)) => world.report(
            Finding::new(
                Code::BadTrunk,
                secret.span,
                format!("the secret `{}` is the password of no login", secret.as_str()),
            )
            .help("say whose password it is: `login: NAME`"),
        ),
        _ => {}
    }
}

/// Reports a trunk at which we cannot register.
fn registers(world: &World<'_>, written: &TrunkSyntax) {
    let Some(place) = written.register else { return };
    let missing: Vec<&str> = [("to", written.to.is_none()), ("login", written.login.is_none())]
        .into_iter()
        .filter_map(|(name, missing)| missing.then_some(name))
        .collect();
    if !missing.is_empty() {
        world.report(
            Finding::new(
                Code::BadTrunk,
                place,
                format!("to register there this trunk needs {}", one_of(missing)),
            )
            .help("say where and as whom: `to: sip.telecom.example`, `login`, `secret`; or leave `register` out"),
        );
    }
}

fn trunk(world: &World<'_>, written: &TrunkSyntax, from: &[Spanned<Network>]) -> Option<Trunk> {
    let to = match &written.to {
        Some(word) => Some(read::<Destination>(world, word, "`to`")?),
        None => None,
    };
    let login = written.login.as_ref().zip(written.secret.as_ref());
    Some(Trunk {
        from: from.iter().map(|network| network.value).collect(),
        login: login.map(|(user, secret)| Login {
            user: user.value.clone(),
            secret: secret.value.clone(),
        }),
        to,
        transport: written.transport,
        register: written.register.is_some(),
        codecs: written.codecs.clone(),
        calls_max: written.calls_max,
        rate: written.rate,
        strip: written.strip.as_ref().map(|strip| strip.value.clone()),
        caller_id: written.caller_id,
        country: written.country.as_ref().map(|country| country.value.clone()),
        put_through: written.put_through,
    })
}

/// Reports logins that are of two: trunks that are known by them alone, and agents' phones.
fn logins(world: &World<'_>) {
    let mut known: BTreeMap<&str, &Word> = BTreeMap::new();
    let agents = world.centre.roster().unwrap_or_default();
    for agent in agents.iter().filter(|agent| agent.phone.is_some()) {
        known.insert(agent.name.as_str(), &agent.name);
    }
    let by_login = |trunk: &&TrunkSyntax| trunk.from.as_ref().is_none_or(Vec::is_empty);
    for login in world
        .hotline
        .trunks
        .iter()
        .filter(by_login)
        .filter_map(|trunk| trunk.login.as_ref())
    {
        if let Some(first) = known.insert(login.as_str(), login) {
            world.report(
                Finding::new(
                    Code::BadTrunk,
                    login.span,
                    format!("`{}` logs in as another already", login.as_str()),
                )
                .label(first.span, "the other")
                .help("give each trunk and each agent's phone a login of its own"),
            );
        }
    }
}

/// The trunks that a number names; reports those that are not there.
pub(super) fn named(world: &World<'_>, words: &[Word]) -> Vec<Arc<str>> {
    for word in words {
        if world
            .hotline
            .trunks
            .iter()
            .any(|trunk| trunk.name.value == word.value)
        {
            continue;
        }
        let names = world.hotline.trunks.iter().map(|trunk| trunk.name.as_str());
        world.report(
            Finding::new(
                Code::UnknownTrunk,
                word.span,
                format!("there is no trunk `{}`", word.as_str()),
            )
            .help(
                did_you_mean("there are", word.as_str(), names).unwrap_or_else(|| {
                    format!(
                        "declare it in hotline.yaml: `trunks: {{ {}: {{ from: [192.0.2.0/28] }} }}`",
                        word.as_str()
                    )
                }),
            ),
        );
    }
    words.iter().map(|word| word.value.clone()).collect()
}

/// Whether a call can leave by some trunk; true where there are no trunks at all, since then there are
/// no calls either.
pub(super) fn lead_outside(world: &World<'_>) -> bool {
    let trunks = &world.hotline.trunks;
    trunks.is_empty() || trunks.iter().any(|trunk| trunk.to.is_some())
}

#[cfg(test)]
mod tests {
    use super::super::harness::{assert_findings, files, interfaces};
    use crate::{
        check,
        hotline::{CallerId, Codec, Login, PutThrough, Transport},
        parse,
    };

    #[test]
    fn each_call_is_of_one_trunk() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers:
  "12345": { flow: main, trunks: [telecom, telekom] }
#                                          ^^^^^^^ TL0814: there is no trunk `telekom`
trunks:
  telecom: { from: [192.0.2.0/28, "2001:db8::7", 192.0.2.7/28, sip.example, 192.0.2.0/64] }
#                                                ^^^^^^^^^^^^ TL0010: `from` cannot be `192.0.2.7/28`: that network begins at another address: write `192.0.2.0/28`
#                                                              ^^^^^^^^^^^ TL0010: `from` cannot be `sip.example`
#                                                                           ^^^^^^^^^^^^ TL0010: `from` cannot be `192.0.2.0/64`: a network of such addresses has at most 32 bits
  mobile: { from: [192.0.2.15, 2001:db8::/32, 192.0.3.1] }
#                  ^^^^^^^^^^ TL0816: a call from `192.0.2.15` could be of the trunk `mobile` or of `telecom`
#                              ^^^^^^^^^^^^^ TL0816: a call from `2001:db8::/32` could be of the trunk `mobile` or of `telecom`
  anybody: { to: sip.telecom.example }
# ^^^^^^^ TL0815: nothing tells calls of the trunk `anybody` from anybody's
  empty: { from: [] }
# ^^^^^ TL0815: nothing tells calls of the trunk `empty` from anybody's
  open: { login: city }
#                ^^^^ TL0815: the login `city` has no password
  lost: { from: [198.51.100.1], secret: Key }
#                                       ^^^ TL0107: `Key` cannot be the name of a secret
#                                       ^^^ TL0815: the secret `Key` is the password of no login
  eager: { from: [198.51.100.2], register: true }
#                                ^^^^^^^^ TL0815: to register there this trunk needs `to`, `login`
  twice: { login: city, secret: other }
#                 ^^^^ TL0815: `city` logs in as another already
  agent: { login: zhang-wei, secret: other }
#                 ^^^^^^^^^ TL0815: `zhang-wei` logs in as another already
  odd: { login: "a b", secret: k, to: "sip:exchange", transport: upd, codecs: [g711, pcma, pcma], calls: 0, rate: 20/s, strip: 0x1, caller-id: trust, colour: red }
#               ^^^^^ TL0010: `a b` cannot be a user's name
#                                     ^^^^^^^^^^^^^^ TL0010: `to` cannot be `sip:exchange`: a host and a port
#                                                                ^^^ TL0010: there is no transport `upd`
#                                                                              ^^^^ TL0010: there is no codec `g711`
#                                                                                          ^^^^ TL0109: `pcma` stands here twice
#                                                                                                        ^ TL0010: `calls` is at least 1
#                                                                                                                 ^^^^ TL0010: `rate` cannot be `20/s`
#                                                                                                                              ^^^ TL0010: `0x1` is nothing that numbers begin with
#                                                                                                                                              ^^^^^ TL0010: there is no kind of `caller-id` `trust`
#                                                                                                                                                     ^^^^^^ TL0006: a trunk has no field `colour`
  land: { from: [198.51.100.9], country: "086", put-through: forward }
#                                        ^^^^^ TL0010: `086` is no country's calling code
#                                                            ^^^^^^^ TL0010: there is no way to put callers through `forward`
  mute: { from: [198.51.100.3], codecs: [] }
#                               ^^^^^^ TL0010: a trunk without codecs carries no speech
--- agents.yaml
zhang-wei: { phone: zhang-wei-phone, supervisor: true }
li-na: { supervisor: true }
#        ^^^^^^^^^^ TL0007: `li-na` has no phone to listen in with
wang-fang: { phone: Wang }
#                   ^^^^ TL0107: `Wang` cannot be the name of a secret
--- flows/main.yaml
flow: main
start: done
steps: { done: { end: completed } }
"##,
        );
    }

    #[test]
    fn a_trunk_has_what_is_written_of_it() {
        let text = r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main, trunks: [telecom], early: true }, "12329": { flow: main } }
trunks:
  telecom:
    title: City exchange
    from: [192.0.2.0/28, "2001:db8::7"]
    login: telecom
    secret: telecom-trunk
    to: sip.telecom.example:5070
    transport: tls
    register: true
    codecs: [pcmu]
    calls: 30
    rate: 5 per second
    strip: "+86571"
    caller-id: claimed
    country: "86"
    put-through: refer
  plain: { from: [198.51.100.0/24] }
--- agents.yaml
zhang-wei: { phone: zhang-wei-phone, supervisor: true }
li-na: { skills: [mandarin] }
--- flows/main.yaml
flow: main
start: done
steps: { done: { end: completed } }
"##;
        let report = check(&parse(&files(text)), &interfaces());
        assert!(report.diagnostics.is_empty(), "{:#?}", report.diagnostics);
        let checked = report.checked.expect("no findings");
        let telecom = &checked.trunks["telecom"];
        assert!(telecom.from[0].contains("192.0.2.3".parse().unwrap()));
        assert!(telecom.from[1].contains("2001:db8::7".parse().unwrap()));
        assert_eq!(
            telecom.login,
            Some(Login {
                user: "telecom".into(),
                secret: "telecom-trunk".into()
            })
        );
        assert_eq!(
            telecom.to.as_ref().map(ToString::to_string).as_deref(),
            Some("sip.telecom.example:5070")
        );
        assert_eq!((telecom.transport, telecom.register), (Transport::Tls, true));
        assert_eq!((&*telecom.codecs, telecom.calls_max), (&[Codec::Pcmu][..], 30));
        assert_eq!(telecom.rate.to_string(), "5 per second");
        assert_eq!(telecom.strip.as_deref(), Some("+86571"));
        assert_eq!(telecom.caller_id, CallerId::Claimed);
        assert_eq!(telecom.country.as_deref(), Some("86"));
        assert_eq!(telecom.put_through, PutThrough::Refer);
        assert!(checked.numbers["12345"].early && !checked.numbers["12329"].early);
        let plain = &checked.trunks["plain"];
        assert_eq!((plain.transport, plain.calls_max), (Transport::Udp, 200));
        assert_eq!(plain.codecs, [Codec::Pcma, Codec::Pcmu]);
        assert_eq!(plain.rate.to_string(), "20 per second");
        assert_eq!(plain.caller_id, CallerId::Trusted);
        assert!(plain.login.is_none() && plain.to.is_none() && plain.strip.is_none() && !plain.register);
        assert_eq!(checked.numbers["12345"].trunks, Some(vec!["telecom".into()]));
        assert_eq!(checked.numbers["12329"].trunks, None);
        let zhang_wei = &checked.agents["zhang-wei"];
        assert_eq!(
            (zhang_wei.phone.as_deref(), zhang_wei.supervisor),
            (Some("zhang-wei-phone"), true)
        );
        assert_eq!(
            (&checked.agents["li-na"].phone, checked.agents["li-na"].supervisor),
            (&None, false)
        );
    }

    #[test]
    fn calls_leave_by_a_trunk_and_meet_agents_with_phones() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
trunks: { telecom: { from: [192.0.2.0/28] } }
queues: { general: { skills: [mandarin] }, law: { skills: [law] } }
#         ^^^^^^^ TL0821: no agent of the queue `general` has a phone
--- agents.yaml
zhang-wei: { skills: [mandarin] }
li-na: { skills: [law] }
wang-fang: { skills: [law], phone: wang-fang-phone }
--- flows/main.yaml
flow: main
start: a
steps:
  a: { queue: general, on: { else: b }, next: b }
  b: { queue: law, on: { else: c }, next: c }
  c: { transfer: "057112345", on: { else: d }, next: d }
#                ^^^^^^^^^^^ TL0817: no trunk leads outside
  d: { transfer: { agent: li-na }, on: { else: done }, next: done }
  done: { end: completed }
"##,
        );
    }
}
