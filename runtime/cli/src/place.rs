//! Where a hotline is, and where its store is when nobody says so.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use trunkline_journal::StoreSpec;
use trunkline_package::{
    admission::Shelves,
    credentials::Credentials,
    registry::{Registries, Settings},
    store::Store,
};

use crate::exit::Failure;

/// The file that makes a folder a hotline.
pub(crate) const MANIFEST: &str = "hotline.yaml";

/// Makes sure that a path is a hotline's folder, and gives its full path.
///
/// # Errors
/// Nothing is there, or something else.
pub(crate) fn hotline(path: &Path) -> Result<PathBuf, Failure> {
    let shown = path.display();
    if path.file_name().is_some_and(|name| name == MANIFEST) && path.is_file() {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        return hotline(folder.unwrap_or(Path::new(".")));
    }
    if !path.exists() {
        return Err(Failure::usage(anyhow!(
            "there is no {shown}; name a hotline's folder, like flows/city-hotline"
        )));
    }
    if !path.join(MANIFEST).is_file() {
        return Err(Failure::usage(anyhow!(
            "{shown} is no hotline: it has no {MANIFEST}; name the folder that has one"
        )));
    }
    path.canonicalize()
        .map_err(|error| Failure::usage(anyhow!(error).context(format!("failed to find {shown}"))))
}

/// The store of a hotline when none is named: a folder of the hotline's name where the user's
/// programs keep their data.
///
/// # Errors
/// The environment does not say where that is.
pub(crate) fn default_store(hotline: &Path) -> Result<StoreSpec, Failure> {
    let data = data_folder(env::var_os("XDG_DATA_HOME"), env::var_os("HOME")).ok_or_else(|| {
        Failure::usage(anyhow!(
            "neither XDG_DATA_HOME nor HOME says where to keep contacts; name a store: --store fjall:DIR"
        ))
    })?;
    let name = hotline
        .file_name()
        .map_or_else(|| OsString::from("hotline"), OsString::from);
    Ok(StoreSpec::Fjall(data.join("trunkline").join(name)))
}

/// Where compiled components are kept, for all hotlines together; nowhere when the environment
/// does not say.
pub(crate) fn cache() -> Option<PathBuf> {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path: &PathBuf| path.is_absolute())
    };
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|folder| folder.join("trunkline"))
}

/// Packages that are kept on this machine, if the environment says where.
pub(crate) fn package_store() -> Option<Store> {
    cache().map(|folder| Store::new(folder.join("packages")))
}

/// Packages as commands take them that ask no network: from this machine.
pub(crate) fn packages() -> Shelves {
    Shelves {
        store: package_store(),
        registries: None,
    }
}

/// Packages from this machine, and what is not on it from its registry.
///
/// # Errors
/// The environment has some of a registry's credentials and lacks others.
pub(crate) fn packages_fetched() -> Result<Shelves, Failure> {
    let credentials = Credentials::of_environment().map_err(Failure::usage)?;
    Ok(Shelves {
        store: package_store(),
        registries: Some(Registries::new(Settings {
            credentials,
            ..Settings::default()
        })),
    })
}

/// Where a user's programs keep their data, as the XDG base directories have it: a relative
/// XDG_DATA_HOME does not count.
fn data_folder(xdg: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    xdg.map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| {
            home.filter(|home| !home.is_empty())
                .map(|home| PathBuf::from(home).join(".local/share"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_kept_where_the_user_says() {
        let folder = |xdg: Option<&str>, home: Option<&str>| {
            data_folder(xdg.map(OsString::from), home.map(OsString::from))
        };
        assert_eq!(
            folder(Some("/data"), Some("/home/li")),
            Some(PathBuf::from("/data"))
        );
        assert_eq!(
            folder(Some("data"), Some("/home/li")),
            Some(PathBuf::from("/home/li/.local/share"))
        );
        assert_eq!(
            folder(None, Some("/home/li")),
            Some(PathBuf::from("/home/li/.local/share"))
        );
        assert_eq!(folder(None, None), None);
    }

    #[test]
    fn what_is_no_hotline_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let failure = hotline(folder.path()).unwrap_err();
        assert!(failure.error.to_string().contains("has no hotline.yaml"));
        std::fs::write(folder.path().join(MANIFEST), "hotline: x\n").unwrap();
        let found = hotline(folder.path()).unwrap();
        assert_eq!(hotline(&folder.path().join(MANIFEST)).unwrap(), found);
        assert!(hotline(Path::new("/no/such/place")).is_err());
    }
}
