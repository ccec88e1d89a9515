//! Where the addresses of names come from.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use tokio::net::lookup_host;

/// Gives the addresses of names. What it gives is checked before anything connects to it.
#[async_trait]
pub trait Resolve: fmt::Debug + Send + Sync {
    /// The addresses of a host's name, best first.
    ///
    /// # Errors
    /// The name is not known, or nobody answers.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Names as the machine knows them: its hosts file, its name servers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemNames;

#[async_trait]
impl Resolve for SystemNames {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        // Some port is needed, and none is looked up.
        Ok(lookup_host((name, 0))
            .await?
            .map(|address| address.ip())
            .collect())
    }
}

/// Names as a table says, and no others.
#[derive(Debug, Default)]
pub struct TableNames(Mutex<BTreeMap<String, Vec<IpAddr>>>);

impl TableNames {
    /// Gives a name its addresses, instead of those it had.
    pub fn set(&self, name: &str, addresses: impl IntoIterator<Item = IpAddr>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), addresses.into_iter().collect());
    }
}

#[async_trait]
impl Resolve for TableNames {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names
            .get(name)
            .cloned()
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the table has no such name"))
    }
}
