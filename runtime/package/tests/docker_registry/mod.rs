//! A real registry for tests: Debian's `docker-registry`, started on a free port of this machine,
//! and stopped by its process id when the test is done with it.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use serde_json::Value as Json;
use trunkline_model::Digest;

/// How long the registry may take to listen.
const LISTENS_WITHIN: Duration = Duration::from_secs(60);

/// A registry that is stopped when the test ends.
pub(crate) struct Registry {
    process: Child,
    /// Where it listens.
    pub(crate) address: String,
    folder: tempfile::TempDir,
}

impl Registry {
    /// Starts one; `more` is added to its configuration, in which FOLDER is a folder of its own.
    pub(crate) fn start(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.yml");
        let data = folder.path().join("data");
        fs::write(folder.path().join("users"), USERS).unwrap();
        let more = more.replace("FOLDER", &folder.path().display().to_string());
        fs::write(
            &config,
            format!(
                "version: 0.1\nlog: {{ level: info, formatter: json }}\nstorage:\n  filesystem: {{ rootdirectory: \"{}\" }}\n\
                 http: {{ addr: \"127.0.0.1:0\" }}\n{more}",
                data.display()
            ),
        )
        .unwrap();
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry runs: `cargo xtask test` installs it, or run `apt-get install -y docker-registry`");
        let (says, hears) = mpsc::channel();
        let log = process.stderr.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                let said: Json = serde_json::from_str(&line).unwrap_or_default();
                let message = said["msg"].as_str().unwrap_or_default();
                if let Some(address) = message.strip_prefix("listening on ") {
                    let _ = says.send(address.trim_end_matches(", tls").to_owned());
                }
            }
        });
        let address = hears
            .recv_timeout(LISTENS_WITHIN)
            .expect("the registry says where it listens");
        Self {
            process,
            address,
            folder,
        }
    }

    /// Where the registry keeps a blob.
    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        let hex = digest.to_string();
        let blobs = Path::new("data/docker/registry/v2/blobs/sha256");
        self.folder
            .path()
            .join(blobs)
            .join(&hex[..2])
            .join(&hex)
            .join("data")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // This process and no other.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The user `civil` with the password `secret-words`.
const USERS: &str = "civil:$2b$04$abcdefghijklmnopqrstuu/HpdzJtvTt9vf49n0v8sBSkTQZtB1ha\n";
