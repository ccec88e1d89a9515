//! The peer: Asterisk with the same menu, where one is installed.
//!
//! It has only the modules that the calls need, its prompts lie ready in the codec that is spoken, it keeps no
//! record of a call and asks nobody anything: where Trunkline calls a plugin, it goes on. What is
//! left is the same call, as cheap as Asterisk can have it.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{cost::Cost, hotline, server};

const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Ports of its sound: below those of ours and of sipp.
const PORTS: [u16; 2] = [10_000, 19_999];

const MODULES: [&str; 18] = [
    "res_pjproject",
    "res_sorcery_config",
    "res_sorcery_memory",
    "res_sorcery_astdb",
    "res_timing_timerfd",
    "res_pjsip",
    "res_pjsip_pubsub",
    "res_pjsip_session",
    "res_pjsip_sdp_rtp",
    "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_caller_id",
    "res_rtp_asterisk",
    "chan_pjsip",
    "codec_ulaw",
    "format_pcm",
    "bridge_simple",
    "app_playback",
    "pbx_config",
];

/// Where one is.
pub(crate) struct Installed {
    root: PathBuf,
    version: String,
}

impl Installed {
    /// The one in a system whose root was named, or in this one; none where there is none.
    ///
    /// # Errors
    /// There is none in what was named.
    pub(crate) fn find(named: Option<&Path>) -> anyhow::Result<Option<Self>> {
        let root = named.unwrap_or(Path::new("/")).to_owned();
        let version = command(&root).arg("-V").stdin(Stdio::null()).output();
        match version {
            Ok(output) if output.status.success() => Ok(Some(Self {
                root,
                version: String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            })),
            _ if named.is_none() => Ok(None),
            Ok(output) => bail!(
                "Asterisk cannot be run in {}: {}",
                root.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            ),
            Err(error) => bail!("Asterisk cannot be run in {}: {error}", root.display()),
        }
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }
}

/// Asterisk's command in a system: another system's is run with that as its root, which needs root's rights.
fn command(root: &Path) -> Command {
    if root == Path::new("/") {
        return Command::new("asterisk");
    }
    let mut command = Command::new("chroot");
    command.arg(root).arg("asterisk");
    command
}

/// A running Asterisk, stopped when it goes.
pub(crate) struct Asterisk {
    child: Child,
    sip: SocketAddr,
    /// Its settings, prompts and diary.
    _place: TempDir,
}

impl Asterisk {
    pub(crate) fn start(installed: &Installed) -> anyhow::Result<Self> {
        let place = tempfile::Builder::new()
            .prefix("trunkline-sip-")
            .tempdir_in(installed.root.join("tmp"))
            .context("no folder can be made where Asterisk is")?;
        let sip = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        // As it sees the folder.
        let inside = Path::new("/").join(place.path().strip_prefix(&installed.root)?);
        write(place.path(), &inside, sip)?;
        let said = place.path().join("said");
        let child = command(&installed.root)
            .arg("-C")
            .arg(inside.join("asterisk.conf"))
            // It stays this program's child, without a console and without colours.
            .args(["-f", "-n", "-q"])
            .stdin(Stdio::null())
            .stdout(fs::File::create(&said)?)
            .stderr(Stdio::null())
            .spawn()
            .context("failed to start Asterisk")?;
        let mut asterisk = Self {
            child,
            sip,
            _place: place,
        };
        let begin = Instant::now();
        let console = |order: &str| {
            let mut command = command(&installed.root);
            command
                .arg("-C")
                .arg(inside.join("asterisk.conf"))
                .args(["-rx", order]);
            command.stdin(Stdio::null()).output()
        };
        while !console("core waitfullybooted")?.status.success() {
            ensure!(
                asterisk.child.try_wait()?.is_none() && begin.elapsed() < PATIENCE,
                "Asterisk did not become ready; it said: {}",
                fs::read_to_string(&said).unwrap_or_default().trim()
            );
            thread::sleep(LOOK_EVERY);
        }
        let channels = console("module show like chan_pjsip")?.stdout;
        ensure!(
            String::from_utf8_lossy(&channels).contains("Running"),
            "this Asterisk takes no calls by PJSIP: its module chan_pjsip does not run"
        );
        Ok(asterisk)
    }

    pub(crate) const fn sip(&self) -> SocketAddr {
        self.sip
    }

    pub(crate) fn spent(&self) -> anyhow::Result<Cost> {
        Cost::of_process(self.child.id())
    }
}

impl Drop for Asterisk {
    fn drop(&mut self) {
        server::stop(&mut self.child, Signal::TERM);
    }
}

fn write(place: &Path, inside: &Path, sip: SocketAddr) -> anyhow::Result<()> {
    let here = inside.display();
    for folder in ["sounds", "run", "log", "lib", "spool"] {
        fs::create_dir(place.join(folder))?;
    }
    hotline::write_mu_law(&place.join("sounds"))?;
    let modules: String = MODULES
        .iter()
        .map(|module| format!("load={module}.so\n"))
        .collect();
    let files = [
        (
            "asterisk.conf",
            format!(
                "[directories]\nastetcdir => {here}\nastdbdir => {here}/lib\nastkeydir => {here}/lib\nastspooldir => \
                 {here}/spool\nastrundir => {here}/run\nastlogdir => {here}/log\n[options]\nmaxfiles = 16384\n"
            ),
        ),
        ("modules.conf", format!("[modules]\nautoload=no\n{modules}")),
        (
            "pjsip.conf",
            format!(
                "[udp]\ntype=transport\nprotocol=udp\nbind={sip}\n[callers]\ntype=endpoint\ncontext=callers\ndisallow=all\n\
                 allow=ulaw\ndtmf_mode=rfc4733\ndirect_media=no\n\
                 media_address=127.0.0.1\n[callers]\ntype=identify\nendpoint=callers\n\
                 match=127.0.0.1\n"
            ),
        ),
        (
            "rtp.conf",
            format!("[general]\nrtpstart={}\nrtpend={}\n", PORTS[0], PORTS[1]),
        ),
        // The menu says its keys' lines, as ours does. A call whose key was not heard waits until its caller has given up, and so counts as failed.
        (
            "extensions.conf",
            format!(
                "[callers]\nexten => {asks},1,Answer()\n same => n,Goto(menu,s,1)\n[menu]\nexten => \
                 s,1,Background({here}/sounds/topics&{here}/sounds/k-bus&{here}/sounds/k-park)\n same => \
                 n,WaitExten(8)\nexten => 1,1,Playback({here}/sounds/sorry)\n same => n,Hangup()\nexten => \
                 t,1,Wait(60)\nexten => i,1,Wait(60)\n",
                asks = hotline::ASKS
            ),
        ),
        ("logger.conf", "[general]\n[logfiles]\n".to_owned()),
        ("cdr.conf", "[general]\nenable=no\n".to_owned()),
    ];
    for (name, text) in files {
        fs::write(place.join(name), text)?;
    }
    Ok(())
}
