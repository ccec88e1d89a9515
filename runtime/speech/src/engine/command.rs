//! An engine that is a program: the text on its standard input, a WAV on its standard output.
//!
//! No shell is between: an argument is an argument whatever is in it. The program sees few of the
//! server's environment variables, for secrets may be among them. It runs in a process group of
//! its own, which is killed as a whole when the program is no longer waited for.

use std::{
    env,
    ffi::OsString,
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::Command,
};

use super::{Fault, Words};
use crate::limits::{SOUND_BYTES_MAX, STDERR_BYTES_KEPT};

/// What programs need of the environment: to be found, to find their files, and to know letters.
const ENVIRONMENT: [&str; 7] = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "TMPDIR",
];

/// How often it is looked whether a program has ended that has closed its output: at first, and later.
const END_LOOK_MIN: Duration = Duration::from_millis(1);
const END_LOOK_MAX: Duration = Duration::from_millis(50);

/// A program with its arguments.
#[derive(Debug)]
pub(crate) struct Program {
    program: String,
    arguments: Vec<String>,
    environment: Vec<String>,
}

impl Program {
    pub(crate) fn new(command: &[String], environment: &[String]) -> Result<Self, String> {
        let Some((program, arguments)) = command.split_first().filter(|(program, _)| !program.is_empty())
        else {
            return Err(
                "`command` is empty: write the program and its arguments, such as [\"piper\"]".to_owned(),
            );
        };
        Ok(Self {
            program: program.clone(),
            arguments: arguments.to_vec(),
            environment: environment.to_vec(),
        })
    }

    pub(crate) fn available(&self) -> Result<(), String> {
        find(&self.program).map(drop)
    }

    pub(crate) async fn say(&self, words: &Words) -> Result<Vec<u8>, Fault> {
        let program = find(&self.program).map_err(Fault::Missing)?;
        let arguments: Vec<String> = self
            .arguments
            .iter()
            .map(|argument| words.fill(argument, None))
            .collect();
        run(&program, &arguments, &self.environment, &words.text).await
    }
}

/// Looks a program up as a shell would.
pub(super) fn find(program: &str) -> Result<PathBuf, String> {
    let runs = |path: &Path| {
        path.metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        let path = PathBuf::from(program);
        return if runs(&path) {
            Ok(path)
        } else {
            Err(format!(
                "there is no program {program}: install it there, or correct `command`"
            ))
        };
    }
    env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join(program))
        .find(|path| runs(path))
        .ok_or_else(|| format!("there is no program {program} on PATH: install it, or correct `command`"))
}

/// A program and what it started. Dropped before the program was waited for, it kills them all.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            // Not yet waited for, so the id is still its own.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

/// Runs a program on a text. Dropping this kills it and its children.
pub(super) async fn run(
    program: &Path,
    arguments: &[String],
    environment: &[String],
    text: &str,
) -> Result<Vec<u8>, Fault> {
    let passed = ENVIRONMENT
        .into_iter()
        .chain(environment.iter().map(String::as_str))
        .filter_map(|name| Some((name, env::var_os(name)?)))
        .collect::<Vec<(&str, OsString)>>();
    let failed = |error: io::Error| Fault::Down(format!("it could not be run: {error}"));
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(passed)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    // Declared after the child, so dropped before it.
    let group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let (Some(mut input), Some(output), Some(errors)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(Fault::Failed("it has no input and output".to_owned()));
    };
    let writing = async {
        // A program may close its input early; what it made of it is what counts.
        let _ = input.write_all(text.as_bytes()).await;
        let _ = input.shutdown().await;
        drop(input);
        Ok(())
    };
    let reading = async {
        let mut sound = Vec::new();
        output
            .take(SOUND_BYTES_MAX as u64 + 1)
            .read_to_end(&mut sound)
            .await
            .map_err(failed)?;
        if sound.len() > SOUND_BYTES_MAX {
            return Err(Fault::TooLarge);
        }
        Ok(sound)
    };
    let ((), sound, said) = tokio::try_join!(writing, reading, async { Ok(last_words(errors).await) })?;
    if let Some(pid) = group.0 {
        ended(pid).await;
    }
    // What it left running goes with it, while its id is still its own: it is not waited for yet.
    drop(group);
    let status = child.wait().await.map_err(failed)?;
    if !status.success() {
        // A program may repeat what it was given; the caller's words do not belong in an error.
        let said = said.replace(text.trim(), "…");
        return Err(Fault::Failed(if said.is_empty() {
            format!("it ended with {status}")
        } else {
            format!("it ended with {status}: {said}")
        }));
    }
    if sound.is_empty() {
        return Err(Fault::NotAudio("it wrote nothing".to_owned()));
    }
    Ok(sound)
}

/// Waits until a program has ended, and leaves it to be waited for.
async fn ended(pid: Pid) {
    let mut pause = END_LOOK_MIN;
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    // Whoever is not there any more has ended, too.
    while matches!(waitid(WaitId::Pid(pid), look), Ok(None)) {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(END_LOOK_MAX);
    }
}

/// The last line that a program wrote about itself. All is read, or the program would wait.
async fn last_words(mut errors: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; STDERR_BYTES_KEPT];
    while let Ok(read @ 1..) = errors.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..read]);
        let surplus = kept.len().saturating_sub(STDERR_BYTES_KEPT);
        kept.drain(..surplus);
    }
    let said = String::from_utf8_lossy(&kept);
    said.lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .unwrap_or_default()
        .to_owned()
}
