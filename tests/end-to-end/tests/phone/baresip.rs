//! baresip, as an agent's phone: it registers, answers by itself, and does as it is told over TCP.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use end_to_end::{LOOK_EVERY, PATIENCE};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{ports, programs::need, sound};

/// Where Debian puts what it loads.
const MODULES: [&str; 2] = ["/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules"];

/// A phone. It is killed when this goes.
pub(crate) struct Baresip {
    child: Child,
    place: TempDir,
    control: u16,
}

impl Baresip {
    /// A phone of an account, `user:password`, that sends a tone while it talks. With a registrar it
    /// registers there.
    pub(crate) async fn start(
        user: &str,
        password: &str,
        at: std::net::SocketAddr,
        registers: bool,
        hertz: u32,
    ) -> Self {
        need("baresip");
        let modules = MODULES
            .into_iter()
            .find(|folder| fs::metadata(folder).is_ok())
            .expect("baresip has its modules where Debian puts them");
        let place = tempfile::Builder::new()
            .prefix("trunkline-baresip-")
            .tempdir()
            .expect("there is room for a folder");
        let folder = place.path().display().to_string();
        // When its sound is over it hangs up, so there is more than any test takes.
        let tone = place.path().join("tone.wav");
        sound::write_wav(&tone, &sound::tone(hertz, 90.0));
        // Its own, the next one for TLS, then control, then sound.
        let port = ports::free(40);
        let control = port + 4;
        let config = format!(
            "poll_method epoll\nsip_listen 127.0.0.1:{port}\nnet_interface 127.0.0.1\ncall_max_calls 4\n\
             audio_source aufile,{}\nausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\n\
             ausrc_format s16\nauplay_format s16\nrtp_ports {}-{}\njitter_buffer_type fixed\njitter_buffer_delay 1-5\n\
             module_path {modules}\nmodule g711.so\nmodule aufile.so\nmodule sndfile.so\nmodule_tmp uuid.so\n\
             module_tmp account.so\nmodule_app contact.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
             ctrl_tcp_listen 127.0.0.1:{control}\nsnd_path {folder}\nringback_disabled yes\nmenu_bell no\n",
            tone.display(),
            port + 10,
            port + 39,
        );
        let seconds = if registers { 300 } else { 0 };
        let account = format!(
            "<sip:{user}@{at};transport=udp>;auth_user={user};auth_pass={password};answermode=auto;regint={seconds};\
             audio_codecs=pcmu,pcma;mwi=no\n"
        );
        for (file, text) in [
            ("config", config),
            ("accounts", account),
            ("contacts", String::new()),
        ] {
            fs::write(place.path().join(file), text).expect("there is room for a file");
        }
        let log = fs::File::create(place.path().join("log")).expect("there is room for a log");
        let child = Command::new("baresip")
            .args(["-f", &folder])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log can be shared"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("failed to start baresip: {error}"));
        let phone = Self {
            child,
            place,
            control,
        };
        end_to_end::eventually("a baresip", async || {
            TcpStream::connect(("127.0.0.1", control)).await.is_ok()
        })
        .await;
        phone
    }

    /// Has it do something, such as `hangup`: what it says to that.
    pub(crate) async fn does(&self, command: &str, parameters: &str) -> Value {
        let mut control = TcpStream::connect(("127.0.0.1", self.control))
            .await
            .unwrap_or_else(|error| panic!("baresip listens no more: {error}\n{}", self.log()));
        let order = json!({ "command": command, "params": parameters, "token": "test" }).to_string();
        let framed = format!("{}:{order},", order.len());
        control
            .write_all(framed.as_bytes())
            .await
            .expect("baresip reads what it is told");
        let mut buffer = Vec::new();
        let answer = async {
            loop {
                while let Some(message) = netstring(&mut buffer) {
                    let message: Value = serde_json::from_slice(&message).unwrap_or_default();
                    if message["token"] == "test" {
                        return message;
                    }
                }
                let mut bytes = [0; 4_096];
                let count = control.read(&mut bytes).await.unwrap_or_default();
                assert!(count > 0, "baresip closed its control:\n{}", self.log());
                buffer.extend(&bytes[..count]);
            }
        };
        let answer = timeout(PATIENCE, answer)
            .await
            .unwrap_or_else(|_| panic!("baresip says nothing to {command}:\n{}", self.log()));
        assert_eq!(answer["ok"], true, "{command}: {answer}\n{}", self.log());
        answer
    }

    /// All that was heard in its calls so far, the oldest first.
    pub(crate) fn heard(&self) -> Vec<Vec<i16>> {
        let mut files: Vec<PathBuf> = fs::read_dir(self.place.path())
            .expect("its folder is there")
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|file| file.to_string_lossy().ends_with("-dec.wav"))
            .collect();
        files.sort();
        files
            .iter()
            .filter_map(|file| sound::read_wav(file).into_iter().next())
            .collect()
    }

    /// Waits until it has heard a tone in its last call.
    pub(crate) async fn hears(&self, hertz: u32) {
        let patience = tokio::time::Instant::now() + PATIENCE;
        while !self
            .heard()
            .last()
            .is_some_and(|samples| sound::holds(samples, hertz))
        {
            assert!(
                tokio::time::Instant::now() < patience,
                "baresip did not hear {hertz} Hz:\n{}",
                self.log()
            );
            tokio::time::sleep(LOOK_EVERY * 8).await;
        }
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.place.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

/// Takes the first whole message off a buffer.
fn netstring(buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    let colon = buffer.iter().position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&buffer[..colon]).ok()?.parse().ok()?;
    let end = colon + 1 + length;
    if buffer.len() <= end {
        return None;
    }
    let message = buffer[colon + 1..end].to_vec();
    buffer.drain(..=end);
    Some(message)
}

impl Drop for Baresip {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // Nobody is left to be told of a failure.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
