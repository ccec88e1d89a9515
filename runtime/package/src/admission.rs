//! Whether a package is let into a hotline: it is the one that the lock names, it does not go
//! back in versions, and whoever has to vouch for it does.
//!
//! Every command and the server ask here, so that what one lets in the others do too.

use trunkline_model::{Digest, PluginName};

use crate::{
    key::PublicKey,
    lock::{Lock, Locked},
    package::{Identity, Package},
    reference::Version,
    reference::{Reference, Source},
    registry::{Registries, RegistryError, silent},
    store::{Store, StoreError},
};

/// A plugin that a hotline declares, and what is asked of its package.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its name in hotline.yaml.
    pub plugin: &'a PluginName,
    /// Where its component comes from.
    pub source: &'a Source,
    /// Whose it is, as hotline.yaml says: whoever writes flows writes that.
    pub department: &'a str,
    /// What grants.yaml asks of it; none where nobody's packages have to be signed.
    pub vouching: Option<Vouching<'a>>,
    /// What is locked.
    pub lock: &'a Lock,
}

/// What grants.yaml asks of a plugin, where it names departments whose packages have to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Vouching<'a> {
    /// Whose the plugin is, as its operator says.
    pub department: Option<&'a str>,
    /// The keys of which one has to have signed it; none when that department's need not be.
    pub keys: Option<&'a [PublicKey]>,
}

/// Why a package is not let in.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The lock does not name it, and it is not at hand.
    #[error(
        "trunkline.lock does not have {source_text}; look at it and lock it with `trunkline plugin add HOTLINE {plugin} {source_text}`"
    )]
    NotLocked {
        /// The plugin.
        plugin: PluginName,
        /// What hotline.yaml names.
        source_text: String,
    },
    /// The lock names another source.
    #[error(
        "hotline.yaml names {named}, and trunkline.lock has {locked}; lock the new one with `trunkline plugin add HOTLINE {plugin} {named}`, or write the old one into hotline.yaml"
    )]
    OtherSource {
        /// The plugin.
        plugin: PluginName,
        /// What hotline.yaml names.
        named: String,
        /// What the lock has.
        locked: String,
    },
    /// It is older than the one that is locked.
    #[error(
        "version {found} is older than {locked}, which trunkline.lock has: going back brings old faults back; if it is meant, run `trunkline plugin add HOTLINE {plugin} {source_text} --allow-downgrade`"
    )]
    Downgraded {
        /// The plugin.
        plugin: PluginName,
        /// Its version.
        found: String,
        /// The version that is locked.
        locked: String,
        /// Where it comes from.
        source_text: String,
    },
    /// It is newer than the one that is locked.
    #[error(
        "it is version {found}, and trunkline.lock has {locked}; lock the new one with `trunkline plugin add HOTLINE {plugin} {source_text}`"
    )]
    Newer {
        /// The plugin.
        plugin: PluginName,
        /// Its version.
        found: String,
        /// The version that is locked.
        locked: String,
        /// Where it comes from.
        source_text: String,
    },
    /// It has the version that is locked, and other content.
    #[error(
        "it has other content than trunkline.lock names (sha256 {found} instead of {locked}) under the same version{version}: it was changed since it was locked. Put back what was locked, or ask who publishes it for a new version; only if you built it yourself, run `trunkline plugin add HOTLINE {plugin} {source_text} --replace`"
    )]
    Changed {
        /// The plugin.
        plugin: PluginName,
        /// Its digest.
        found: String,
        /// The digest that is locked.
        locked: String,
        /// The version, for people.
        version: String,
        /// Where it comes from.
        source_text: String,
    },
    /// The operator does not say whose it is, and takes some departments' packages only signed.
    #[error(
        "grants.yaml takes some departments' packages only signed, and does not say whose {plugin} is; the operator adds `department: {department}` to its entry there, if it is theirs"
    )]
    NobodysWord {
        /// The plugin.
        plugin: PluginName,
        /// Whose hotline.yaml says that it is.
        department: String,
    },
    /// The files do not agree on whose it is.
    #[error(
        "hotline.yaml says that it is of {said}, and grants.yaml that it is of {granted}; write into hotline.yaml what the operator says, or let the operator look again"
    )]
    OtherDepartment {
        /// The department in hotline.yaml.
        said: String,
        /// The department in grants.yaml.
        granted: String,
    },
    /// It says itself that it is of others.
    #[error(
        "it says that it is of {found}, and grants.yaml takes it for one of {granted}; take the package of that department, or let the operator name the other one"
    )]
    OthersPackage {
        /// The department in its manifest.
        found: String,
        /// The department in grants.yaml.
        granted: String,
    },
    /// Nobody signed it, and somebody has to.
    #[error(
        "it is not signed, and grants.yaml takes from {department} only what one of its keys signed; publish it with `trunkline plugin publish --key`, or ask who publishes it to"
    )]
    Unsigned {
        /// The department.
        department: String,
    },
    /// A bare component, where somebody has to have signed.
    #[error(
        "a bare component carries no signature, and grants.yaml takes from {department} only what one of its keys signed; make a package of it with `trunkline plugin publish --key`, and name that"
    )]
    Bare {
        /// The department.
        department: String,
    },
    /// Others signed it.
    #[error(
        "it is signed, but by none of the keys that grants.yaml names for {department} ({keys}); ask who publishes it, or let the operator name the key"
    )]
    OtherSigner {
        /// The department.
        department: String,
        /// The keys that were tried.
        keys: String,
    },
    /// It is not on this machine, and the network is not asked.
    #[error("{source_text} is not on this machine; fetch it with `trunkline plugin pull HOTLINE`")]
    NotHere {
        /// Where it comes from.
        source_text: String,
    },
    /// The lock's entry was edited.
    #[error(
        "trunkline.lock does not name the package of {plugin}; run `trunkline plugin add HOTLINE {plugin} {source_text}` again"
    )]
    LockIncomplete {
        /// The plugin.
        plugin: PluginName,
        /// Where it comes from.
        source_text: String,
    },
    /// The registry did not give it.
    #[error(transparent)]
    Registry(Box<RegistryError>),
    /// It cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Self {
        Self::Registry(Box::new(error))
    }
}

