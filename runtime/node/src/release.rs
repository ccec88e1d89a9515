//! A release: a hotline's flows, prompts, plugins and configuration under one digest,
//! checked as a whole.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use trunkline_flow::{Checked, diagnostics::Diagnostic};
use trunkline_model::{Digest, FlowName, PluginName, StepId, Timestamp};
use trunkline_plugin::Plugin;

use crate::bundle::Bundle;

/// What a contact runs on from its first event to its last.
pub struct Release {
    id: Digest,
    built: Timestamp,
    hotline: Checked,
    plugins: BTreeMap<PluginName, LoadedPlugin>,
    bundle: Bundle,
    warnings: Vec<Diagnostic>,
    contacts: AtomicUsize,
    /// The number of its last activation; 1 where that was before this node started, 0 where it never was.
    activation: AtomicU64,
}

/// A plugin of a release.
#[derive(Clone)]
pub struct LoadedPlugin {
    /// The plugin, shared by all releases in which it is the same.
    pub plugin: Plugin,
    /// Whose it is.
    pub department: Arc<str>,
    /// Where its component is, as hotline.yaml says it.
    pub path: Arc<str>,
    /// The component's digest.
    pub component: Digest,
}

/// How far a release has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Built and checked, and not yet given any contact.
    Built,
    /// New contacts begin on it.
    Current,
    /// Another took its place; contacts are still on it.
    Draining,
    /// No contact is on it any more.
    Drained,
}

impl Stage {
    /// All stages.
    pub const ALL: [Self; 4] = [Self::Built, Self::Current, Self::Draining, Self::Drained];

    /// The stage's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Built => "built",
            Self::Current => "current",
            Self::Draining => "draining",
            Self::Drained => "drained",
        }
    }
}

impl Release {
    pub(crate) fn new(
        bundle: Bundle,
        hotline: Checked,
        plugins: BTreeMap<PluginName, LoadedPlugin>,
        warnings: Vec<Diagnostic>,
        built: Timestamp,
    ) -> Self {
        Self {
            id: bundle.release_id(),
            built,
            hotline,
            plugins,
            bundle,
            warnings,
            contacts: AtomicUsize::new(0),
            activation: AtomicU64::new(0),
        }
    }

    /// The digest of all that it is made of.
    pub const fn id(&self) -> Digest {
        self.id
    }

    /// When it was built, or rebuilt.
    pub const fn built(&self) -> Timestamp {
        self.built
    }

    /// The hotline that the engine runs.
    pub const fn hotline(&self) -> &Checked {
        &self.hotline
    }

    /// What it was built of.
    pub(crate) const fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The digest of a recording that its prompts name, by the recording's path in the hotline.
    pub fn recording(&self, path: &str) -> Option<Digest> {
        self.bundle.recordings.get(path).copied()
    }

    /// The paths and digests of all recordings that its prompts name.
    pub const fn recordings(&self) -> &BTreeMap<Arc<str>, Digest> {
        &self.bundle.recordings
    }

    /// A plugin by its name in the hotline.
    pub fn plugin(&self, name: &PluginName) -> Option<Plugin> {
        self.plugins.get(name).map(|loaded| loaded.plugin.clone())
    }

    /// Its plugins, by their names in the hotline.
    pub const fn plugins(&self) -> &BTreeMap<PluginName, LoadedPlugin> {
        &self.plugins
    }

    /// What the check found and let pass.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// How many contacts are on it.
    pub fn contacts(&self) -> usize {
        self.contacts.load(Ordering::Acquire)
    }

    /// The verb of a step, for metrics.
    pub(crate) fn verb(&self, flow: &FlowName, step: &StepId) -> Option<&'static str> {
        Some(self.hotline.flows.get(flow)?.steps.get(step)?.verb.name())
    }

    /// Whether its hotline has what services keep.
    pub(crate) fn uses_services(&self) -> bool {
        let hotline = &self.hotline;
        !hotline.queues.is_empty() || !hotline.tickets.is_empty() || !hotline.surveys.is_empty()
    }

    /// It was current once.
    pub(crate) fn was_current(&self) {
        self.activation.fetch_max(1, Ordering::Release);
    }

    /// New contacts begin on it from now on, and its plugins' limits hold for all versions. Activations
    /// of a node are numbered, from 2.
    pub(crate) fn activate(&self, number: u64) {
        self.activation.store(number, Ordering::Release);
        for loaded in self.plugins.values() {
            loaded.plugin.take_over();
        }
    }

    /// Its last activation: the one with the highest number is the current one. 1 where it was before
    /// this node started, 0 where it never was.
    pub(crate) fn activation(&self) -> u64 {
        self.activation.load(Ordering::Acquire)
    }

    /// How far it has come, given whether it is the current one.
    pub(crate) fn stage(&self, is_current: bool) -> Stage {
        if is_current {
            Stage::Current
        } else if self.contacts() > 0 {
            Stage::Draining
        } else if self.activation() > 0 {
            Stage::Drained
        } else {
            Stage::Built
        }
    }
}

impl fmt::Debug for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Release")
            .field("id", &self.id.short())
            .field("contacts", &self.contacts())
            .finish_non_exhaustive()
    }
}

/// A hold on a release: while one is there, the release is not collected.
pub(crate) struct Pinned(Arc<Release>);

impl Pinned {
    pub(crate) fn new(release: Arc<Release>) -> Self {
        release.contacts.fetch_add(1, Ordering::AcqRel);
        Self(release)
    }

    pub(crate) const fn release(&self) -> &Arc<Release> {
        &self.0
    }
}

impl Clone for Pinned {
    fn clone(&self) -> Self {
        Self::new(self.0.clone())
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        self.0.contacts.fetch_sub(1, Ordering::AcqRel);
    }
}
