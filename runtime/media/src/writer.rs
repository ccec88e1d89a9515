//! The threads that write recordings: one takes sound, one completes files. Media never waits for them.

use std::{
    collections::{HashMap, VecDeque},
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread::{self, JoinHandle},
};

use tokio::sync::mpsc::{OwnedPermit, Sender};

use crate::{
    Heard, Recording, RecordingError,
    limits::{FRAME, RATE, RECORDING_QUEUE_MAX},
    wav,
};

/// Bytes of a frame of both channels.
pub(crate) const STEREO_FRAME_BYTES: usize = FRAME * 4;
const SILENCE: [u8; STEREO_FRAME_BYTES] = [0; STEREO_FRAME_BYTES];
/// Files that wait to be completed.
const COMPLETING_MAX: usize = 1_024;
/// Bytes of sound that are gathered before the system is asked to write.
const BUFFER_BYTES: usize = 64 * 1024;

/// Who hears how a recording goes. The place for its end is kept from the begin.
pub(crate) struct Told {
    to: Sender<Heard>,
    end: Option<OwnedPermit<Heard>>,
}

impl Told {
    pub(crate) fn new(to: Sender<Heard>) -> Self {
        Self {
            end: to.clone().try_reserve_owned().ok(),
            to,
        }
    }

    fn began(&self, path: PathBuf) {
        // An owner that has no room learns of the recording by its end.
        let _ = self.to.try_send(Heard::Recording(Recording::Began { path }));
    }

    fn ended(self, how: Recording) {
        let told = match self.end {
            Some(place) => {
                place.send(Heard::Recording(how));
                true
            }
            None => self.to.try_send(Heard::Recording(how)).is_ok(),
        };
        if !told {
            tracing::warn!("nobody had room for the news that a recording ended");
        }
    }
}

/// Work for the writer.
pub(crate) enum Job {
    Begin {
        recording: u64,
        path: PathBuf,
        told: Told,
    },
    Sound {
        recording: u64,
        frames_lost: u32,
        bytes: Vec<u8>,
    },
    Finish {
        recording: u64,
        frames_lost: u32,
    },
}

/// A worker's end of the queue.
pub(crate) struct Writing {
    queue: SyncSender<Job>,
    /// Begins and ends that found no room; they are few and must not be lost.
    waiting: VecDeque<Job>,
}

impl Writing {
    pub(crate) fn new(queue: SyncSender<Job>) -> Self {
        Self {
            queue,
            waiting: VecDeque::new(),
        }
    }

    /// A begin or an end.
    pub(crate) fn control(&mut self, job: Job) {
        self.waiting.push_back(job);
        self.flush();
    }

    pub(crate) fn flush(&mut self) {
        while let Some(job) = self.waiting.pop_front() {
            match self.queue.try_send(job) {
                Ok(()) => {}
                Err(TrySendError::Full(job)) => {
                    self.waiting.push_front(job);
                    break;
                }
                Err(TrySendError::Disconnected(_)) => break,
            }
        }
    }

    /// Sound; false when it is lost because there is no room.
    pub(crate) fn sound(&mut self, job: Job) -> bool {
        self.waiting.is_empty() && self.queue.try_send(job).is_ok()
    }

    /// The worker ends: now it may wait.
    pub(crate) fn close(self) {
        for job in self.waiting {
            if self.queue.send(job).is_err() {
                break;
            }
        }
    }
}

struct Open {
    file: BufWriter<File>,
    path: PathBuf,
    part: PathBuf,
    bytes: u64,
    frames_lost: u64,
    told: Told,
}

/// Starts both threads. The writer ends when the last queue's end is dropped and everything is on disk.
pub(crate) fn start() -> io::Result<(SyncSender<Job>, JoinHandle<()>)> {
    let (queue, jobs) = sync_channel(RECORDING_QUEUE_MAX);
    let (complete, completed) = sync_channel::<Open>(COMPLETING_MAX);
    let completing = thread::Builder::new()
        .name("recordings-end".into())
        .spawn(move || {
            for open in completed {
                finish(open);
            }
        })?;
    let writer = thread::Builder::new().name("recordings".into()).spawn(move || {
        write(&jobs, &complete);
        drop(complete);
        if completing.join().is_err() {
            tracing::error!("the thread that completes recordings broke down");
        }
    })?;
    Ok((queue, writer))
}

fn write(jobs: &Receiver<Job>, complete: &SyncSender<Open>) {
    let mut open: HashMap<u64, Open> = HashMap::new();
    for job in jobs {
        match job {
            Job::Begin {
                recording,
                path,
                told,
            } => match create(&path) {
                Ok((part, file)) => {
                    told.began(path.clone());
                    let file = BufWriter::with_capacity(BUFFER_BYTES, file);
                    open.insert(
                        recording,
                        Open {
                            file,
                            path,
                            part,
                            bytes: 0,
                            frames_lost: 0,
                            told,
                        },
                    );
                }
                Err(error) => failed(told, path, RecordingError::Create(error.kind())),
            },
            Job::Sound {
                recording,
                frames_lost,
                bytes,
            } => {
                let Some(file) = open.get_mut(&recording) else {
                    continue;
                };
                if let Err(error) = file.append(frames_lost, &bytes)
                    && let Some(file) = open.remove(&recording)
                {
                    failed(file.told, file.path, RecordingError::Write(error.kind()));
                }
            }
            Job::Finish {
                recording,
                frames_lost,
            } => {
                let Some(mut file) = open.remove(&recording) else {
                    continue;
                };
                match file.append(frames_lost, &[]) {
                    Ok(()) => {
                        if complete.send(file).is_err() {
                            tracing::error!(
                                "a recording stays a .part file: the thread that completes them is gone"
                            );
                        }
                    }
                    Err(error) => failed(file.told, file.path, RecordingError::Write(error.kind())),
                }
            }
        }
    }
    // What was never finished is completed all the same: the streams are gone.
    for (_, file) in open {
        if complete.send(file).is_err() {
            break;
        }
    }
}

