//! The demo's phone: where it listens, the passwords of its softphones, and what is told about it.

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::{random_hex, write_private};
use crate::{house::House, probe};

/// The port of SIP, where nobody wants another.
pub(super) const SIP_PORT: u16 = 5060;
/// Ports of sound: two for each call and each agent's leg.
const PORTS: &str = "16384-16583";
/// The program that says what has no recording.
const VOICE: &str = "espeak-ng";
/// Random bytes in a password, which somebody types into a softphone.
const PASSWORD_BYTES: usize = 8;
/// Who calls with a password, and the agents, with what each speaks: as trunks of hotline.yaml and agents.yaml have them.
const CITIZEN: &str = "citizen";
const AGENTS: [(&str, &str); 3] = [
    ("zhang-wei", "Mandarin"),
    ("li-na", "Mandarin and English"),
    ("chen-jie", "Mandarin"),
];

/// The phone, prepared: its settings and passwords are written.
pub(super) struct Phone {
    at: SocketAddr,
    settings: PathBuf,
    secrets: PathBuf,
    passwords: BTreeMap<String, String>,
}

/// An address to be called at.
pub(super) fn address(text: &str) -> Result<IpAddr, String> {
    let address: IpAddr = text
        .parse()
        .map_err(|_| format!("{text:?} is no address; write one of this machine's, such as 192.168.1.20"))?;
    if address.is_unspecified() {
        return Err(format!(
            "{text} is no address that a softphone can call; write the one at which others reach this machine"
        ));
    }
    Ok(address)
}

/// Makes sure that something can say the prompts.
pub(super) fn ensure_voice() -> Result<()> {
    let there = Command::new(VOICE)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !there {
        bail!(
            "{VOICE} is not installed, and the demo's prompts are said by it: callers would hear a tone instead of each. \
             Install it with `apt-get install {VOICE}` (Debian, Ubuntu), `dnf install {VOICE}` (Fedora) or \
             `pacman -S {VOICE}` (Arch), and start the demo again"
        );
    }
    Ok(())
}

/// Makes sure that SIP can be listened for at an address.
pub(super) fn ensure_free(address: IpAddr, port: u16) -> Result<()> {
    let bound = UdpSocket::bind((address, port)).and_then(|_| TcpListener::bind((address, port)));
    match bound {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "port {port} of {address}, where the phone should listen, is taken, perhaps by a softphone or an exchange that runs \
             here; stop it, or choose another port with --sip-port"
        ),
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable => bail!(
            "this machine has no address {address}; `ip -brief address` lists those that --phone-address may name"
        ),
        Err(error) => Err(error).with_context(|| {
            format!("failed to listen for SIP on {address}, port {port}; choose others with --phone-address and --sip-port")
        }),
    }
}

impl Phone {
    /// Writes phone.toml, and the passwords where there are none yet.
    pub(super) fn prepare(place: &Path, address: IpAddr, port: u16) -> Result<Self> {
        let at = SocketAddr::new(address, port);
        let settings = place.join("phone.toml");
        fs::write(&settings, toml(at)).with_context(|| format!("failed to write {}", settings.display()))?;
        let secrets = place.join("secrets.toml");
        let passwords = passwords(&secrets)?;
        Ok(Self {
            at,
            settings,
            secrets,
            passwords,
        })
    }

    /// Has a server answer the phone.
    pub(super) fn answer_with(&self, command: &mut Command) {
        command.arg("--phone").arg(&self.settings);
        command.arg("--secrets").arg(&self.secrets);
    }

    /// Whether it listens.
    pub(super) fn is_answered(&self) -> bool {
        probe::listens_at(self.at)
    }

    /// The address of a number.
    pub(super) fn uri(&self, number: &str) -> String {
        format!("sip:{number}@{}", self.at)
    }

    /// Says whom to call, and how to be an agent.
    pub(super) fn introduce(&self, house: &House, number: &str, from: &str) {
        let bold = anstyle::Style::new().bold();
        let uri = self.uri(number);
        anstream::eprintln!("  phone       {bold}{uri}{bold:#}  (UDP or TCP)");
        if self.at.ip().is_loopback() {
            anstream::eprintln!("              from any softphone of this machine, without an account;");
            anstream::eprintln!("              one that calls itself {from} is greeted by name");
        } else {
            anstream::eprintln!("              as {}", self.account(CITIZEN));
        }
        anstream::eprintln!("  agents      a softphone each, domain (or proxy) {}:", self.at);
        for (agent, speaks) in AGENTS {
            anstream::eprintln!("              {}  {speaks}", self.account(agent));
        }
        anstream::eprintln!(
            "              An agent whose softphone registers is available: a caller who presses 9"
        );
        anstream::eprintln!("              at a question rings it. One that unregisters is away.");
        anstream::eprintln!(
            "  settings    {}, passwords in {}",
            house.show(&self.settings),
            house.show(&self.secrets)
        );
    }

