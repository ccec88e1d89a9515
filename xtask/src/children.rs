//! Processes that a command starts and that end with it, by their process ids, however it
//! ends: well, with an error, with a panic, or by ctrl-C.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::stopwatch::Stopwatch;

/// How long a process may take to end when it is asked to, before it is ended.
const GOODBYE_MAX: Duration = Duration::from_secs(5);
/// How often a process is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(30);
/// Lines of a log that are shown when its process failed.
const LOG_LINES_SHOWN: usize = 30;
/// What a shell reports for a command that ctrl-C ended.
const ENDED_BY_CTRL_C: i32 = 130;

/// Processes under way. They are stopped when this goes, and on ctrl-C.
pub(crate) struct Children(Arc<Running>);

struct Running(Mutex<Vec<Started>>);

struct Started {
    name: &'static str,
    log: PathBuf,
    child: Child,
}

impl Children {
    /// No processes yet; from now on ctrl-C and a request to end stop those that are started,
    /// and then this program.
    pub(crate) fn watched() -> Result<Self> {
        let children = Self(Arc::new(Running(Mutex::default())));
        let running = Arc::clone(&children.0);
        ctrlc::set_handler(move || {
            running.stop();
            std::process::exit(ENDED_BY_CTRL_C);
        })
        .context("failed to listen for ctrl-C")?;
        Ok(children)
    }

    /// Starts a process whose output goes to a log. It is out of reach of the terminal's
    /// ctrl-C, so that it ends in order after whoever uses it.
    /// Gives its id.
    pub(crate) fn start(&self, name: &'static str, mut command: Command, log: &Path) -> Result<u32> {
        let file = File::create(log).with_context(|| format!("failed to write {}", log.display()))?;
        let errors = file.try_clone().context("failed to share a log")?;
        command.stdin(Stdio::null()).stdout(file).stderr(errors);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command
            .spawn()
            .with_context(|| format!("failed to start {}", command.get_program().display()))?;
        let id = child.id();
        self.0.lock().push(Started {
            name,
            log: log.to_owned(),
            child,
        });
        Ok(id)
    }

    /// Waits until something holds, as long as all processes run.
    ///
    /// # Errors
    /// A process ended, with the last lines of its log; or the time was over.
    pub(crate) fn wait_until(&self, what: &str, max: Duration, holds: impl Fn() -> bool) -> Result<()> {
        let watch = Stopwatch::start();
        while !holds() {
            if let Some((name, status, log)) = self.ended()? {
                bail!(
                    "{name} ended ({status}) before {what}; it said:\n{}",
                    last_lines(&log)
                );
            }
            if watch.elapsed() > max {
                bail!(
                    "{what} did not happen within {} s; the logs say why",
                    max.as_secs()
                );
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Waits until a process ends, and shows what it logs meanwhile: how it ended. Of others that
    /// end it only says so.
    pub(crate) fn attend(&self, name: &str) -> Result<ExitStatus> {
        let log = self
            .0
            .lock()
            .iter()
            .find(|started| started.name == name)
            .map(|started| started.log.clone());
        let mut log = Follower::of(&log.with_context(|| format!("{name} was not started"))?)?;
        loop {
            // In this order, so that its last words are shown.
            let ended = self.ended()?;
            log.show_more()?;
            if let Some((who, status, _)) = ended {
                if who == name {
                    return Ok(status);
                }
                anstream::eprintln!("{who} ended ({status}); the rest goes on without it");
                self.0.lock().retain(|started| started.name != who);
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    fn ended(&self) -> Result<Option<(&'static str, ExitStatus, PathBuf)>> {
        for started in self.0.lock().iter_mut() {
            let status = started
                .child
                .try_wait()
                .with_context(|| format!("failed to look after {}", started.name))?;
            if let Some(status) = status {
                return Ok(Some((started.name, status, started.log.clone())));
            }
        }
        Ok(None)
    }
}

impl Running {
    fn lock(&self) -> MutexGuard<'_, Vec<Started>> {
        // The list is whole at every moment: a panic elsewhere leaves processes to be stopped.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops all, the last one first.
    fn stop(&self) {
        for mut started in self.lock().drain(..).rev() {
            if let Err(error) = stop(&mut started.child) {
                anstream::eprintln!(
                    "failed to stop {} (process {}): {error}; stop it with `kill {}`",
                    started.name,
                    started.child.id(),
                    started.child.id()
                );
            }
        }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Asks a process to end, and ends it when it does not.
fn stop(child: &mut Child) -> io::Result<()> {
    if child.try_wait()?.is_some() {
        return Ok(());
    }
    // Not reaped yet, so the id is still this process's.
    let asked = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .stderr(Stdio::null())
        .status();
    if asked.is_ok_and(|status| status.success()) {
        let watch = Stopwatch::start();
        while watch.elapsed() < GOODBYE_MAX {
            if child.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(LOOK_EVERY);
        }
    }
    child.kill()?;
    child.wait().map(drop)
}

/// A log that is shown as it grows.
struct Follower(File);

impl Follower {
    fn of(log: &Path) -> Result<Self> {
        File::open(log)
            .map(Self)
            .with_context(|| format!("failed to read {}", log.display()))
    }

    fn show_more(&mut self) -> Result<()> {
        let mut more = Vec::new();
        self.0.read_to_end(&mut more).context("failed to read a log")?;
        if !more.is_empty() {
            anstream::eprint!("{}", String::from_utf8_lossy(&more));
        }
        Ok(())
    }
}

/// The end of a log.
fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_process_ends_when_it_is_asked_to() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let watch = Stopwatch::start();
        stop(&mut child).unwrap();
        assert!(watch.elapsed() < GOODBYE_MAX);
        assert!(child.try_wait().unwrap().is_some());
    }
}
