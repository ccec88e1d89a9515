//! The releases there are, and the one that new contacts begin on.
//!
//! Builds run one after another. A release is kept on the shelf before it becomes current, and
//! becoming current is one assignment: a contact that arrives meanwhile begins on the old one
//! or on the new one. What does not check is reported and changes nothing.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    path::Path,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::sync::broadcast;
use trunkline_model::{Digest, Duration};

use crate::{
    build::{BuildError, Builder, Built, OnDisk},
    bundle::{Origin, ReadError},
    clock::Clock,
    contacts::may_pass,
    limits::RELEASES_KEPT,
    observe,
    release::{Pinned, Release, Stage},
    report::{Cause, Report, Reports, Verdict},
    shelf::Shelf,
};

/// All releases of a node.
pub struct Releases {
    clock: Clock,
    builder: Builder,
    shelf: Arc<Shelf>,
    known: RwLock<Known>,
    /// Held by whoever builds, activates or collects.
    building: tokio::sync::Mutex<()>,
    reports: Reports,
    /// Whether the shelf may hold what nobody needs: after a start, and when one was let go of.
    littered: AtomicBool,
    /// The number of the next activation.
    activations: AtomicU64,
}

#[derive(Default)]
struct Known {
    current: Option<Arc<Release>>,
    releases: BTreeMap<Digest, Arc<Release>>,
    /// Those that were current, the last one last.
    history: VecDeque<Digest>,
    /// Those that contacts are on and that cannot be rebuilt, and why.
    lost: HashMap<Digest, Arc<str>>,
}

/// A release in short.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The release.
    pub release: Arc<Release>,
    /// How far it has come.
    pub stage: Stage,
}

impl Releases {
    pub(crate) fn new(clock: Clock, builder: Builder, shelf: Arc<Shelf>) -> Self {
        Self {
            clock,
            builder,
            shelf,
            known: RwLock::default(),
            building: tokio::sync::Mutex::default(),
            reports: Reports::new(),
            littered: AtomicBool::new(true),
            // Releases of earlier starts have 1.
            activations: AtomicU64::new(2),
        }
    }

    /// The release that new contacts begin on.
    pub fn current(&self) -> Option<Arc<Release>> {
        self.known().current.clone()
    }

    /// All releases, the current one first, then the newest.
    pub fn overview(&self) -> Vec<Overview> {
        let known = self.known();
        let current = known.current.as_ref().map(|release| release.id());
        let mut all: Vec<Overview> = known
            .releases
            .values()
            .map(|release| Overview {
                release: release.clone(),
                stage: release.stage(Some(release.id()) == current),
            })
            .collect();
        all.sort_by_key(|one| {
            (
                one.stage != Stage::Current,
                std::cmp::Reverse(one.release.built()),
            )
        });
        all
    }

    /// The last reports of builds, oldest first.
    pub fn reports(&self) -> Vec<Arc<Report>> {
        self.reports.kept()
    }