impl Refusal {
    /// Whether a signature is missing, which may be made at any time.
    const fn lacks_signature(&self) -> bool {
        matches!(self, Self::Unsigned { .. } | Self::OtherSigner { .. })
    }
}

impl Wanted<'_> {
    fn locked(&self) -> Option<&Locked> {
        self.lock.plugins.get(self.plugin)
    }

    /// The digest of the package that a reference to a registry means: the locked one.
    ///
    /// # Errors
    /// It is not locked, or another one is.
    pub fn package(&self, reference: &Reference) -> Result<Digest, Refusal> {
        let (plugin, source_text) = (self.plugin.clone(), reference.to_string());
        let Some(locked) = self.locked() else {
            return Err(Refusal::NotLocked { plugin, source_text });
        };
        if locked.source != source_text {
            return Err(match (reference.semver(), &locked.version) {
                (Some(found), Some(locked)) if found < *locked => Refusal::Downgraded {
                    plugin,
                    found: found.to_string(),
                    locked: locked.to_string(),
                    source_text,
                },
                _ => Refusal::OtherSource {
                    plugin,
                    named: source_text,
                    locked: locked.source.clone(),
                },
            });
        }
        locked
            .package
            .ok_or(Refusal::LockIncomplete { plugin, source_text })
    }

    /// Lets a package in, or says why not. Gives the fingerprint of the key that vouches for it,
    /// where one has to.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn admit(&self, found: &Identity) -> Result<Option<Digest>, Refusal> {
        if let Some(locked) = self.locked() {
            self.is_locked(found, locked)?;
        }
        self.is_vouched(found)
    }

    /// That a package is the one that is locked.
    fn is_locked(&self, found: &Identity, locked: &Locked) -> Result<(), Refusal> {
        let same_package =
            locked.package.is_none() || found.package.is_none() || locked.package == found.package;
        if found.component == locked.component && same_package {
            return Ok(());
        }
        let (plugin, source_text) = (self.plugin.clone(), self.source.to_string());
        Err(match (&found.version, &locked.version) {
            (Some(version), Some(before)) if version < before => Refusal::Downgraded {
                plugin,
                found: version.to_string(),
                locked: before.to_string(),
                source_text,
            },
            (Some(version), Some(before)) if version > before => Refusal::Newer {
                plugin,
                found: version.to_string(),
                locked: before.to_string(),
                source_text,
            },
            (version, _) => Refusal::Changed {
                plugin,
                found: found.component.short(),
                locked: locked.component.short(),
                version: version
                    .as_ref()
                    .map_or_else(String::new, |version| format!(" {version}")),
                source_text,
            },
        })
    }

    /// That somebody vouches for a package where somebody has to.
    ///
    /// # Errors
    /// Nobody does, or none of those who may, or it is not said who may.
    pub fn is_vouched(&self, found: &Identity) -> Result<Option<Digest>, Refusal> {
        let Some(vouching) = self.vouching else {
            return Ok(None);
        };
        let Some(granted) = vouching.department else {
            return Err(Refusal::NobodysWord {
                plugin: self.plugin.clone(),
                department: self.department.to_owned(),
            });
        };
        if granted != self.department {
            return Err(Refusal::OtherDepartment {
                said: self.department.to_owned(),
                granted: granted.to_owned(),
            });
        }
        if let Some(other) = found.department.as_deref().filter(|found| *found != granted) {
            return Err(Refusal::OthersPackage {
                found: other.to_owned(),
                granted: granted.to_owned(),
            });
        }
        let Some(keys) = vouching.keys else {
            return Ok(None);
        };
        if let Some(key) = found.signed_by(keys) {
            return Ok(Some(key.fingerprint()));
        }
        let department = granted.to_owned();
        Err(if found.package.is_none() {
            Refusal::Bare { department }
        } else if found.signatures.is_empty() {
            Refusal::Unsigned { department }
        } else {
            let keys: Vec<String> = keys.iter().map(|key| key.fingerprint().short()).collect();
            Refusal::OtherSigner {
                department,
                keys: keys.join(", "),
            }
        })
    }
}

