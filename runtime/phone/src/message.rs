//! A message that a caller leaves: the caller's own sound, written as it comes.
//!
//! What is written has a name of its own until the message is kept; what is not kept is removed. Kept
//! means that it is whole on the disk.

use std::{
    io::SeekFrom,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{
    fs::{self, File},
    io::{AsyncSeekExt as _, AsyncWriteExt as _},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use trunkline_media::{Stream, limits, wav};

/// Pieces of sound that wait for the disk: ten seconds. What comes when it is full is lost.
const PIECES_WAITING_MAX: usize = 500;

/// Samples of the longest message: an hour, whatever a flow says.
const SAMPLES_MAX: usize = 3_600 * 8_000;

/// Bytes that are written at once.
const CHUNK_BYTES: usize = 8 << 10;

/// A message that is being left.
pub(crate) struct Message {
    end: oneshot::Sender<Option<PathBuf>>,
    writing: JoinHandle<bool>,
}

impl Message {
    /// Begins to write what the caller says to a file.
    pub(crate) fn begin(stream: &Stream, file: PathBuf) -> Self {
        let (pieces, heard) = mpsc::channel(PIECES_WAITING_MAX);
        stream.listen(Some(pieces));
        let (end, ended) = oneshot::channel();
        let writing = tokio::spawn(async move {
            match write(&file, heard, ended).await {
                Ok(kept) => kept,
                Err(error) => {
                    tracing::error!(%error, "a message could not be written; look at the folder of recordings");
                    let _ = fs::remove_file(&file).await;
                    false
                }
            }
        });
        Self { end, writing }
    }

    /// Ends it, and keeps it under a name; what comes of that is the task's result.
    pub(crate) fn keep(self, name: PathBuf) -> JoinHandle<bool> {
        let _ = self.end.send(Some(name));
        self.writing
    }

    /// Ends it, and keeps nothing.
    pub(crate) fn drop_it(self) {
        let _ = self.end.send(None);
    }
}

async fn write(
    file: &Path,
    mut heard: mpsc::Receiver<Arc<[i16]>>,
    mut ended: oneshot::Receiver<Option<PathBuf>>,
) -> std::io::Result<bool> {
    let mut options = File::options();
    options.write(true).create_new(true);
    // What callers say is for nobody else on the machine.
    #[cfg(unix)]
    options.mode(0o600);
    let mut out = options.open(file).await?;
    out.write_all(&wav::header(1, limits::RATE, 0)).await?;
    let (mut samples, mut chunk) = (0, Vec::with_capacity(CHUNK_BYTES + 1_024));
    let name = loop {
        tokio::select! {
            // What was heard comes before the end.
            biased;
            piece = heard.recv() => match piece {
                Some(piece) if samples < SAMPLES_MAX => {
                    samples += piece.len();
                    chunk.extend(piece.iter().flat_map(|sample| sample.to_le_bytes()));
                    if chunk.len() >= CHUNK_BYTES {
                        out.write_all(&chunk).await?;
                        chunk.clear();
                    }
                }
                Some(_) => {}
                // The line is gone; whether the message is kept is still to be said.
                None => break (&mut ended).await.ok().flatten(),
            },
            name = &mut ended => break name.ok().flatten(),
        }
    };
    let Some(name) = name.filter(|_| samples > 0) else {
        drop(out);
        fs::remove_file(file).await?;
        return Ok(false);
    };
    out.write_all(&chunk).await?;
    out.seek(SeekFrom::Start(0)).await?;
    out.write_all(&wav::header(
        1,
        limits::RATE,
        u32::try_from(samples * 2).unwrap_or(u32::MAX),
    ))
    .await?;
    out.flush().await?;
    out.sync_all().await?;
    drop(out);
    fs::rename(file, &name).await?;
    if let Some(folder) = name.parent() {
        File::open(folder).await?.sync_all().await?;
    }
    Ok(true)
}
