//! The host: two pools of sandboxes, threads for guests, and the plugins loaded into them.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::runtime::{Handle, Runtime};
use trunkline_model::{Digest, PluginName, signature::Interface};
use wasmtime::{
    Engine,
    component::{Component, Linker},
};

use crate::{
    Bytes, Grants, HostLimits, KeyValues, Limits, LoadError, Manifest, Missing, Plugin, Secrets, Wants,
    anatomy,
    beginning::Beginnings,
    budget::{self, Budget},
    cache::Cache,
    compiled::{self, Code, Compiled, Size},
    compiler, dynamic,
    egress::{Egress, Encryption, Lookups, Resolve, SystemNames},
    engine::{self, Ticker},
    guest::Guest,
    host_functions,
    limits::PoolLimits,
    missing,
    plugin::Loaded,
    priority,
    shared::Shared,
    slots::{Party, Slots},
    usage::Meter,
};

/// How a host is set up.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Its bounds.
    pub limits: HostLimits,
    /// A folder of the host's own for compiled components; without one they are compiled at
    /// every start.
    pub cache: Option<PathBuf>,
    /// Files of certificates in PEM: authorities that are trusted beside those of the web, such
    /// as the one of an administration's own network.
    pub authorities: Vec<PathBuf>,
    /// Where the values of secrets come from; without it none has one, and nobody is told so.
    pub secrets: Option<Arc<dyn Secrets>>,
    /// Where the addresses of names come from; without it, from the machine.
    pub names: Option<Arc<dyn Resolve>>,
    /// Whether the instructions that guests run are counted, for [`Plugin::call_measured`];
    /// it makes them slower.
    pub counts_instructions: bool,
}

/// Why a host does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// wasmtime refuses the limits, or the machine has no room for the pools.
    #[error(
        "failed to set up the pools of sandboxes: {reason}; they take address space rather than \
         memory (see `ulimit -v`), and fewer `instances` take less"
    )]
    Engine {
        /// What wasmtime says.
        reason: String,
    },
    /// Threads could not be started.
    #[error("failed to start the threads for guests")]
    Threads(#[source] std::io::Error),
    /// The cache's folder cannot be used.
    #[error("failed to open {folder} for compiled components: {source}")]
    Cache {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of certificates cannot be read.
    #[error(
        "failed to read certificate authorities from {file}: {reason}; a PEM file with BEGIN CERTIFICATE is wanted"
    )]
    Authority {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// TLS could not be set up.
    #[error("failed to set up TLS")]
    Encryption(#[from] rustls::Error),
}

/// The plugin host. Plugins keep it alive.
pub struct Host {
    inner: Arc<Inner>,
}

/// What a plugin is deployed as.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// Its name in the hotline, under which it keeps its key-value store and its counts.
    pub name: PluginName,
    /// Whose it is: departments share the machine fairly.
    pub department: String,
    /// Its settings.
    pub config: BTreeMap<String, String>,
    /// What it may reach and use.
    pub grants: Grants,
}

/// What can be told of a component without deploying it.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// Its functions and types.
    pub interface: Arc<Interface>,
    /// What it wants.
    pub wants: Wants,
    /// What it says of itself, if it does.
    pub manifest: Option<Manifest>,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: usize,
    /// Bytes of memory that a guest of it begins with.
    pub initial_memory: u64,
}

/// What plugins need of their host.
pub(crate) struct Inner {
    small: Pool,
    large: Pool,
    pub(crate) limits: HostLimits,
    pub(crate) counts_instructions: bool,
    pub(crate) turns: Arc<Slots>,
    /// Turns of calls that begin on their caller's thread. They have their own: whoever runs long
    /// holds the others from tick to tick, and a call that takes microseconds need not wait for one.
    pub(crate) begun: Arc<Slots>,
    pub(crate) beginnings: Beginnings,
    pub(crate) ticker: Ticker,
    pub(crate) guests: Handle,
    /// Taken when the host is dropped.
    runtime: Option<Runtime>,
    pub(crate) key_values: Arc<dyn KeyValues>,
    pub(crate) encryption: Encryption,
    pub(crate) secrets: Option<Arc<dyn Secrets>>,
    cache: Option<Cache>,
    compiled: Mutex<HashMap<Digest, Weak<Compiled>>>,
    /// One compilation at a time: each uses all cores, and one result serves all who wait.
    compiling: Arc<tokio::sync::Mutex<()>>,
    shared: Mutex<HashMap<PluginName, Weak<Shared>>>,
}