/// Where packages of registries are taken from: what is kept on this machine, else the network
/// where it may be asked.
#[derive(Clone, Debug, Default)]
pub struct Shelves {
    /// Packages that are kept on this machine.
    pub store: Option<Store>,
    /// Registries, where they may be asked.
    pub registries: Option<Registries>,
}

impl Shelves {
    /// The package that a reference means, as it is locked; not yet let in. One that is kept here
    /// and lacks a signature is fetched again: it may have been signed since.
    ///
    /// # Errors
    /// It is not locked, not here, or does not come.
    pub async fn take(&self, wanted: &Wanted<'_>, reference: &Reference) -> Result<Package, Refusal> {
        let digest = wanted.package(reference)?;
        let kept = match self.store.clone() {
            Some(store) => {
                let kept = tokio::task::spawn_blocking(move || store.get(&digest)).await;
                kept.ok().flatten()
            }
            None => None,
        };
        match (kept, &self.registries) {
            (None, None) => Err(Refusal::NotHere {
                source_text: reference.to_string(),
            }),
            (None, Some(registries)) => self.fetch(registries, reference, digest).await,
            (Some(kept), Some(registries))
                if (wanted.is_vouched(&kept.identity())).is_err_and(|refusal| refusal.lacks_signature()) =>
            {
                // Without the registry it is as it was.
                let again = self.fetch(registries, reference, digest).await;
                Ok(again.unwrap_or_else(|error| {
                    tracing::warn!(%reference, %error, "failed to look for new signatures");
                    kept
                }))
            }
            (Some(kept), _) => Ok(kept),
        }
    }

    /// Whether what a plugin lacks may come of a registry.
    pub fn may_mend(&self, refusal: &Refusal) -> bool {
        self.registries.is_some() && refusal.lacks_signature()
    }

