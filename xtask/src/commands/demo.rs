//! `cargo xtask demo`: the city's hotline with all that it needs, to be called at once.

mod phone;

use std::{
    fs,
    io::Write,
    net::IpAddr,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

use anyhow::{Context, Result};
use clap::Args;

use self::phone::Phone;
use crate::{
    cargo::{self, cargo},
    children::Children,
    guests,
    house::House,
    ports, probe,
    progress::Step,
    toolchain,
};

/// The hotline that is shown, and the number that is called.
const HOTLINE: &str = "city-hotline";
const NUMBER: &str = "12345";
/// The ports that the hotline's grants.yaml names.
const CRM_PORT: u16 = 7001;
const FEED_PORT: u16 = 7002;
/// How long a server may take to answer for the first time.
const READY_MAX: Duration = Duration::from_secs(60);
/// What the server is called here.
const SERVER: &str = "the hotline";
/// The file of the demo's client key.
const KEY_FILE: &str = "client-key";
/// Random bytes in the demo's client key.
const KEY_BYTES: usize = 24;

/// Start the city's services and its hotline, and call it in this terminal
///
/// Builds what is not built yet, which takes minutes the first time and seconds from then on.
/// Everything ends when the call does. Keys, contacts and logs are kept in .trunkline/demo.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask demo                        call 12345 as a citizen that the register knows\n  \
    cargo xtask demo --language en          in English\n  \
    cargo xtask demo --web                  only serve: chat at http://127.0.0.1:8080\n  \
    cargo xtask demo --phone                and answer the phone: sip:12345@127.0.0.1:5060\n  \
    cargo xtask demo --phone --phone-address 192.168.1.20\n                                          \
    for softphones on other machines of the house\n  \
    cargo xtask demo --port 9080            where 8080 is taken")]
pub(crate) struct Demo {
    /// Serve only: no call in this terminal, the chat page is open instead
    #[arg(long)]
    web: bool,
    /// Answer the phone, too: call it with a softphone, and be an agent with another
    #[arg(long)]
    phone: bool,
    /// The port of SIP, by UDP and TCP
    #[arg(long, default_value_t = phone::SIP_PORT, requires = "phone", value_parser = clap::value_parser!(u16).range(1..))]
    sip_port: u16,
    /// This machine's address to be called at, where softphones run on others
    #[arg(long, default_value = "127.0.0.1", requires = "phone", value_parser = phone::address)]
    phone_address: IpAddr,
    /// Where the hotline listens
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Where the citizens' register listens
    #[arg(long, default_value_t = CRM_PORT)]
    crm_port: u16,
    /// Where the feed of the health commission listens
    #[arg(long, default_value_t = FEED_PORT)]
    feed_port: u16,
    /// The caller's number
    #[arg(long, default_value = "+8613800138000")]
    from: String,
    /// The caller's language
    #[arg(long)]
    language: Option<String>,
}

impl Demo {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<ExitCode> {
        let house = House::find()?;
        self.ensure_ports()?;
        if self.phone {
            phone::ensure_voice()?;
            phone::ensure_free(self.phone_address, self.sip_port)?;
        }
        build(&house)?;
        let children = Children::watched()?;
        let place = house.demo();
        fs::create_dir_all(&place).with_context(|| format!("failed to make {}", place.display()))?;
        let key = client_key(&place.join(KEY_FILE))?;
        let phone = match self.phone {
            true => Some(Phone::prepare(&place, self.phone_address, self.sip_port)?),
            false => None,
        };
        let hotline = self.hotline(&house, &place)?;
        let services = self.start_services(&house, &children, &place)?;
        let server = self.start_hotline(&house, &children, &place, &hotline, &key, phone.as_ref())?;
        self.introduce(&house, &place, &hotline, [services, server], phone.as_ref());
        if self.serves_only() {
            let status = children.attend(SERVER)?;
            anyhow::bail!("{SERVER} ended ({status}); start the demo again, and its contacts go on");
        }
        self.dial(&house, &key)
    }

    /// Whether no call is made in this terminal.
    fn serves_only(&self) -> bool {
        self.web || self.phone
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn ensure_ports(&self) -> Result<()> {
        ports::ensure_free(self.crm_port, "the citizens' register", "--crm-port")?;
        ports::ensure_free(self.feed_port, "the feed of the health commission", "--feed-port")?;
        ports::ensure_free(self.port, "the hotline", "--port")
    }

    /// The hotline to serve: the example itself, so that an edit of it shows in the demo; on
    /// other ports a copy that names them.
    fn hotline(&self, house: &House, place: &Path) -> Result<PathBuf> {
        let example = house.hotlines().join(HOTLINE);
        if (self.crm_port, self.feed_port) == (CRM_PORT, FEED_PORT) {
            return Ok(example);
        }
        let copy = place.join(HOTLINE);
        if copy.exists() {
            fs::remove_dir_all(&copy).with_context(|| format!("failed to clear {}", copy.display()))?;
        }
        let at = |port: u16| format!("127.0.0.1:{port}");
        copy_hotline(&example, &copy, &|text| {
            // Through a mark that no file holds, since the ports may have been exchanged.
            text.replace(&at(CRM_PORT), "\0")
                .replace(&at(FEED_PORT), &at(self.feed_port))
                .replace('\0', &at(self.crm_port))
        })?;
        Ok(copy)
    }

    fn start_services(&self, house: &House, children: &Children, place: &Path) -> Result<u32> {
        Step::run(
            "Start the city's services",
            |_| {
                let mut command = Command::new(house.binary("release", "city-services"));
                command
                    .arg("--crm")
                    .arg(format!("127.0.0.1:{}", self.crm_port))
                    .arg("--feed")
                    .arg(format!("127.0.0.1:{}", self.feed_port));
                let id = children.start("city-services", command, &place.join("services.log"))?;
                children.wait_until("the services answered", READY_MAX, || {
                    probe::listens(self.crm_port) && probe::listens(self.feed_port)
                })?;
                Ok(id)
            },
            |_| {
                format!(
                    "register on port {}, feed on port {}",
                    self.crm_port, self.feed_port
                )
            },
        )
    }

    fn start_hotline(
        &self,
        house: &House,
        children: &Children,
        place: &Path,
        hotline: &Path,
        key: &str,
        phone: Option<&Phone>,
    ) -> Result<u32> {
        Step::run(
            "Start the hotline",
            |_| {
                let mut command = Command::new(house.binary("release", "trunkline"));
                command
                    .arg("serve")
                    .arg(hotline)
                    .args(["--watch", "--log", "pretty", "--listen"])
                    .arg(format!("127.0.0.1:{}", self.port))
                    .arg("--store")
                    .arg(format!("fjall:{}", place.join("store").display()))
                    .env("TRUNKLINE_CLIENT_KEY", key);
                if let Some(phone) = phone {
                    phone.answer_with(&mut command);
                }
                let id = children.start(SERVER, command, &place.join("hotline.log"))?;
                children.wait_until("the hotline was ready", READY_MAX, || {
                    probe::answers(self.port, "/health/ready") && phone.is_none_or(Phone::is_answered)
                })?;
                Ok(id)
            },
            |_| match phone {
                Some(phone) => format!("{} and {}", self.address(), phone.uri(NUMBER)),
                None => self.address(),
            },
        )
    }

    fn introduce(
        &self,
        house: &House,
        place: &Path,
        hotline: &Path,
        [services, server]: [u32; 2],
        phone: Option<&Phone>,
    ) {
        let bold = anstyle::Style::new().bold();
        anstream::eprintln!();
        anstream::eprintln!("  chat page   {bold}{}/{bold:#}", self.address());
        anstream::eprintln!("  hotline     {}  (edits are live on save)", house.show(hotline));
        anstream::eprintln!("  processes   hotline {server}, city-services {services}");
        if let Some(phone) = phone {
            phone.introduce(house, NUMBER, &self.from);
        }
        if self.serves_only() {
            anstream::eprintln!(
                "  call it     TRUNKLINE_CLIENT_KEY=$(cat {}) {} dial {} {NUMBER} --from {}",
                house.show(&place.join(KEY_FILE)),
                house.show(&house.binary("release", "trunkline")),
                self.address(),
                self.from
            );
            anstream::eprintln!("\nWhat the server logs follows; ctrl-C stops it all.\n");
        } else {
            anstream::eprintln!("  log         {}", house.show(&place.join("hotline.log")));
            anstream::eprintln!(
                "\nType keys or words; @help says more; ctrl-D hangs up, and the demo ends.\n"
            );
        }
    }

    fn dial(&self, house: &House, key: &str) -> Result<ExitCode> {
        let mut command = Command::new(house.binary("release", "trunkline"));
        command
            .arg("dial")
            .arg(self.address())
            .arg(NUMBER)
            .arg("--from")
            .arg(&self.from)
            .env("TRUNKLINE_CLIENT_KEY", key);
        if let Some(language) = &self.language {
            command.arg("--language").arg(language);
        }
        let status = command.status().context("failed to start `trunkline dial`")?;
        Ok(if status.success() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn build(house: &House) -> Result<()> {
    toolchain::ensure_guest_target(house)?;
    Step::run(
        "Build the plugins from source",
        |step| {
            cargo::build(guests::build(house), step)?;
            guests::install(house)
        },
        |changed| match changed.len() {
            0 => "nothing has changed".to_owned(),
            count => format!("{count} put in place"),
        },
    )?;
    let first = !house.binary("release", "trunkline").exists();
    Step::run(
        if first {
            "Build the runtime (minutes, this once)"
        } else {
            "Build the runtime"
        },
        |step| {
            let mut command = cargo(&house.root);
            command.args(["build", "--release", "-p", "trunkline-cli", "-p", "city-services"]);
            cargo::build(command, step)
        },
        |()| String::new(),
    )
}

/// The key by which the demo's terminal caller vouches for its number; made once.
fn client_key(path: &Path) -> Result<String> {
    match fs::read_to_string(path) {
        Ok(key) if !key.trim().is_empty() => return Ok(key.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("failed to read {}", path.display())),
    }
    let key = random_hex::<KEY_BYTES>("the client key")?;
    write_private(path, &key)?;
    Ok(key)
}

/// As many random bytes, in hexadecimal digits.
fn random_hex<const BYTES: usize>(what: &str) -> Result<String> {
    let mut random = [0; BYTES];
    getrandom::fill(&mut random).with_context(|| format!("the system gave no random bytes for {what}"))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Writes a file that its owner alone may read.
fn write_private(path: &Path, text: &str) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("failed to write {}", path.display()))
}

/// Copies a hotline's folder, with each YAML file changed on the way.
fn copy_hotline(from: &Path, to: &Path, change: &dyn Fn(&str) -> String) -> Result<()> {
    let failed = |what: &Path| format!("failed to copy {}", what.display());
    fs::create_dir_all(to).with_context(|| format!("failed to make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| failed(from))? {
        let source = entry.with_context(|| failed(from))?.path();
        let place = to.join(source.file_name().context("a folder's entry has a name")?);
        if source.is_dir() {
            copy_hotline(&source, &place, change)?;
        } else if source.extension().is_some_and(|extension| extension == "yaml") {
            let text = fs::read_to_string(&source).with_context(|| failed(&source))?;
            fs::write(&place, change(&text)).with_context(|| failed(&source))?;
        } else {
            fs::copy(&source, &place).with_context(|| failed(&source))?;
        }
    }
    Ok(())
}