/// The turn of whoever compiles.
type Compiling = tokio::sync::OwnedMutexGuard<()>;

/// A pool of sandboxes.
pub(crate) struct Pool {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Guest>,
    pub(crate) slots: Arc<Slots>,
    pub(crate) limits: PoolLimits,
}

/// A department's share of everything.
#[derive(Clone, Copy)]
pub(crate) struct Department {
    small: Party,
    large: Party,
    pub(crate) turns: Party,
    pub(crate) begun: Party,
}

/// Threads beyond the turns at the processor: one to find out who is ready, one for the
/// network.
const THREADS_BESIDE_TURNS: usize = 2;

impl Host {
    /// Starts a host.
    ///
    /// # Errors
    /// The machine has no room for it, or the cache's folder cannot be used.
    pub fn start(settings: Settings, key_values: Arc<dyn KeyValues>) -> Result<Arc<Self>, StartError> {
        let Settings {
            limits,
            cache,
            authorities,
            secrets,
            names,
            counts_instructions,
        } = settings;
        let engine_failed = |error: wasmtime::Error| StartError::Engine {
            reason: format!("{error:#}"),
        };
        let pool = |pool: &PoolLimits| {
            let engine = engine::engine(pool, counts_instructions)?;
            Ok(Pool {
                linker: host_functions::linker(&engine)?,
                slots: Slots::new(
                    pool.instances as usize,
                    limits.department_share_percent,
                    limits.department_waiting_max,
                ),
                limits: pool.clone(),
                engine,
            })
        };
        let small = pool(&limits.small).map_err(engine_failed)?;
        let large = pool(&limits.large).map_err(engine_failed)?;
        let cache = cache
            .map(|folder| Cache::open(&folder).map_err(|source| StartError::Cache { folder, source }))
            .transpose()?;
        let encryption = Encryption::new(&authorities, names.unwrap_or_else(|| Arc::new(SystemNames)))?;
        let turns = limits.guest_threads.max(1);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(turns + THREADS_BESIDE_TURNS)
            .thread_name("trunkline-guest")
            .on_thread_start(priority::give_way)
            .enable_all()
            .build()
            .map_err(StartError::Threads)?;
        let ticker = Ticker::start(vec![small.engine.clone(), large.engine.clone()], limits.tick)
            .map_err(StartError::Threads)?;
        Ok(Arc::new(Self {
            inner: Arc::new(Inner {
                small,
                large,
                // Bounded by the sandboxes there are: who waits for a turn has one.
                turns: Slots::new(turns, 100, usize::MAX),
                counts_instructions,
                begun: Slots::new(turns, 100, 0),
                beginnings: Beginnings::new(turns),
                ticker,
                guests: runtime.handle().clone(),
                runtime: Some(runtime),
                key_values,
                encryption,
                secrets,
                cache,
                compiled: Mutex::default(),
                compiling: Arc::default(),
                shared: Mutex::default(),
                limits,
            }),
        }))
    }

