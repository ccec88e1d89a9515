//! phone.toml: what the operator sets of the phone. What analysts declare (trunks, voices, agents'
//! phones) stands in the hotline.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, de};
use trunkline_sip::{Listen, TlsFiles, Transport};

use crate::limits::SETTINGS_BYTES_MAX;

/// Ports of RTP where the operator names none (the range that many firewalls' guides open).
const PORTS: RangeInclusive<u16> = 16_384..=32_767;

/// What an operator sets. Each field is a line or a table of phone.toml.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Where SIP is listened on: `udp:0.0.0.0:5060`, `tcp:…`, `tls:…`, `ws:…`.
    #[serde(deserialize_with = "listeners")]
    pub listen: Vec<Listen>,
    /// The address that others reach this machine at, when it is not the one listened on.
    pub public: Option<IpAddr>,
    /// The realm that phones are asked for their password in; the hotline's name without.
    pub realm: Option<String>,
    /// Whether passwords are also asked for by SHA-256, where all phones and trunks put up with it; by
    /// MD5 alone without.
    #[serde(default, rename = "sha-256")]
    pub sha_256: bool,
    /// The address that sound comes and goes by; that of the first listener without.
    pub media: Option<IpAddr>,
    /// The ports of sound, both ends included.
    #[serde(default = "ports", deserialize_with = "port_range")]
    pub ports: RangeInclusive<u16>,
    /// Threads that play and hear; one for every two processors without.
    pub workers: Option<usize>,
    /// The folder of recordings; a hotline that records needs one.
    pub recordings: Option<PathBuf>,
    /// The certificate and key of `tls:` listeners.
    pub tls: Option<Tls>,
    /// Certificates of authorities (PEM) that TLS to trunks trusts; the system's without.
    pub authorities: Option<PathBuf>,
    /// Calls at once.
    pub calls: Option<usize>,
    /// Engines that speak, by the names that hotlines call them.
    #[serde(default)]
    pub engines: std::collections::BTreeMap<String, trunkline_speech::EngineSettings>,
    /// Providers that hear, by name.
    #[serde(default)]
    pub ears: std::collections::BTreeMap<String, trunkline_speech::EarSettings>,
    /// Where synthesised sound is kept.
    #[serde(default)]
    pub cache: trunkline_speech::CacheSettings,
}

/// The files of TLS, PEM.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate and those above it.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// A phone.toml that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error("failed to read {}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is too large to be one.
    #[error("{} has {bytes} bytes, and a phone.toml has at most {SETTINGS_BYTES_MAX}", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// How many it has.
        bytes: u64,
    },
    /// It says what cannot be understood.
    #[error("{}: {source}", file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// What, and where.
        source: Box<toml::de::Error>,
    },
    /// It names nothing to listen on.
    #[error("{} listens nowhere; write listen = [\"udp:0.0.0.0:5060\"]", file.display())]
    Deaf {
        /// The file.
        file: PathBuf,
    },
    /// `tls:` without a certificate.
    #[error(
        "{} listens by TLS and has no certificate; add [tls] with certificate = \"…\" and key = \"…\"",
        file.display()
    )]
    NoCertificate {
        /// The file.
        file: PathBuf,
    },
}

impl Settings {
    /// Reads a phone.toml. Paths in it that are relative are relative to its folder.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read(file: &Path) -> Result<Self, ReadError> {
        let io = |source| ReadError::Io {
            file: file.to_owned(),
            source,
        };
        let bytes = fs::metadata(file).map_err(io)?.len();
        if bytes > SETTINGS_BYTES_MAX {
            return Err(ReadError::TooLarge {
                file: file.to_owned(),
                bytes,
            });
        }
        let text = fs::read_to_string(file).map_err(io)?;
        Self::parse(&text, file)
    }

    fn parse(text: &str, file: &Path) -> Result<Self, ReadError> {
        let mut settings: Self = toml::from_str(text).map_err(|source| ReadError::Syntax {
            file: file.to_owned(),
            source: Box::new(source),
        })?;
        if settings.listen.is_empty() {
            return Err(ReadError::Deaf {
                file: file.to_owned(),
            });
        }
        let encrypted = |listen: &Listen| listen.transport == Transport::Tls;
        if settings.tls.is_none() && settings.listen.iter().any(encrypted) {
            return Err(ReadError::NoCertificate {
                file: file.to_owned(),
            });
        }
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        let within = |path: &mut PathBuf| *path = folder.join(&*path);
        settings.recordings.iter_mut().for_each(within);
        settings.authorities.iter_mut().for_each(within);
        settings.cache.folder.iter_mut().for_each(within);
        if let Some(tls) = &mut settings.tls {
            within(&mut tls.certificate);
            within(&mut tls.key);
        }
        Ok(settings)
    }

    /// The address that sound is bound to.
    pub(crate) fn media_address(&self) -> IpAddr {
        self.media
            .or_else(|| self.listen.first().map(|listen| listen.address.ip()))
            .unwrap_or(Ipv4Addr::LOCALHOST.into())
    }

    /// The files of TLS, as signalling takes them.
    pub(crate) fn tls_files(&self) -> Option<TlsFiles> {
        self.tls.as_ref().map(|tls| TlsFiles {
            certificate: tls.certificate.clone(),
            key: tls.key.clone(),
        })
    }

    /// What concerns voices and ears.
    pub(crate) fn speech(&self) -> trunkline_speech::Settings {
        trunkline_speech::Settings {
            engines: self.engines.clone(),
            ears: self.ears.clone(),
            cache: self.cache.clone(),
        }
    }
}

