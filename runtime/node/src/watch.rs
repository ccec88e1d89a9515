//! Watching a hotline's folder: what is saved goes live.
//!
//! Notices of the file system only say when to look. A build begins when nothing was written
//! for [`SETTLE`], and only when the files differ from those of the last build, so it does not
//! matter in how many steps an editor writes, whether it writes in place or puts a new file
//! over the old one, or whether the whole folder was replaced. Where notices do not come, the
//! folder is looked at every [`RESCAN_EVERY`].

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    build::OnDisk,
    bundle::{Fingerprint, fingerprint},
    limits::{RESCAN_EVERY, SETTLE, SETTLE_MAX},
    observe,
    releases::Releases,
    report::{Cause, Verdict},
};

/// Follows a hotline's folder until it is told to stop.
pub(crate) struct Watch {
    releases: Arc<Releases>,
    folder: PathBuf,
    /// Where the components of the last build lie.
    components: BTreeSet<PathBuf>,
    /// The files as they were at the last build.
    seen: Option<Fingerprint>,
}

impl Watch {
    /// Made before the first build, so that what is saved during it is noticed.
    pub(crate) fn new(releases: Arc<Releases>, folder: PathBuf) -> Self {
        let mut watch = Self {
            releases,
            folder,
            components: BTreeSet::new(),
            seen: None,
        };
        watch.seen = watch.look();
        watch
    }

    /// Takes note of the components that a build found.
    pub(crate) fn found(&mut self, on_disk: OnDisk) {
        self.components = on_disk.keys().cloned().collect();
        if let Some(seen) = &mut self.seen {
            seen.extend(
                on_disk
                    .into_iter()
                    .filter_map(|(path, stamp)| Some((path, stamp?))),
            );
        }
    }

    /// Runs until `stop`. Dropping the future stops watching.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let (notices, mut noticed) = mpsc::channel(1);
        let mut watcher = None;
        let mut watched = BTreeSet::new();
        loop {
            let places = self.places();
            if watcher.is_none() || places != watched {
                watcher = self.watcher(&places, notices.clone());
                watched = places;
            }
            let rescan = Instant::now() + RESCAN_EVERY.to_std();
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep_until(rescan) => {
                    if self.look() == self.seen {
                        continue;
                    }
                }
                notice = noticed.recv() => if notice.is_none() { return },
            }
            settle(&mut noticed).await;
            if self.build().await {
                // The folder itself may be another one now, which the old watch does not follow.
                watcher = None;
            }
        }
    }

    /// Builds when the files differ from those of the last build. Whether they did.
    async fn build(&mut self) -> bool {
        let settled = Instant::now();
        let files = self.look();
        if files == self.seen {
            return false;
        }
        self.seen = files;
        let (report, on_disk) = self.releases.take_folder(&self.folder, Cause::Saved).await;
        // A build that could not read the files tells nothing of components.
        if report.verdict != Verdict::Failed {
            self.found(on_disk);
        }
        metrics::histogram!(observe::RELOAD_SECONDS, "result" => report.verdict.as_str())
            .record(settled.elapsed().as_secs_f64());
        true
    }

    /// The stamps of all files that make the release; none when the folder cannot be read.
    fn look(&self) -> Option<Fingerprint> {
        fingerprint(&self.folder, self.components.iter().cloned()).ok()
    }

    /// The folders to be watched, and whether with all that is below them: the hotline's own;
    /// the one above it, in which it may be replaced; those of components and of what links
    /// lead to.
    fn places(&self) -> BTreeSet<(PathBuf, bool)> {
        let mut places = BTreeSet::from([(self.folder.clone(), true)]);
        let above = |path: &Path| path.parent().map(|above| (above.to_owned(), false));
        let absolute = std::path::absolute(&self.folder).unwrap_or_else(|_| self.folder.clone());
        places.extend(above(&absolute));
        let inside = self.folder.canonicalize().unwrap_or(absolute);
        let files = self
            .seen
            .iter()
            .flat_map(|seen| seen.keys())
            .chain(&self.components);
        for file in files {
            if !file.starts_with(&self.folder) {
                places.extend(above(file));
            }
            if let Ok(real) = file.canonicalize()
                && !real.starts_with(&inside)
            {
                places.extend(above(&real));
            }
        }
        places
    }

    fn watcher(
        &self,
        places: &BTreeSet<(PathBuf, bool)>,
        notices: mpsc::Sender<()>,
    ) -> Option<RecommendedWatcher> {
        let components = self.components.clone();
        let folder = self.folder.clone();
        let handler = move |event: notify::Result<Event>| {
            // An error means that notices were lost: a reason to look.
            if event.is_ok_and(|event| !concerns(&event, &folder, &components)) {
                return;
            }
            // One notice waiting is enough.
            let _ = notices.try_send(());
        };
        let mut watcher = notify::recommended_watcher(handler)
            .inspect_err(|error| {
                tracing::warn!(%error, "the folder is not watched, only looked at every {RESCAN_EVERY}");
            })
            .ok()?;
        for (place, below) in places {
            let mode = if *below {
                RecursiveMode::Recursive
            } else {
                RecursiveMode::NonRecursive
            };
            if let Err(error) = watcher.watch(place, mode) {
                tracing::debug!(place = %place.display(), %error, "not watched, only looked at");
            }
        }
        Some(watcher)
    }
}

/// Returns when nothing was noticed for a while, or when that takes too long.
async fn settle(noticed: &mut mpsc::Receiver<()>) {
    let latest = Instant::now() + SETTLE_MAX.to_std();
    loop {
        let quiet = (Instant::now() + SETTLE.to_std()).min(latest);
        match timeout_at(quiet, noticed.recv()).await {
            Ok(Some(())) if Instant::now() < latest => {}
            Ok(_) | Err(_) => return,
        }
    }
}

/// Whether a notice may be of a change of the hotline. Reading it, as a build does, is none.
fn concerns(event: &Event, folder: &Path, components: &BTreeSet<PathBuf>) -> bool {
    let writes = match event.kind {
        EventKind::Access(access) => matches!(access, AccessKind::Close(AccessMode::Write)),
        _ => true,
    };
    writes
        && (event.paths.is_empty()
            || event.paths.iter().any(|path| {
                let extension = path.extension().and_then(|extension| extension.to_str());
                match extension {
                    Some("yaml" | "yml" | "wasm") => true,
                    // A folder, as far as one can tell of what may be gone.
                    None => true,
                    Some(_) => path == folder || components.contains(path),
                }
            }))
}