    /// Loads a component as a plugin. A component that was loaded before and is still in use
    /// is not compiled again.
    ///
    /// # Errors
    /// Why it is refused, with what mends it.
    pub async fn load(
        self: &Arc<Self>,
        component: Arc<[u8]>,
        deployment: Deployment,
    ) -> Result<Plugin, LoadError> {
        let compiled = self.compiled(component).await?;
        let Deployment {
            name,
            department,
            config,
            mut grants,
        } = deployment;
        let wanted = wanted(&compiled, &name, &config)?;
        check_grants(&compiled, &name, wanted.as_ref(), &grants)?;
        if let Some(wanted) = &wanted {
            // What it does not want it does not get, whatever was granted.
            grants.secrets.retain(|name, _| wanted.secrets.contains_key(name));
        }
        let inner = self.inner.clone();
        let shared = inner.shared(&name);
        shared.begin_with(&grants.limits);
        let mut loaded = Arc::new(Loaded {
            department: inner.department(&department),
            share: inner.beginnings.share(&department),
            department_name: department.as_str().into(),
            meter: Arc::new(Meter::new(&name, &department, shared.usage.clone())),
            egress: Egress::new(
                &name,
                &grants,
                wanted,
                &inner.encryption,
                Lookups::of(&shared, &inner.guests),
            ),
            breaker: shared.breaker(compiled.digest, &inner.limits),
            called: Vec::new(),
            functions: HashMap::new(),
            name,
            config,
            grants,
            interface: compiled.interface.clone(),
            compiled,
            shared,
            host: inner,
        });
        described(&mut loaded).await?;
        let plugin = Plugin(loaded);
        for secret in plugin.secrets_without_value() {
            tracing::warn!(plugin = %plugin.name(), %secret, "a granted secret has no value on this server");
        }
        Ok(plugin)
    }

    /// What plugins may use together, held against the pools and the machine's memory.
    pub fn budget<'a>(&self, plugins: impl IntoIterator<Item = &'a Plugin>) -> Budget {
        let limits = &self.inner.limits;
        let mut budget = Budget::new(
            limits.small.instances,
            limits.large.instances,
            limits.memory_bytes.or_else(budget::machine_bytes),
        );
        for plugin in plugins {
            budget.add(&plugin.0);
        }
        budget
    }

    /// Keeps free what plugins reserve, for their departments, and nothing for others any more.
    pub fn reserve<'a>(&self, plugins: impl IntoIterator<Item = &'a Plugin> + Clone) {
        for size in [Size::Small, Size::Large] {
            let reserved = plugins
                .clone()
                .into_iter()
                .filter(|plugin| plugin.0.compiled.size == size)
                .map(|plugin| {
                    (
                        &*plugin.0.department_name,
                        plugin.0.grants.limits.reserve as usize,
                    )
                });
            self.inner.pool(size).slots.reserve(reserved);
        }
    }

    /// Reads a component without deploying it.
    ///
    /// # Errors
    /// Why it would be refused whatever it were granted.
    pub async fn inspect(self: &Arc<Self>, component: Arc<[u8]>) -> Result<Inspection, LoadError> {
        self.inspect_with(component, BTreeMap::new()).await
    }

    /// Reads a component as [`inspect`](Self::inspect) does, with settings, on which it may depend
    /// what a component that describes its functions itself offers.
    ///
    /// # Errors
    /// Why it would be refused whatever it were granted.
    pub async fn inspect_with(
        self: &Arc<Self>,
        component: Arc<[u8]>,
        config: BTreeMap<String, String>,
    ) -> Result<Inspection, LoadError> {
        let compiled = self.compiled(component).await?;
        let interface = if compiled.dynamic.is_some() {
            self.undeployed(compiled.clone(), config).await?.interface.clone()
        } else {
            compiled.interface.clone()
        };
        Ok(Inspection {
            interface,
            wants: compiled.wants.clone(),
            manifest: compiled.manifest.clone(),
            digest: compiled.digest,
            bytes: compiled.bytes,
            initial_memory: compiled.anatomy.initial_memory,
        })
    }

    /// A component as if it were deployed without grants, to be asked what it offers.
    async fn undeployed(
        &self,
        compiled: Arc<Compiled>,
        config: BTreeMap<String, String>,
    ) -> Result<Arc<Loaded>, LoadError> {
        let inner = self.inner.clone();
        let name: PluginName = "inspected".into();
        let grants = Grants {
            limits: Limits {
                memory: Bytes(compiled.pool_limits.memory_bytes_max as u64),
                ..Limits::default()
            },
            ..Grants::default()
        };
        let shared = Arc::new(Shared::new());
        shared.begin_with(&grants.limits);
        let mut loaded = Arc::new(Loaded {
            department: inner.department("inspected"),
            share: inner.beginnings.share("inspected"),
            department_name: "inspected".into(),
            meter: Arc::new(Meter::new(&name, "inspected", shared.usage.clone())),
            egress: Egress::new(
                &name,
                &grants,
                None,
                &inner.encryption,
                Lookups::of(&shared, &inner.guests),
            ),
            breaker: shared.breaker(compiled.digest, &inner.limits),
            called: Vec::new(),
            functions: HashMap::new(),
            name,
            config,
            grants,
            interface: compiled.interface.clone(),
            compiled,
            shared,
            host: inner,
        });
        described(&mut loaded).await?;
        Ok(loaded)
    }

    async fn compiled(&self, component: Arc<[u8]>) -> Result<Arc<Compiled>, LoadError> {
        let inner = self.inner.clone();
        let digest = Digest::of(&component);
        if let Some(known) = inner.known(digest) {
            return Ok(known);
        }
        let (anatomy, size, code) = inner
            .aside({
                let component = component.clone();
                move |inner| {
                    let anatomy = anatomy::anatomy(&component)?;
                    let size = compiled::size(&anatomy, &inner.limits);
                    let pool = inner.pool(size);
                    let code = compiled::cached(&component, digest, &anatomy, pool, inner.cache.as_ref())?;
                    Ok((anatomy, size, code))
                }
            })
            .await?;
        let (code, _one_at_a_time) = match code {
            Code::Ready(code) => (code, None),
            Code::Missing => {
                let (code, compiling) = inner.compile(component.clone(), digest, size).await?;
                // Held until the component is known, so that whoever waits finds it.
                (code, Some(compiling))
            }
        };
        let compiled = inner
            .aside(move |inner| compiled::read(&component, digest, anatomy, size, inner.pool(size), &code))
            .await?;
        let compiled = Arc::new(compiled);
        let mut known = inner.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, compiled| compiled.strong_count() > 0);
        known.insert(digest, Arc::downgrade(&compiled));
        Ok(compiled)
    }
}

