//! Compiling in a process of its own, which can be stopped.
//!
//! A compiler takes what time and memory the code before it asks for, and a few hundred bytes
//! can ask for hours and gigabytes; within a process it cannot be stopped half-way. So a program
//! that calls [`serve_if_asked`] first thing in its `main` is started again for each component
//! that is not in the cache, with bounds on time and memory and below others in priority. What
//! comes back is code of our own making, as good as if it had been made here.
//!
//! A program that does not, such as a test, compiles where it is: then what is refused before
//! ([`crate::complexity`], [`crate::anatomy`]) is the only bound.

use std::{
    ffi::OsStr,
    io::{self, Read as _, Write as _},
    process::{ExitCode, Stdio},
    sync::atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
};
use trunkline_model::Duration;

use crate::{
    LoadError, compiled, engine,
    limits::{COMPILED_BYTES_MAX, COMPILER_SAID_BYTES_MAX, HostLimits, PoolLimits},
};

/// What a program is started with to compile.
const ASKED: &str = "compile-component-from-stdin";

/// Whether this program can be started to compile.
static SERVES: AtomicBool = AtomicBool::new(false);

/// To be called first thing in `main`: compiles what comes by standard input and gives the exit
/// code, if that is what the program was started for. Otherwise the program's hosts compile in
/// processes of their own from now on.
pub fn serve_if_asked() -> Option<ExitCode> {
    if std::env::args_os().nth(1).as_deref() == Some(OsStr::new(ASKED)) {
        return Some(match serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => {
                // Nobody can be told if this cannot be written.
                let _ = io::stderr().write_all(reason.as_bytes());
                ExitCode::FAILURE
            }
        });
    }
    SERVES.store(true, Ordering::Release);
    None
}

/// Whether components are compiled in a process of their own.
pub(crate) fn is_apart() -> bool {
    SERVES.load(Ordering::Acquire)
}

/// What the process is told before the component's bytes, in one line of JSON.
#[derive(serde::Serialize, serde::Deserialize)]
struct Order {
    pool: PoolLimits,
    memory_bytes: u64,
    counts_instructions: bool,
}

/// How much less than others a compiler gets of the processor.
const NICE: i32 = 10;

/// The process's whole work.
fn serve() -> Result<(), String> {
    let mut asked = Vec::new();
    io::stdin()
        .read_to_end(&mut asked)
        .map_err(|error| error.to_string())?;
    let line = asked
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or("no order came")?;
    let order: Order = serde_json::from_slice(&asked[..line]).map_err(|error| error.to_string())?;
    let limit = rustix::process::Rlimit {
        current: Some(order.memory_bytes),
        maximum: Some(order.memory_bytes),
    };
    rustix::process::setrlimit(rustix::process::Resource::Data, limit).map_err(|error| error.to_string())?;
    // A refusal to be nice is no reason not to work.
    let _ = rustix::process::nice(NICE);
    // Only the settings matter here, not how many sandboxes there are: one takes less room.
    let pool = PoolLimits {
        instances: 1,
        ..order.pool
    };
    let engine = engine::engine(&pool, order.counts_instructions).map_err(|error| format!("{error:#}"))?;
    let code = engine
        .precompile_component(&asked[line + 1..])
        .map_err(|error| format!("{error:#}"))?;
    io::stdout().write_all(&code).map_err(|error| error.to_string())
}

/// Compiles a component in a process of its own, for an engine with a pool's limits. The process
/// ends when this is dropped.
///
/// # Errors
/// The component is refused, or it takes too much time or memory.
pub(crate) async fn compile(
    bytes: &[u8],
    pool: &PoolLimits,
    limits: &HostLimits,
    counts_instructions: bool,
) -> Result<Vec<u8>, LoadError> {
    let failed = |error: &dyn std::fmt::Display| LoadError::Compile {
        reason: error.to_string(),
    };
    let order = Order {
        pool: pool.clone(),
        memory_bytes: limits.compile_memory_bytes,
        counts_instructions,
    };
    let mut order = serde_json::to_vec(&order).map_err(|error| failed(&error))?;
    order.push(b'\n');
    // The program as it was started, though it may have been replaced on disk since.
    let mut child = Command::new("/proc/self/exe")
        .arg(ASKED)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(&error))?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(failed(&"the compiler has no pipes"));
    };
    let asking = async move {
        // A compiler that is gone before it has read all says why by its exit code.
        let _ = stdin.write_all(&order).await;
        let _ = stdin.write_all(bytes).await;
    };
    let (mut code, mut said) = (Vec::new(), Vec::new());
    let mut made = stdout.take(COMPILED_BYTES_MAX + 1);
    let mut told = stderr.take(COMPILER_SAID_BYTES_MAX);
    let working = async {
        let (_, read, _) = tokio::join!(asking, made.read_to_end(&mut code), told.read_to_end(&mut said));
        read?;
        child.wait().await
    };
    let status = tokio::time::timeout(limits.compile_time.to_std(), working)
        .await
        .map_err(|_| too_slow(limits.compile_time))?
        .map_err(|error| failed(&error))?;
    if code.len() as u64 > COMPILED_BYTES_MAX {
        return Err(LoadError::TooComplex {
            reason: format!("it becomes more than {COMPILED_BYTES_MAX} bytes of machine code"),
        });
    }
    match status.code() {
        Some(0) => Ok(code),
        Some(1) => Err(compiled::not_accepted(
            bytes,
            String::from_utf8_lossy(&said).into_owned(),
        )),
        // The allocator ends a process that may have no more, by a signal; so does a stack overflow.
        _ => Err(LoadError::TooComplex {
            reason: format!(
                "the compiler may take {} of memory, and ended with {status} over it",
                crate::Bytes(limits.compile_memory_bytes)
            ),
        }),
    }
}

/// A component that takes the compiler too long.
pub(crate) fn too_slow(time: Duration) -> LoadError {
    LoadError::TooComplex {
        reason: format!("it was not compiled within {time}"),
    }
}