    /// Reports of builds to come.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Report>> {
        self.reports.subscribe()
    }

    /// The bytes of a recording of a release, by their digest.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn recording(&self, digest: &Digest) -> Result<Option<Vec<u8>>, trunkline_journal::Error> {
        self.shelf.content(digest).await
    }

    /// A hold on the current release.
    pub(crate) fn pin_current(&self) -> Option<Pinned> {
        // Taken while the list is locked, so that it is not collected in between.
        self.known().current.clone().map(Pinned::new)
    }

    /// A hold on a release, which is rebuilt from the shelf when it is not in memory.
    pub(crate) async fn pin(&self, id: &Digest) -> Result<Pinned, Arc<str>> {
        if let Some(pinned) = self.pin_known(id)? {
            return Ok(pinned);
        }
        let _building = self.building.lock().await;
        // Somebody else may have rebuilt it meanwhile.
        if let Some(pinned) = self.pin_known(id)? {
            return Ok(pinned);
        }
        let rebuilt = self.builder.rebuild(id, self.clock.now()).await;
        let why: Arc<str> = match rebuilt {
            Ok(Built {
                release: Some(release),
                ..
            }) => {
                let release = Arc::new(release);
                release.was_current();
                tracing::info!(
                    release = id.short(),
                    "release rebuilt for the contacts that are on it"
                );
                let pinned = Pinned::new(release.clone());
                self.known_mut().releases.insert(*id, release);
                return Ok(pinned);
            }
            Ok(Built { text, .. }) => format!("it no longer checks\n{text}").into(),
            // What may be there at the next attempt is not given up.
            Err(BuildError::Store(error)) if may_pass(&error) => return Err(error.to_string().into()),
            Err(error) => error.to_string().into(),
        };
        self.known_mut().lost.insert(*id, why.clone());
        Err(why)
    }

    fn pin_known(&self, id: &Digest) -> Result<Option<Pinned>, Arc<str>> {
        let known = self.known();
        if let Some(why) = known.lost.get(id) {
            return Err(why.clone());
        }
        Ok(known.releases.get(id).cloned().map(Pinned::new))
    }

    /// Builds a folder and makes it current when it checks. Also gives its components on disk.
    pub(crate) async fn take_folder(&self, folder: &Path, cause: Cause) -> (Arc<Report>, OnDisk) {
        self.take(&Origin::Folder(folder.to_owned()), cause, true).await
    }

    /// Builds a hotline sent as an archive, and makes it current when it checks and `activate`
    /// is wanted.
    ///
    /// # Errors
    /// The archive cannot be read.
    pub async fn take_archive(&self, bytes: &[u8], activate: bool) -> Result<Arc<Report>, ReadError> {
        let origin = Origin::archive(bytes)?;
        Ok(self.take(&origin, Cause::Sent, activate).await.0)
    }

    async fn take(&self, origin: &Origin, cause: Cause, activate: bool) -> (Arc<Report>, OnDisk) {
        let began = self.clock.now();
        let _building = self.building.lock().await;
        let mut report = Report {
            number: 0,
            at: began,
            cause,
            verdict: Verdict::Failed,
            release: None,
            took: Duration::default(),
            findings: Vec::new(),
            text: String::new(),
        };
        let mut on_disk = OnDisk::new();
        match self.builder.build(origin, began).await {
            Ok(built) => {
                on_disk = built.on_disk;
                report.findings = built.findings;
                report.text = built.text;
                match built.release {
                    None => report.verdict = Verdict::Refused,
                    Some(release) => {
                        report.release = Some(release.id());
                        let admitted = self.admit(Arc::new(release), activate).await;
                        report.verdict = admitted.unwrap_or_else(|error| {
                            report.text = error.to_string();
                            Verdict::Failed
                        });
                    }
                }
            }
            Err(error) => report.text = error.to_string(),
        }
        report.took = self.clock.now().since(began);
        (self.reports.add(report), on_disk)
    }

    /// Makes a release that is there current: going back is repointing.
    ///
    /// # Errors
    /// It is not there and cannot be rebuilt.
    pub async fn activate(&self, id: &Digest) -> Result<Arc<Report>, Arc<str>> {
        let began = self.clock.now();
        let pinned = self.pin(id).await?;
        let _building = self.building.lock().await;
        let admitted = self.admit(pinned.release().clone(), true).await;
        let (verdict, text) = match admitted {
            Ok(verdict) => (verdict, String::new()),
            Err(error) => (Verdict::Failed, error.to_string()),
        };
        Ok(self.reports.add(Report {
            number: 0,
            at: began,
            cause: Cause::Asked,
            verdict,
            release: Some(*id),
            took: self.clock.now().since(began),
            findings: Vec::new(),
            text,
        }))
    }

    /// Makes the release current that was so last, when the folder's own does not check.
    pub(crate) async fn resume_last(&self) -> Option<Arc<Release>> {
        let last = self.shelf.current(self.clock.now()).await.ok().flatten()?;
        self.activate(&last).await.ok()?;
        self.current()
    }

    /// Keeps a release and takes it in. The same content again is the release there is.
    async fn admit(&self, release: Arc<Release>, activate: bool) -> Result<Verdict, BuildError> {
        let id = release.id();
        let release = {
            let known = self.known();
            if known.current.as_ref().is_some_and(|current| current.id() == id) {
                return Ok(Verdict::Unchanged);
            }
            known.releases.get(&id).cloned().unwrap_or(release)
        };
        let at = self.clock.now();
        self.shelf.keep(release.bundle(), at).await?;
        if !activate {
            self.known_mut().releases.entry(id).or_insert(release);
            return Ok(Verdict::Built);
        }
        self.shelf.set_current(&id, at).await?;
        release.activate(self.activations.fetch_add(1, Ordering::Relaxed));
        self.builder
            .reserve(release.plugins().values().map(|loaded| &loaded.plugin));
        {
            let mut known = self.known_mut();
            known.releases.insert(id, release.clone());
            known.lost.remove(&id);
            known.history.retain(|before| *before != id);
            known.history.push_back(id);
            known.current = Some(release);
        }
        self.count();
        Ok(Verdict::Live)
    }

    /// Lets go of releases that nobody is on and that are not among the last ones, in memory
    /// and on the shelf. Not before all contacts of the journal have been taken up.
    pub(crate) async fn collect(&self) {
        let Ok(_building) = self.building.try_lock() else {
            return;
        };
        let gone = {
            let mut known = self.known_mut();
            let current = known.current.as_ref().map(|release| release.id());
            let kept: Vec<Digest> = known.history.iter().rev().take(RELEASES_KEPT).copied().collect();
            let before = known.releases.len();
            known.releases.retain(|id, release| {
                Some(*id) == current
                    || kept.contains(id)
                    || matches!(release.stage(false), Stage::Draining | Stage::Built)
            });
            let Known {
                releases, history, ..
            } = &mut *known;
            history.retain(|id| releases.contains_key(id));
            before - releases.len()
        };
        self.count();
        if !self.littered.fetch_or(gone > 0, Ordering::AcqRel) && gone == 0 {
            return;
        }
        self.builder.release_unused(self.known().releases.values());
        self.builder.distrust_stamps();
        let collected = self.shelf.collect(self.clock.now(), |rank, id| {
            let known = self.known();
            rank < RELEASES_KEPT || known.releases.contains_key(id) || known.lost.contains_key(id)
        });
        match collected.await {
            Ok(collected) => {
                self.littered.store(false, Ordering::Release);
                tracing::debug!(gone, collected, "releases collected");
            }
            Err(error) => tracing::warn!(%error, "releases were not collected; trying again later"),
        }
    }

    fn count(&self) {
        let overview = self.overview();
        for stage in Stage::ALL {
            let count = overview.iter().filter(|one| one.stage == stage).count();
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            metrics::gauge!(observe::RELEASES, "stage" => stage.as_str()).set(count);
        }
    }

    fn known(&self) -> std::sync::RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> std::sync::RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