    fn account(&self, user: &str) -> String {
        let password = self.passwords.get(&secret(user)).map_or("", String::as_str);
        format!("user {user:<9}  password {password}")
    }
}

/// The secret that is a user's password.
fn secret(user: &str) -> String {
    format!("{user}-phone")
}

fn toml(at: SocketAddr) -> String {
    format!(
        "# Written by `cargo xtask demo --phone` at each start. What each line means: docs/reference/phone-toml.md\n\
         listen = [\"udp:{at}\", \"tcp:{at}\"]\n\
         ports = \"{PORTS}\"\n\
         recordings = \"recordings\"\n\n\
         [cache]\n\
         folder = \"voices\"\n"
    )
}

/// The passwords of the softphones, by the names of their secrets. What is there stays; what is missing is drawn.
fn passwords(file: &Path) -> Result<BTreeMap<String, String>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("failed to read {}", file.display())),
    };
    let mut passwords: BTreeMap<String, String> = text.lines().filter_map(entry).collect();
    let users = AGENTS.iter().map(|(agent, _)| *agent).chain([CITIZEN]);
    let mut written = text.clone();
    for secret in users.map(secret) {
        if passwords.contains_key(&secret) {
            continue;
        }
        let password = random_hex::<PASSWORD_BYTES>("a password")?;
        if !written.is_empty() && !written.ends_with('\n') {
            written.push('\n');
        }
        written.push_str(&format!("{secret} = \"{password}\"\n"));
        passwords.insert(secret, password);
    }
    if written != text {
        write_private(file, &written)?;
    }
    Ok(passwords)
}

/// A line of the file as this command writes them.
fn entry(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
    Some((name.trim().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_password_of_the_hotline_is_drawn() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../flows/city-hotline");
        let named = |file: &str, field: &str| {
            let text = fs::read_to_string(folder.join(file)).expect("a file of the example");
            let mut names: Vec<String> = text
                .split(&format!(" {field}: "))
                .skip(1)
                .filter_map(|rest| rest.split([',', ' ', '}']).next())
                .map(str::to_owned)
                .collect();
            names.sort();
            names
        };
        let mut agents = AGENTS.map(|(agent, _)| secret(agent)).to_vec();
        agents.sort();
        assert_eq!(named("agents.yaml", "phone"), agents);
        assert_eq!(named("hotline.yaml", "secret"), [secret(CITIZEN)]);
    }

    #[test]
    fn passwords_are_drawn_once_and_read_by_their_owner_alone() {
        let mut name = random_hex::<8>("a folder's name").expect("random bytes");
        name.insert_str(0, "trunkline-demo-");
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).expect("a folder");
        let file = folder.join("secrets.toml");
        let first = passwords(&file).expect("drawn");
        assert_eq!(first.len(), AGENTS.len() + 1);
        assert!(
            first
                .values()
                .all(|password| password.len() == 2 * PASSWORD_BYTES)
        );
        assert_eq!(passwords(&file).expect("read"), first);
        // One of them is gone: that one is drawn anew, what else stands there stays.
        write_private(&file, "other = \"kept as it is\"\ncitizen-phone = \"0123456789\"").expect("written");
        let again = passwords(&file).expect("read");
        assert_eq!(again.get("citizen-phone").map(String::as_str), Some("0123456789"));
        let text = fs::read_to_string(&file).expect("read");
        assert!(text.starts_with("other = \"kept as it is\"\ncitizen-phone = \"0123456789\"\n"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&file).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn addresses_that_cannot_be_called_are_refused() {
        assert_eq!(address("::1"), Ok(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])));
        for wrong in ["0.0.0.0", "::", "localhost", "5060"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
        let taken = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let port = taken.local_addr().expect("bound").port();
        let message = ensure_free(IpAddr::from([127, 0, 0, 1]), port).map_err(|error| error.to_string());
        assert!(message.is_err_and(|message| message.contains("--sip-port")));
    }
}