fn failed(told: Told, path: PathBuf, error: RecordingError) {
    metrics::counter!("trunkline_media_recordings_failed").increment(1);
    tracing::error!(%error, "a recording failed; the call goes on");
    told.ended(Recording::Failed { path, error });
}

fn create(path: &Path) -> io::Result<(PathBuf, File)> {
    if path.try_exists()? {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    if let Some(folder) = path.parent() {
        let mut made = fs::DirBuilder::new();
        made.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut made, 0o700);
        made.create(folder)?;
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&part)?;
    file.write_all(&wav::header(2, RATE, 0))?;
    Ok((part, file))
}

impl Open {
    fn append(&mut self, frames_lost: u32, bytes: &[u8]) -> io::Result<()> {
        for _ in 0..frames_lost {
            self.file.write_all(&SILENCE)?;
        }
        self.file.write_all(bytes)?;
        self.frames_lost += u64::from(frames_lost);
        self.bytes += u64::from(frames_lost) * STEREO_FRAME_BYTES as u64 + bytes.len() as u64;
        Ok(())
    }

    fn complete(&mut self) -> io::Result<()> {
        self.file.flush()?;
        let file = self.file.get_mut();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&wav::header(
            2,
            RATE,
            u32::try_from(self.bytes).unwrap_or(u32::MAX),
        ))?;
        file.sync_all()?;
        if self.path.try_exists()? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::rename(&self.part, &self.path)?;
        // The name is on disk when its folder is.
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

fn finish(mut open: Open) {
    match open.complete() {
        Ok(()) => {
            let seconds = open.bytes as f64 / (4.0 * f64::from(RATE));
            let lost_seconds = (open.frames_lost * FRAME as u64) as f64 / f64::from(RATE);
            metrics::counter!("trunkline_media_recordings").increment(1);
            if open.frames_lost > 0 {
                tracing::warn!(
                    lost_seconds,
                    "the disk was too slow for a recording; what is missing is silence"
                );
            }
            open.told.ended(Recording::Done {
                path: open.path,
                seconds,
                lost_seconds,
            });
        }
        Err(error) => failed(open.told, open.path, RecordingError::Finish(error.kind())),
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    fn next(heard: &mut mpsc::Receiver<Heard>) -> Recording {
        match heard.blocking_recv().expect("the writer tells") {
            Heard::Recording(news) => news,
            other => panic!("{other:?} is no news of a recording"),
        }
    }

    #[test]
    fn a_recording_has_its_name_when_it_is_complete() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/call.wav");
        let (queue, thread) = start().expect("threads");
        let (to, mut heard) = mpsc::channel(8);
        let mut writing = Writing::new(queue);
        writing.control(Job::Begin {
            recording: 1,
            path: path.clone(),
            told: Told::new(to),
        });
        assert_eq!(next(&mut heard), Recording::Began { path: path.clone() });
        assert!(!path.exists());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
            assert_eq!(mode(&folder.path().join("deep")), 0o700);
            assert_eq!(mode(&folder.path().join("deep/call.wav.part")), 0o600);
        }
        assert!(writing.sound(Job::Sound {
            recording: 1,
            frames_lost: 1,
            bytes: vec![1; STEREO_FRAME_BYTES]
        }));
        writing.control(Job::Finish {
            recording: 1,
            frames_lost: 0,
        });
        assert_eq!(
            next(&mut heard),
            Recording::Done {
                path: path.clone(),
                seconds: 0.04,
                lost_seconds: 0.02
            }
        );
        let file = fs::read(&path).expect("the file");
        assert_eq!(file[..44], wav::header(2, RATE, 1_280));
        assert_eq!((file[44 + 639], file[44 + 640], file.len()), (0, 1, 44 + 1_280));
        writing.close();
        thread.join().expect("the writer ends");
    }

    #[test]
    fn a_name_that_is_taken_is_never_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("call.wav");
        fs::write(&path, "precious").expect("written");
        let (queue, thread) = start().expect("threads");
        let (to, mut heard) = mpsc::channel(8);
        queue
            .send(Job::Begin {
                recording: 1,
                path: path.clone(),
                told: Told::new(to),
            })
            .expect("room");
        let error = RecordingError::Create(io::ErrorKind::AlreadyExists);
        assert_eq!(
            next(&mut heard),
            Recording::Failed {
                path: path.clone(),
                error
            }
        );
        queue
            .send(Job::Finish {
                recording: 1,
                frames_lost: 0,
            })
            .expect("room");
        drop(queue);
        thread.join().expect("the writer ends");
        assert_eq!(fs::read(&path).expect("the file"), b"precious");
    }

    #[test]
    fn a_full_disk_fails_the_recording_only() {
        // The device that is always full; where there is none, there is nothing to try.
        let full = Path::new("/dev/full");
        if !full.exists() {
            return;
        }
        let file = OpenOptions::new().write(true).open(full).expect("the device");
        let (to, _heard) = mpsc::channel(8);
        let mut open = Open {
            file: BufWriter::with_capacity(16, file),
            path: "call.wav".into(),
            part: "call.wav.part".into(),
            bytes: 0,
            frames_lost: 0,
            told: Told::new(to),
        };
        let error = open.append(0, &[1; 640]).expect_err("it is full");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
