//! Which phones an account has and where they are (RFC 3261 section 10). Time is an argument; no socket.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rsipstack::transport::SipAddr;
use tokio::time::Instant;

use crate::limits::{BINDINGS_PER_ACCOUNT_MAX, REGISTER_SECONDS_DEFAULT};

/// One phone of an account.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    /// The address it wants to be called by.
    pub(crate) contact: String,
    /// Where it really is: the connection it came over, or the address its datagram came from.
    pub(crate) at: SipAddr,
    call: String,
    sequence: u32,
    until: Instant,
    since: u64,
}

/// What a REGISTER asks for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// The contacts with the seconds each asks for.
    pub(crate) contacts: Vec<(String, Option<u32>)>,
    /// `Contact: *`.
    pub(crate) all: bool,
    /// The Expires header.
    pub(crate) expires: Option<u32>,
    pub(crate) call: String,
    pub(crate) sequence: u32,
    pub(crate) at: SipAddr,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The bindings now, with the seconds left.
    Bound {
        contacts: Vec<(String, u32)>,
        change: Option<Change>,
    },
    /// Fewer seconds asked than granted: 423.
    TooBrief,
    /// `*` with anything else: 400.
    Malformed,
    /// More phones than an account may have: 403.
    TooMany,
    /// Older than what is known (RFC 3261 10.3 step 7): 500.
    OutOfOrder,
}

/// An account became reachable, or stopped to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Registered,
    Unregistered,
}

/// The bindings of all accounts.
pub(crate) struct Registrar {
    seconds_min: u32,
    seconds_max: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    accounts: HashMap<String, Vec<Binding>>,
    /// How many bindings are at an address.
    places: HashMap<SipAddr, usize>,
    registrations: u64,
}

impl Registrar {
    pub(crate) fn new(seconds_min: u32, seconds_max: u32) -> Registrar {
        Registrar {
            seconds_min,
            seconds_max: seconds_max.max(seconds_min),
            state: Mutex::default(),
        }
    }

    pub(crate) fn seconds_min(&self) -> u32 {
        self.seconds_min
    }

    pub(crate) fn register(&self, account: &str, wish: &Wish, now: Instant) -> Outcome {
        if wish.all && (wish.expires != Some(0) || !wish.contacts.is_empty()) {
            return Outcome::Malformed;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State {
            accounts,
            places,
            registrations,
        } = &mut *state;
        // Decided on a copy, so that a refused REGISTER changes nothing.
        let before = accounts.get(account).cloned().unwrap_or_default();
        let mut bindings: Vec<Binding> = before
            .iter()
            .filter(|binding| binding.until > now)
            .cloned()
            .collect();
        let was = !before.is_empty();
        if wish.all {
            bindings.clear();
        }
        for (contact, seconds) in &wish.contacts {
            let asked = seconds.or(wish.expires).unwrap_or(REGISTER_SECONDS_DEFAULT);
            if asked > 0 && asked < self.seconds_min {
                return Outcome::TooBrief;
            }
            let known = bindings.iter().position(|binding| binding.contact == *contact);
            if let Some(known) = known {
                let binding = &bindings[known];
                if binding.call == wish.call && wish.sequence <= binding.sequence {
                    return Outcome::OutOfOrder;
                }
                bindings.remove(known);
            }
            if asked == 0 {
                continue;
            }
            // The same phone behind a new connection: its old one is of no use any more.
            bindings.retain(|binding| binding.call != wish.call || wish.contacts.len() > 1);
            if bindings.len() >= BINDINGS_PER_ACCOUNT_MAX {
                return Outcome::TooMany;
            }
            *registrations += 1;
            bindings.push(Binding {
                contact: contact.clone(),
                at: wish.at.clone(),
                call: wish.call.clone(),
                sequence: wish.sequence,
                until: now + Duration::from_secs(asked.min(self.seconds_max).into()),
                since: *registrations,
            });
        }
        let contacts = bindings
            .iter()
            .map(|binding| {
                let left = binding.until.saturating_duration_since(now).as_secs_f64().ceil();
                // Bounded by seconds_max, so the cast keeps the value.
                (binding.contact.clone(), left as u32)
            })
            .collect();
        let change = change(was, !bindings.is_empty());
        for binding in &bindings {
            *places.entry(binding.at.clone()).or_default() += 1;
        }
        for binding in &before {
            leave(places, &binding.at);
        }
        if bindings.is_empty() {
            accounts.remove(account);
        } else {
            accounts.insert(account.to_owned(), bindings);
        }
        Outcome::Bound { contacts, change }
    }

    /// The phones of an account, the one registered last first.
    pub(crate) fn bindings(&self, account: &str, now: Instant) -> Vec<Binding> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bindings: Vec<Binding> = state
            .accounts
            .get(account)
            .into_iter()
            .flatten()
            .filter(|binding| binding.until > now)
            .cloned()
            .collect();
        bindings.sort_by_key(|binding| std::cmp::Reverse(binding.since));
        bindings
    }

    /// Whether some phone is at an address.
    pub(crate) fn is_at(&self, at: &SipAddr) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.places.contains_key(at)
    }

    /// Whether a phone of an account is at an address.
    pub(crate) fn is_of(&self, account: &str, at: &SipAddr) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .accounts
            .get(account)
            .is_some_and(|bindings| bindings.iter().any(|binding| binding.at == *at))
    }

    /// How many accounts have a phone.
    pub(crate) fn count(&self) -> usize {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .accounts
            .len()
    }

    /// Forgets the bindings that ran out, or hold otherwise no more; tells the accounts left without a phone.
    pub(crate) fn sweep(&self, keep: impl Fn(&str, &Binding) -> bool, now: Instant) -> Vec<String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gone = Vec::new();
        let State { accounts, places, .. } = &mut *state;
        accounts.retain(|account, bindings| {
            bindings.retain(|binding| {
                let kept = binding.until > now && keep(account, binding);
                if !kept {
                    leave(places, &binding.at);
                }
                kept
            });
            if bindings.is_empty() {
                gone.push(account.clone());
            }
            !bindings.is_empty()
        });
        gone
    }
}

