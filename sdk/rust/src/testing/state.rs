//! What the test host of a thread holds while it is there.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use super::{
    exchange::Exchange,
    grants::HttpGrant,
    running::{Line, SentRequest},
    setup::Call,
    store::{Quota, Store},
    vault::Vault,
};

#[derive(Debug)]
pub(super) struct State {
    pub config: BTreeMap<String, String>,
    pub http: Vec<HttpGrant>,
    pub kv: Option<Quota>,
    /// Why the key-value store does not answer, while it does not.
    pub kv_unavailable: Option<String>,
    pub store: Store,
    pub vault: Vault,
    /// Each with how often it was asked for.
    pub exchanges: Vec<(Exchange, usize)>,
    pub requests: Vec<SentRequest>,
    pub lines: Vec<Line>,
    pub call: Call,
    /// Time since 1970.
    pub now: Duration,
    /// When the call under way is stopped.
    pub deadline: Duration,
    /// Whether somebody is there to be told that the call was stopped.
    pub supervised: bool,
}

thread_local! {
    /// The hosts of this thread; the last is the one that is asked.
    static HOSTS: RefCell<Vec<Rc<RefCell<State>>>> = const { RefCell::new(Vec::new()) };
}

/// Makes a host the one that this thread asks.
pub(super) fn install(state: Rc<RefCell<State>>) {
    HOSTS.with_borrow_mut(|hosts| hosts.push(state));
}

/// Takes back what [`install`] did last for this host; the one before is asked again.
pub(super) fn remove(state: &Rc<RefCell<State>>) {
    HOSTS.with_borrow_mut(|hosts| {
        if let Some(index) = hosts.iter().rposition(|host| Rc::ptr_eq(host, state)) {
            hosts.remove(index);
        }
    });
}

/// Asks the host of this thread.
pub(super) fn with<T>(ask: impl FnOnce(&mut State) -> T) -> T {
    let host = HOSTS.with_borrow(|hosts| hosts.last().cloned());
    let Some(host) = host else {
        panic!(
            "this thread has no host: a test begins with \
             `let host = trunkline_sdk::testing::Host::of_plugin(include_str!(\"../plugin.toml\")).start();`"
        );
    };
    let mut state = host.borrow_mut();
    ask(&mut state)
}
