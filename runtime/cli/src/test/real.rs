//! Plugins that are really called, while the contact's time stands still.

use tokio::runtime::Handle;
use trunkline_engine::session::Calling;
use trunkline_model::{Duration, FaultKind, Outcome};
use trunkline_node::Release;
use trunkline_plugin::Call;
use trunkline_scenario::{Answered, Contact, Plugins};

/// The plugins of a release.
pub(super) struct Real<'a> {
    pub(super) release: &'a Release,
    /// Where calls are waited for; never a thread of its own.
    pub(super) handle: &'a Handle,
}

impl Plugins for Real<'_> {
    fn answer(&mut self, calling: &Calling, contact: &Contact) -> Result<Option<Answered>, String> {
        let outcome = match self.release.plugin(&calling.plugin) {
            Some(plugin) => self.handle.block_on(plugin.call(call(calling, contact))),
            None => no_plugin(calling),
        };
        Ok(Some(Answered {
            after: Duration::default(),
            outcome,
        }))
    }
}

/// A call that a contact waits for, as the plugin host takes it.
pub(crate) fn call(calling: &Calling, contact: &Contact) -> Call {
    Call {
        function: calling.function.clone(),
        arguments: contact.session().arguments(calling).unwrap_or_default().to_vec(),
        id: calling.call.clone(),
        attempt: calling.attempt,
        locale: contact.session().language.to_string(),
        time: calling.until.since(contact.at()),
    }
}

/// What comes of a call of a plugin that is not there.
pub(crate) fn no_plugin(calling: &Calling) -> Outcome {
    Outcome::fault(
        FaultKind::Host,
        format!("the release has no plugin {}", calling.plugin),
    )
}