fn ports() -> RangeInclusive<u16> {
    PORTS
}

fn listeners<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Listen>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts
        .iter()
        .map(|text| {
            listener(text).ok_or_else(|| {
                de::Error::custom(format!(
                    "{text:?} is nothing to listen on; write udp:ADDRESS:PORT, tcp:…, tls:… or ws:…, such as \
                     \"udp:0.0.0.0:5060\""
                ))
            })
        })
        .collect()
}

/// Transports that are listened on.
const TRANSPORTS: [Transport; 4] = [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws];

/// A transport's name, as phone.toml writes it.
pub(crate) const fn transport_name(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
        Transport::Ws => "ws",
    }
}

fn listener(text: &str) -> Option<Listen> {
    let (name, address) = text.split_once(':')?;
    let transport = TRANSPORTS
        .into_iter()
        .find(|transport| transport_name(*transport) == name)?;
    let address = SocketAddr::from_str(address).ok()?;
    Some(Listen { transport, address })
}

fn port_range<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RangeInclusive<u16>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let range = text.split_once('-').and_then(|(first, last)| {
        let (first, last) = (
            first.trim().parse::<u16>().ok()?,
            last.trim().parse::<u16>().ok()?,
        );
        // Sound takes an even port, its reports the next.
        (first >= 1_024 && last > first).then_some(first..=last)
    });
    range.ok_or_else(|| {
        de::Error::custom(format!(
            "{text:?} is no range of ports from 1024 on; write it like \"16384-32767\""
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Settings, ReadError> {
        Settings::parse(text, Path::new("/etc/trunkline/phone.toml"))
    }

    #[test]
    fn settings_are_read_and_paths_are_of_their_folder() {
        let settings = parse(
            r#"
            listen = ["udp:0.0.0.0:5060", "tls:[::]:5061"]
            public = "203.0.113.7"
            ports = "20000-20999"
            recordings = "recordings"
            tls = { certificate = "cert.pem", key = "/keys/key.pem" }
            [engines.house]
            command = ["say"]
            "#,
        )
        .unwrap();
        assert_eq!(settings.listen.len(), 2);
        assert_eq!(settings.ports, 20_000..=20_999);
        assert_eq!(
            settings.recordings.as_deref(),
            Some(Path::new("/etc/trunkline/recordings"))
        );
        assert_eq!(
            settings.tls.as_ref().unwrap().certificate,
            Path::new("/etc/trunkline/cert.pem")
        );
        assert_eq!(settings.tls.as_ref().unwrap().key, Path::new("/keys/key.pem"));
        assert_eq!(settings.media_address(), IpAddr::from([0, 0, 0, 0]));
        assert!(settings.speech().engines.contains_key("house"));
        assert_eq!(parse("listen = [\"udp:127.0.0.1:0\"]").unwrap().ports, PORTS);
    }

    #[test]
    fn what_cannot_be_used_says_what_to_write() {
        for (text, says) in [
            ("listen = []", "listens nowhere"),
            ("", "listen"),
            ("listen = [\"5060\"]", "udp:ADDRESS:PORT"),
            ("listen = [\"sctp:127.0.0.1:5060\"]", "udp:ADDRESS:PORT"),
            ("listen = [\"tls:127.0.0.1:5061\"]", "no certificate"),
            ("listen = [\"udp:127.0.0.1:0\"]\nports = \"10\"", "16384-32767"),
            ("listen = [\"udp:127.0.0.1:0\"]\nports = \"80-90\"", "from 1024"),
            ("listen = [\"udp:127.0.0.1:0\"]\nport = 1", "unknown field `port`"),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    const PAGE: &str = include_str!("../../../docs/reference/phone-toml.md");

    #[test]
    fn the_page_has_every_key_and_its_files_are_read() {
        let refusal = parse("listen = []\nnothing-of-ours = 1").unwrap_err().to_string();
        // What is unknown is refused with the names of what is known.
        let (_, known) = refusal.split_once("expected one of ").expect("the known keys");
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let rows: Vec<&str> = PAGE
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
            .collect();
        assert_eq!(rows, known);
        let files: Vec<&str> = PAGE
            .split("```toml\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .collect();
        assert_eq!(files.len(), 2);
        for file in files {
            parse(file).unwrap_or_else(|error| panic!("{error}"));
        }
        let all: toml::Table = files_of_all(PAGE).parse().expect("TOML");
        assert!(known.iter().all(|key| all.contains_key(*key)), "{all:?}");
    }

    /// The file of the page that has every key.
    fn files_of_all(page: &str) -> &str {
        page.split("```toml\n# All there is.")
            .nth(1)
            .and_then(|rest| rest.split("```").next())
            .expect("the file with all keys")
    }
}