impl Inner {
    pub(crate) const fn pool(&self, size: Size) -> &Pool {
        match size {
            Size::Small => &self.small,
            Size::Large => &self.large,
        }
    }

    /// Compiles a component, one after the other: each uses all cores.
    async fn compile(
        self: &Arc<Self>,
        component: Arc<[u8]>,
        digest: Digest,
        size: Size,
    ) -> Result<(Component, Compiling), LoadError> {
        let time = self.limits.compile_time;
        // Who waits for somebody else's component has waited as long as for its own.
        let one_at_a_time = tokio::time::timeout(time.to_std(), self.compiling.clone().lock_owned())
            .await
            .map_err(|_| LoadError::Compile {
                reason: "another component has kept the compiler all the time".to_owned(),
            })?;
        if let Some(known) = self.known(digest) {
            return Ok((known.pre.component().clone(), one_at_a_time));
        }
        if compiler::is_apart() {
            let code = compiler::compile(
                &component,
                &self.pool(size).limits,
                &self.limits,
                self.counts_instructions,
            )
            .await?;
            let taken = self.aside(move |inner| {
                compiled::take_code(&component, &code, digest, inner.pool(size), inner.cache.as_ref())
            });
            return Ok((taken.await?, one_at_a_time));
        }
        let compiling = self.aside(move |inner| {
            // Held until it is done, even if nobody waits for it any more.
            let made = compiled::compile_here(&component, digest, inner.pool(size), inner.cache.as_ref())?;
            Ok((made, one_at_a_time))
        });
        tokio::time::timeout(time.to_std(), compiling)
            .await
            .map_err(|_| compiler::too_slow(time))?
    }

