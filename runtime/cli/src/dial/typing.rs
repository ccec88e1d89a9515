//! Where the caller's lines come from: a keyboard, or a script.

use std::{io::IsTerminal, path::Path, thread};

use anyhow::{Context, anyhow};
use rustyline::{Config, Editor, error::ReadlineError, history::MemHistory};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    sync::mpsc,
};

use super::screen::Screen;
use crate::exit::Failure;

/// Characters of one line of a script.
const SCRIPT_LINE_BYTES_MAX: usize = 64 * 1024;

/// The caller's lines, one by one.
pub(crate) struct Typing {
    lines: mpsc::Receiver<String>,
    scripted: bool,
    _terminal: Option<Terminal>,
}

impl Typing {
    /// Begins to read: a script from a file or, for `-` and wherever standard input is no
    /// terminal, from standard input; else a keyboard. Gives the screen that goes with it.
    ///
    /// # Errors
    /// The script cannot be read, or the terminal not be set up.
    pub(crate) async fn begin(script: Option<&Path>) -> Result<(Self, Screen), Failure> {
        match script {
            Some(path) if path != Path::new("-") => {
                let file = tokio::fs::File::open(path).await.map_err(|error| {
                    Failure::usage(
                        anyhow!(error).context(format!("failed to read the script {}", path.display())),
                    )
                })?;
                Ok((Self::script(file), Screen::plain()))
            }
            None if std::io::stdin().is_terminal() => Ok(Self::keyboard()?),
            _ => Ok((Self::script(tokio::io::stdin()), Screen::plain())),
        }
    }

    /// The next line; none when no more will come.
    pub(crate) async fn next(&mut self) -> Option<String> {
        self.lines.recv().await
    }

    /// Whether a script is read, which waits for its turn.
    pub(crate) const fn is_scripted(&self) -> bool {
        self.scripted
    }

    fn script(source: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let (send, lines) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut read = BufReader::new(source).lines();
            while let Ok(Some(mut line)) = read.next_line().await {
                let mut end = line.len().min(SCRIPT_LINE_BYTES_MAX);
                while !line.is_char_boundary(end) {
                    end -= 1;
                }
                line.truncate(end);
                if send.send(line).await.is_err() {
                    return;
                }
            }
        });
        Self {
            lines,
            scripted: true,
            _terminal: None,
        }
    }

    fn keyboard() -> anyhow::Result<(Self, Screen)> {
        let terminal = Terminal::remember();
        let config = Config::builder().bracketed_paste(false).build();
        let mut editor: Editor<(), MemHistory> =
            Editor::with_history(config, MemHistory::new()).context("failed to set up the terminal")?;
        let printer = editor
            .create_external_printer()
            .context("failed to share the terminal; pipe a script in instead")?;
        let (send, lines) = mpsc::channel(1);
        // Reading a key blocks: a thread of its own, which ends with the program.
        thread::Builder::new()
            .name("keyboard".to_owned())
            .spawn(move || {
                loop {
                    match editor.readline("> ") {
                        Ok(line) => {
                            if !line.trim().is_empty() {
                                // A history that is full or disabled is no trouble.
                                let _ = editor.add_history_entry(line.as_str());
                            }
                            if send.blocking_send(line).is_err() {
                                return;
                            }
                        }
                        // Ctrl-D and ctrl-C leave; so does a terminal that is gone.
                        Err(ReadlineError::Eof | ReadlineError::Interrupted) => return,
                        Err(error) => {
                            tracing::debug!(%error, "the terminal is gone");
                            return;
                        }
                    }
                }
            })
            .context("failed to start a thread for the keyboard")?;
        let typing = Self {
            lines,
            scripted: false,
            _terminal: terminal,
        };
        Ok((typing, Screen::shared(printer)))
    }
}

/// The terminal as it was before somebody typed. A contact may end while a line is being typed:
/// the thread that reads it cannot be called back, so the terminal is put right from here.
#[cfg(unix)]
struct Terminal(nix::sys::termios::Termios);

#[cfg(unix)]
impl Terminal {
    fn remember() -> Option<Self> {
        nix::sys::termios::tcgetattr(std::io::stdin()).ok().map(Self)
    }
}

#[cfg(unix)]
impl Drop for Terminal {
    fn drop(&mut self) {
        use std::io::Write;

        use nix::sys::termios::{SetArg, tcsetattr};

        if tcsetattr(std::io::stdin(), SetArg::TCSADRAIN, &self.0).is_ok() {
            // The prompt that nobody will answer is left behind on its line.
            let mut out = std::io::stdout();
            let _ = out.write_all(b"\r\x1b[K").and_then(|()| out.flush());
        }
    }
}

#[cfg(not(unix))]
struct Terminal;

#[cfg(not(unix))]
impl Terminal {
    fn remember() -> Option<Self> {
        None
    }
}