/// A binding at an address is gone.
fn leave(places: &mut HashMap<SipAddr, usize>, at: &SipAddr) {
    if let Some(bindings) = places.get_mut(at) {
        *bindings -= 1;
        if *bindings == 0 {
            places.remove(at);
        }
    }
}

fn change(was: bool, is: bool) -> Option<Change> {
    match (was, is) {
        (false, true) => Some(Change::Registered),
        (true, false) => Some(Change::Unregistered),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(contacts: &[(&str, Option<u32>)], sequence: u32) -> Wish {
        Wish {
            contacts: contacts
                .iter()
                .map(|(contact, seconds)| ((*contact).to_owned(), *seconds))
                .collect(),
            all: false,
            expires: None,
            call: "call".to_owned(),
            sequence,
            at: SipAddr::default(),
        }
    }

    fn of(call: &str, wish: Wish) -> Wish {
        Wish {
            call: call.to_owned(),
            ..wish
        }
    }

    #[tokio::test]
    async fn a_phone_comes_is_refreshed_and_goes() {
        let registrar = Registrar::new(60, 3600);
        let now = Instant::now();
        let bound = |seconds, change| Outcome::Bound {
            contacts: vec![("sip:a".to_owned(), seconds)],
            change,
        };
        let first = registrar.register("anna", &wish(&[("sip:a", Some(100))], 1), now);
        assert_eq!(first, bound(100, Some(Change::Registered)));
        let again = registrar.register("anna", &wish(&[("sip:a", Some(9000))], 2), now);
        assert_eq!(again, bound(3600, None));
        let stale = registrar.register("anna", &wish(&[("sip:a", Some(100))], 2), now);
        assert_eq!(stale, Outcome::OutOfOrder);
        let gone = registrar.register("anna", &wish(&[("sip:a", Some(0))], 3), now);
        assert_eq!(
            gone,
            Outcome::Bound {
                contacts: vec![],
                change: Some(Change::Unregistered)
            }
        );
    }

    #[tokio::test]
    async fn bounds_hold_and_a_refusal_changes_nothing() {
        let registrar = Registrar::new(60, 3600);
        let now = Instant::now();
        assert_eq!(
            registrar.register("anna", &wish(&[("sip:a", Some(59))], 1), now),
            Outcome::TooBrief
        );
        for phone in 0..BINDINGS_PER_ACCOUNT_MAX {
            let contact = format!("sip:{phone}");
            let wish = of(&contact, wish(&[(&contact, None)], 1));
            assert!(matches!(
                registrar.register("anna", &wish, now),
                Outcome::Bound { .. }
            ));
        }
        let more = of("more", wish(&[("sip:more", None)], 1));
        assert_eq!(registrar.register("anna", &more, now), Outcome::TooMany);
        assert_eq!(registrar.bindings("anna", now).len(), BINDINGS_PER_ACCOUNT_MAX);
        assert_eq!(
            registrar.bindings("anna", now)[0].contact,
            format!("sip:{}", BINDINGS_PER_ACCOUNT_MAX - 1)
        );
        let star = Wish {
            all: true,
            ..wish(&[], 9)
        };
        assert_eq!(registrar.register("anna", &star, now), Outcome::Malformed);
        let star = Wish {
            expires: Some(0),
            ..star
        };
        let none = Outcome::Bound {
            contacts: vec![],
            change: Some(Change::Unregistered),
        };
        assert_eq!(registrar.register("anna", &star, now), none);
    }

    #[tokio::test]
    async fn what_runs_out_is_swept_and_told_once() {
        let registrar = Registrar::new(60, 3600);
        let now = Instant::now();
        registrar.register("anna", &wish(&[("sip:a", Some(60))], 1), now);
        registrar.register("bert", &wish(&[("sip:b", Some(600))], 1), now);
        let later = now + Duration::from_secs(61);
        assert!(registrar.bindings("anna", later).is_empty());
        assert_eq!(registrar.sweep(|_, _| true, later), ["anna"]);
        assert!(registrar.sweep(|_, _| true, later).is_empty());
        assert_eq!(registrar.sweep(|account, _| account != "bert", later), ["bert"]);
    }

    #[tokio::test]
    async fn an_address_is_known_while_a_phone_is_there_whoever_else_leaves() {
        let registrar = Registrar::new(60, 3600);
        let now = Instant::now();
        let at = |port: u16| SipAddr::from(std::net::SocketAddr::from(([192, 0, 2, 1], port)));
        let from = |port, wish: Wish| Wish { at: at(port), ..wish };
        registrar.register("anna", &from(1, wish(&[("sip:a", None)], 1)), now);
        registrar.register("bert", &from(1, wish(&[("sip:a", None)], 1)), now);
        registrar.register("anna", &from(2, wish(&[("sip:a", None)], 2)), now);
        assert!(registrar.is_at(&at(1)) && registrar.is_at(&at(2)) && !registrar.is_at(&at(3)));
        registrar.register("bert", &from(1, wish(&[("sip:a", Some(0))], 2)), now);
        assert!(!registrar.is_at(&at(1)) && registrar.is_at(&at(2)));
        registrar.sweep(|_, _| false, now);
        assert!(!registrar.is_at(&at(2)));
    }
}