    /// Does what takes long on a thread for such things.
    pub(crate) async fn aside<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, LoadError> + Send + 'static,
    ) -> Result<T, LoadError> {
        let inner = self.clone();
        self.guests
            .spawn_blocking(move || work(&inner))
            .await
            // A panic of the compiler is a bug in it, and no reason for us to end.
            .unwrap_or_else(|error| {
                Err(LoadError::Compile {
                    reason: error.to_string(),
                })
            })
    }

    fn known(&self, digest: Digest) -> Option<Arc<Compiled>> {
        self.compiled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&digest)?
            .upgrade()
    }

    fn department(&self, name: &str) -> Department {
        Department {
            small: self.small.slots.party(name),
            large: self.large.slots.party(name),
            turns: self.turns.party(name),
            begun: self.begun.party(name),
        }
    }

    fn shared(&self, name: &PluginName) -> Arc<Shared> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = shared.get(name).and_then(Weak::upgrade) {
            return known;
        }
        shared.retain(|_, shared| shared.strong_count() > 0);
        let new = Arc::new(Shared::new());
        shared.insert(name.clone(), Arc::downgrade(&new));
        new
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Whoever drops the host may be a task, which must not wait for threads to end.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Department {
    pub(crate) const fn in_pool(self, size: Size) -> Party {
        match size {
            Size::Small => self.small,
            Size::Large => self.large,
        }
    }
}

/// Asks a component what it offers beside what it exports, and indexes all of it.
async fn described(loaded: &mut Arc<Loaded>) -> Result<(), LoadError> {
    let claims = match &loaded.compiled.dynamic {
        Some(_) => Some(dynamic::claims(loaded).await?),
        None => None,
    };
    let plugin = loaded.name.clone();
    // The guest that was asked is gone; whatever of it were left would be an error of ours.
    let loaded = Arc::get_mut(loaded).ok_or_else(|| LoadError::Undescribed {
        plugin,
        reason: "its sandbox did not end".to_owned(),
    })?;
    match claims {
        Some(claims) => loaded.claim(claims),
        None => loaded.index(),
    }
    Ok(())
}

/// What a manifest wants, with the deployment's settings in it.
fn wanted(
    compiled: &Compiled,
    name: &PluginName,
    settings: &BTreeMap<String, String>,
) -> Result<Option<Grants>, LoadError> {
    let Some(manifest) = &compiled.manifest else {
        return Ok(None);
    };
    missing::settled(&manifest.wants, settings)
        .map(Some)
        .map_err(|source| LoadError::Want {
            plugin: name.clone(),
            source,
        })
}

/// Wants within grants, and limits that can work.
fn check_grants(
    compiled: &Compiled,
    name: &PluginName,
    wanted: Option<&Grants>,
    grants: &Grants,
) -> Result<(), LoadError> {
    let http = grants.http.iter().filter(|grant| grant.is_unsettled());
    let secrets = grants.secrets.values().filter(|place| place.target().is_none());
    let unsettled = http
        .map(ToString::to_string)
        .chain(secrets.map(ToString::to_string))
        .next();
    if let Some(written) = unsettled {
        return Err(LoadError::UnsettledGrant {
            plugin: name.clone(),
            written,
        });
    }
    let missing = match wanted {
        Some(wanted) => Missing::of_manifest(name, wanted, grants),
        None => Missing::of_imports(name, &compiled.wants, grants),
    };
    if let Some(missing) = missing {
        return Err(LoadError::NotGranted(Box::new(missing)));
    }
    grants.limits.check().map_err(|reason| LoadError::Limits {
        plugin: name.clone(),
        reason,
    })?;
    let (limit, initial) = (grants.limits.memory, compiled.anatomy.initial_memory);
    if limit.0 > compiled.pool_limits.memory_bytes_max as u64 {
        return Err(LoadError::Limits {
            plugin: name.clone(),
            reason: format!(
                "`memory` is {limit}, and a sandbox has at most {}",
                Bytes(compiled.pool_limits.memory_bytes_max as u64)
            ),
        });
    }
    if initial > limit.0 {
        return Err(LoadError::MemoryLimit {
            plugin: name.clone(),
            initial: Bytes(initial),
            limit,
        });
    }
    Ok(())
}