    async fn fetch(
        &self,
        registries: &Registries,
        reference: &Reference,
        digest: Digest,
    ) -> Result<Package, Refusal> {
        let pinned = reference.with(Version::Digest(digest));
        let package = registries.pull(&pinned, &silent()).await?;
        if let Some(store) = &self.store {
            store.put(&package)?;
        }
        Ok(package)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{key::PrivateKey, package::tests::component};

    const SOURCE: &str = "oci://registry.example/civil/crm@1.4.2";

    fn package(version: &str) -> Package {
        Package::of_component(component(version)).unwrap()
    }

    fn lock(source: &str, package: &Package) -> Lock {
        Lock {
            plugins: [(
                "crm".into(),
                Locked::of(source.to_owned(), &package.identity(), None),
            )]
            .into(),
        }
    }

    fn with<T>(
        source: &str,
        lock: &Lock,
        keys: Option<&[PublicKey]>,
        ask: impl FnOnce(&Wanted<'_>) -> T,
    ) -> T {
        ask(&Wanted {
            plugin: &"crm".into(),
            source: &Source::parse(source).unwrap(),
            department: "civil-affairs",
            vouching: keys.map(|keys| Vouching {
                department: Some("civil-affairs"),
                keys: Some(keys),
            }),
            lock,
        })
    }

    #[test]
    fn what_is_locked_comes_in_and_nothing_else() {
        let (old, new, next) = (package("1.4.1"), package("1.4.2"), package("1.5.0"));
        let locked = lock(SOURCE, &new);
        let refusal = |package: &Package| {
            with(SOURCE, &locked, None, |wanted| wanted.admit(&package.identity()))
                .unwrap_err()
                .to_string()
        };
        with(SOURCE, &locked, None, |wanted| wanted.admit(&new.identity())).unwrap();
        with(SOURCE, &Lock::default(), None, |wanted| {
            wanted.admit(&old.identity())
        })
        .unwrap();
        assert!(refusal(&old).contains("version 1.4.1 is older than 1.4.2"));
        assert!(refusal(&old).contains("--allow-downgrade"));
        assert!(refusal(&next).contains("it is version 1.5.0, and trunkline.lock has 1.4.2"));
        let mut tampered = new.identity();
        tampered.component = Digest::of(b"other");
        let said = with(SOURCE, &locked, None, |wanted| wanted.admit(&tampered)).unwrap_err();
        assert!(
            said.to_string()
                .contains("other content than trunkline.lock names"),
            "{said}"
        );
        let mut other_package = new.identity();
        other_package.package = Some(Digest::of(b"other"));
        let said = with(SOURCE, &locked, None, |wanted| wanted.admit(&other_package)).unwrap_err();
        assert!(matches!(said, Refusal::Changed { .. }), "{said}");
    }

    #[test]
    fn a_reference_means_the_package_that_is_locked() {
        let new = package("1.4.2");
        let locked = lock(SOURCE, &new);
        let named = |source: &str, lock: &Lock| {
            with(source, lock, None, |wanted| {
                wanted.package(&source.parse().unwrap())
            })
            .map_err(|refusal| refusal.to_string())
        };
        assert_eq!(named(SOURCE, &locked), Ok(new.digest()));
        let refused = |source: &str, lock: &Lock| named(source, lock).unwrap_err();
        assert!(refused(SOURCE, &Lock::default()).contains("does not have oci://"));
        let older = SOURCE.replace("1.4.2", "1.4.1");
        assert!(refused(&older, &locked).contains("1.4.1 is older than 1.4.2"));
        let newer = SOURCE.replace("1.4.2", "1.5.0");
        assert!(
            refused(&newer, &locked).contains("hotline.yaml names oci://registry.example/civil/crm@1.5.0")
        );
        let mut edited = locked.clone();
        edited.plugins.get_mut("crm").unwrap().package = None;
        assert!(refused(SOURCE, &edited).contains("does not name the package"));
    }

    #[test]
    fn who_has_to_vouch_for_it_does() {
        let (civil, _) = PrivateKey::generate().unwrap();
        let (other, _) = PrivateKey::generate().unwrap();
        let keys = [civil.public().clone()];
        let mut package = package("1.4.2");
        let locked = lock(SOURCE, &package);
        let admit = |identity: &Identity| with(SOURCE, &locked, Some(&keys), |wanted| wanted.admit(identity));
        assert!(matches!(
            admit(&package.identity()),
            Err(Refusal::Unsigned { .. })
        ));
        package.sign(&other, "registry.example/civil/crm").unwrap();
        assert!(matches!(
            admit(&package.identity()),
            Err(Refusal::OtherSigner { .. })
        ));
        package.sign(&civil, "registry.example/civil/crm").unwrap();
        assert_eq!(
            admit(&package.identity()).unwrap(),
            Some(civil.public().fingerprint())
        );
        let bare = Identity::of_bare(package.component(), None);
        assert!(matches!(admit(&bare), Err(Refusal::Bare { .. })));
    }

    #[test]
    fn whose_it_is_the_operator_says() {
        let package = package("1.4.2");
        let (civil, _) = PrivateKey::generate().unwrap();
        let (water, _) = PrivateKey::generate().unwrap();
        let signed = |key: &PrivateKey| {
            let mut package = package.clone();
            package.sign(key, "registry.example/civil/crm").unwrap();
            package.identity()
        };
        let admit = |said: &str, granted: Option<&str>, identity: &Identity| {
            let keys = match granted {
                Some("civil-affairs") => Some([civil.public().clone()]),
                Some("water-works") => Some([water.public().clone()]),
                _ => None,
            };
            let wanted = Wanted {
                plugin: &"crm".into(),
                source: &Source::parse(SOURCE).unwrap(),
                department: said,
                vouching: Some(Vouching {
                    department: granted,
                    keys: keys.as_ref().map(<[_; 1]>::as_slice),
                }),
                lock: &Lock::default(),
            };
            wanted.admit(identity)
        };
        assert!(admit("civil-affairs", Some("civil-affairs"), &signed(&civil)).is_ok());
        // hotline.yaml alone moves it to nobody who signs less, and to nobody else who signs.
        for said in ["civil-affars", "hotline-centre", "water-works"] {
            let refused = admit(said, Some("civil-affairs"), &package.identity()).unwrap_err();
            assert!(matches!(refused, Refusal::OtherDepartment { .. }), "{refused}");
            let refused = admit(said, None, &package.identity()).unwrap_err();
            assert!(matches!(refused, Refusal::NobodysWord { .. }), "{refused}");
        }
        // Nor does another department's word for a package that is not its own.
        let refused = admit("water-works", Some("water-works"), &signed(&water)).unwrap_err();
        assert!(
            matches!(&refused, Refusal::OthersPackage { found, .. } if found == "civil-affairs"),
            "{refused}"
        );
        // The operator may take what need not be signed.
        let mut nobodys = package.identity();
        nobodys.department = None;
        assert!(admit("hotline-centre", Some("hotline-centre"), &nobodys).is_ok());
    }

    #[tokio::test]
    async fn what_is_kept_needs_no_network() {
        let folder = tempfile::tempdir().unwrap();
        let shelves = Shelves {
            store: Some(Store::new(folder.path())),
            registries: None,
        };
        let package = package("1.4.2");
        let locked = lock(SOURCE, &package);
        let (plugin, source) = ("crm".into(), Source::parse(SOURCE).unwrap());
        let wanted = Wanted {
            plugin: &plugin,
            source: &source,
            department: "civil-affairs",
            vouching: None,
            lock: &locked,
        };
        let reference = SOURCE.parse().unwrap();
        let refused = shelves.take(&wanted, &reference).await.unwrap_err().to_string();
        assert!(refused.contains("trunkline plugin pull"), "{refused}");
        shelves.store.as_ref().unwrap().put(&package).unwrap();
        assert!(shelves.take(&wanted, &reference).await.unwrap() == package);
    }
}
