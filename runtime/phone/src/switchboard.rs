//! Who is on a line now: calls by their contacts, and calls between agents' phones and others, so that
//! one can be found from the other. And whom a number or an address means.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{mpsc, oneshot};
use trunkline_flow::hotline::Hotline;
use trunkline_model::ContactId;
use trunkline_node::LineView;
use trunkline_sip::{Destination, DialogId, Sip};

use crate::{caller::Wish, leg::Leg};

/// Wishes for one call that wait; more are refused.
pub(crate) const WISHES_WAITING_MAX: usize = 8;

/// Everybody who is on a line.
pub(crate) struct Switchboard {
    sip: Sip,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// By contact, with who brought each.
    calls: BTreeMap<ContactId, (Arc<str>, mpsc::Sender<Wish>)>,
    /// Calls that agents' phones made, by the name of either leg.
    pairs: HashMap<String, mpsc::Sender<GiveUp>>,
}

/// A call between two is to give up whom the leg of a name talks to.
pub(crate) struct GiveUp {
    pub(crate) leg: String,
    pub(crate) reply: oneshot::Sender<Option<Leg>>,
}

impl Switchboard {
    pub(crate) fn new(sip: Sip) -> Self {
        Self {
            sip,
            inner: Mutex::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A contact is on a line.
    pub(crate) fn add(&self, contact: &ContactId, from: Arc<str>) -> mpsc::Receiver<Wish> {
        let (wishes, receiver) = mpsc::channel(WISHES_WAITING_MAX);
        self.inner().calls.insert(contact.clone(), (from, wishes));
        receiver
    }

    pub(crate) fn remove(&self, contact: &ContactId) {
        self.inner().calls.remove(contact);
    }

    /// How to ask something of a contact's call.
    pub(crate) fn call(&self, contact: &ContactId) -> Option<mpsc::Sender<Wish>> {
        self.inner().calls.get(contact).map(|(_, wishes)| wishes.clone())
    }

    /// The calls as others see them.
    pub(crate) fn views(&self) -> Vec<LineView> {
        let view = |(contact, (from, _)): (&ContactId, &(Arc<str>, mpsc::Sender<Wish>))| LineView {
            contact: contact.clone(),
            from: from.clone(),
        };
        self.inner().calls.iter().map(view).collect()
    }

    /// How to ask something of all calls.
    pub(crate) fn all(&self) -> Vec<mpsc::Sender<Wish>> {
        self.inner()
            .calls
            .values()
            .map(|(_, wishes)| wishes.clone())
            .collect()
    }

    /// Two talk who are no contact.
    pub(crate) fn add_pair(&self, legs: [&str; 2]) -> mpsc::Receiver<GiveUp> {
        let (asks, receiver) = mpsc::channel(WISHES_WAITING_MAX);
        let mut inner = self.inner();
        for leg in legs {
            inner.pairs.insert(leg.to_owned(), asks.clone());
        }
        receiver
    }

    pub(crate) fn remove_pair(&self, legs: [&str; 2]) {
        let mut inner = self.inner();
        for leg in legs {
            inner.pairs.remove(leg);
        }
    }

    /// Takes whom an agent's phone talks to in another dialog out of that call, for the caller whom the
    /// agent hands over.
    pub(crate) async fn give_up(&self, dialog: &DialogId) -> Option<Leg> {
        let leg = self.sip.call_of(dialog)?;
        let asks = self.inner().pairs.get(&leg).cloned()?;
        let (reply, answer) = oneshot::channel();
        let ask = GiveUp { leg, reply };
        asks.send(ask).await.ok()?;
        answer.await.ok()?
    }
}

/// Who is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    /// An agent, by the phone.
    Agent(Arc<str>),
    /// Somebody outside.
    Outside(Arc<str>),
}

/// Whom an address names that a phone gave: an agent, or a number outside. Addresses of other
/// machines are not called on the word of a phone.
pub(crate) fn whom(hotline: &Hotline, to: &str) -> Option<Whom> {
    let to = to.trim().trim_start_matches('<').trim_end_matches('>');
    let (scheme, rest) = to.split_once(':')?;
    if !["sip", "sips", "tel"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return None;
    }
    let user = rest.split(['@', ';', '?']).next()?;
    dialled(hotline, user)
}

/// Whom what an agent dialled means.
pub(crate) fn dialled(hotline: &Hotline, user: &str) -> Option<Whom> {
    if let Some((agent, known)) = hotline.agents.get_key_value(user) {
        return known.phone.is_some().then(|| Whom::Agent(agent.clone()));
    }
    let number: String = user
        .chars()
        .filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' '))
        .collect();
    let is_number = !number.is_empty()
        && number.len() <= 32
        && number
            .char_indices()
            .all(|(at, c)| c.is_ascii_digit() || (at == 0 && c == '+') || c == '*' || c == '#');
    is_number.then(|| Whom::Outside(number.into()))
}

/// How somebody outside is reached: by the trunk that the caller came by, else by the first that goes
/// anywhere. None for what is no number.
pub(crate) fn outside(
    hotline: &Hotline,
    from: Option<&str>,
    party: &str,
) -> Option<(Destination, Option<String>)> {
    let Some(Whom::Outside(number)) = dialled(hotline, party) else {
        return None;
    };
    let leads_out = |name: &&str| hotline.trunks.get(*name).is_some_and(|trunk| trunk.to.is_some());
    let all = hotline.trunks.keys().map(|name| &**name);
    let trunk = from.into_iter().chain(all).find(leads_out)?.to_owned();
    Some((
        Destination::Trunk {
            name: trunk.clone(),
            number: number.to_string(),
        },
        Some(trunk),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::testing::hotline;

    #[test]
    fn an_address_of_a_phone_means_an_agent_or_a_number() {
        let hotline = hotline();
        let agent = |name: &str| Some(Whom::Agent(name.into()));
        let number = |number: &str| Some(Whom::Outside(number.into()));
        for (to, means) in [
            ("<sip:li-na@192.0.2.1>", agent("li-na")),
            ("sip:110@hotline.example;user=phone", number("110")),
            ("tel:+86-571-1234", number("+865711234")),
            ("SIP:*9@x", number("*9")),
            // One without a phone, a name that is none, and what is no address.
            ("sip:zhang-wei@x", None),
            ("sip:somebody@elsewhere.example", None),
            ("sip:@x", None),
            ("http://110", None),
            ("110", None),
        ] {
            assert_eq!(whom(&hotline, to), means, "{to}");
        }
    }

    #[test]
    fn outside_is_reached_by_the_trunk_of_the_caller() {
        let hotline = hotline();
        let trunk = |from, party| match outside(&hotline, from, party) {
            Some((Destination::Trunk { name, number }, Some(_))) => Some((name, number)),
            _ => None,
        };
        assert_eq!(
            trunk(Some("telecom"), "110"),
            Some(("telecom".to_owned(), "110".to_owned()))
        );
        // That one leads nowhere.
        assert_eq!(
            trunk(Some("other"), "110"),
            Some(("telecom".to_owned(), "110".to_owned()))
        );
        assert_eq!(trunk(None, "110"), Some(("telecom".to_owned(), "110".to_owned())));
        // A flow's address is called as it is written there; what an expression gives is a number, or
        // nothing.
        for party in ["sip:desk@example.org", "li-na", "", "我不知道", "110@10.0.0.1"] {
            assert!(outside(&hotline, None, party).is_none(), "{party}");
        }
    }
}
