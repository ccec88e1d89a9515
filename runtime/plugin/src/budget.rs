//! What the plugins of a release may use together, held against what there is: sandboxes of
//! each pool, and memory of the machine.
//!
//! What is reserved must fit, or the release cannot keep its word; what may be used at most
//! need not, since plugins seldom all do, but an operator should know.

use std::fmt;

use crate::{Bytes, compiled::Size, plugin::Loaded};

/// What plugins may use together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    pools: [PoolBudget; 2],
    /// Bytes of memory of the machine, if they could be told.
    machine: Option<u64>,
}

/// What there is of one pool, and who asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PoolBudget {
    name: &'static str,
    instances: u32,
    demands: Vec<Demand>,
}

/// What one plugin asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Demand {
    plugin: String,
    reserve: u32,
    concurrent: u32,
    memory: u64,
}

/// Why plugins do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverBudget {
    /// More sandboxes are reserved than there are.
    #[error(
        "the plugins reserve {reserved} sandboxes of the {pool} pool, which has {instances}: {terms}; lower \
         `reserve` of one of them (grants.yaml: `{largest}: limits: {{ reserve: 0 }}`)"
    )]
    Sandboxes {
        /// The pool: `small` or `large`.
        pool: &'static str,
        /// What is reserved in all.
        reserved: u64,
        /// What there is.
        instances: u32,
        /// How that comes about.
        terms: String,
        /// Who reserves most.
        largest: String,
    },
    /// What is reserved may need more memory than the machine has.
    #[error(
        "the sandboxes that the plugins reserve may take {reserved} of memory, and the machine has {machine}: \
         {terms}; lower `reserve` or `memory` of one of them (grants.yaml: `{largest}: limits: {{ reserve: 0 }}`)"
    )]
    Memory {
        /// What is reserved in all.
        reserved: Bytes,
        /// What there is.
        machine: Bytes,
        /// How that comes about.
        terms: String,
        /// Who reserves most.
        largest: String,
    },
}

impl OverBudget {
    /// The plugin that reserves most.
    pub fn largest(&self) -> &str {
        match self {
            Self::Sandboxes { largest, .. } | Self::Memory { largest, .. } => largest,
        }
    }
}

/// Plugins that may use more memory at once than the machine has, if all do their most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overcommitted {
    /// What they may use.
    pub most: Bytes,
    /// What there is.
    pub machine: Bytes,
    /// How that comes about.
    pub terms: String,
    /// Who may use most.
    pub largest: String,
}

impl fmt::Display for Overcommitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            most,
            machine,
            terms,
            largest,
        } = self;
        write!(
            f,
            "the plugins may take {most} of memory at once, and the machine has {machine}: {terms}; lower \
             `concurrent` or `memory` (grants.yaml: `{largest}: limits: {{ concurrent: … }}`)"
        )
    }
}

/// Terms of a sum that are written out; the rest is counted.
const TERMS_TOLD_MAX: usize = 8;

impl Budget {
    pub(crate) fn new(small: u32, large: u32, machine: Option<u64>) -> Self {
        let pool = |name, instances| PoolBudget {
            name,
            instances,
            demands: Vec::new(),
        };
        Self {
            pools: [pool("small", small), pool("large", large)],
            machine,
        }
    }

    pub(crate) fn add(&mut self, plugin: &Loaded) {
        let limits = &plugin.grants.limits;
        let pool = match plugin.compiled.size {
            Size::Small => &mut self.pools[0],
            Size::Large => &mut self.pools[1],
        };
        pool.demands.push(Demand {
            plugin: plugin.name.to_string(),
            reserve: limits.reserve,
            concurrent: limits.concurrent,
            memory: limits.memory.0,
        });
    }

    /// Whether what is reserved can be kept.
    ///
    /// # Errors
    /// It cannot; the sentence shows the sum.
    pub fn check(&self) -> Result<(), OverBudget> {
        for pool in &self.pools {
            let reserved: u64 = pool.demands.iter().map(|demand| u64::from(demand.reserve)).sum();
            if reserved > u64::from(pool.instances) {
                let mut terms: Vec<_> = pool
                    .demands
                    .iter()
                    .map(|demand| (u64::from(demand.reserve), demand))
                    .collect();
                return Err(OverBudget::Sandboxes {
                    pool: pool.name,
                    reserved,
                    instances: pool.instances,
                    largest: largest(&mut terms),
                    terms: told(&terms, |demand| format!("{} {}", demand.plugin, demand.reserve)),
                });
            }
        }
        let mut terms: Vec<_> = self
            .demands()
            .map(|demand| (u64::from(demand.reserve).saturating_mul(demand.memory), demand))
            .collect();
        let reserved = terms
            .iter()
            .fold(0_u64, |sum, (bytes, _)| sum.saturating_add(*bytes));
        match self.machine {
            Some(machine) if reserved > machine => Err(OverBudget::Memory {
                reserved: Bytes(reserved),
                machine: Bytes(machine),
                largest: largest(&mut terms),
                terms: told(&terms, |demand| {
                    format!("{} {} x {}", demand.plugin, demand.reserve, Bytes(demand.memory))
                }),
            }),
            _ => Ok(()),
        }
    }

    /// Whether the plugins may use more memory than there is, if all do their most at once. A
    /// pool bounds it: those with the most memory are taken to fill it first.
    pub fn overcommitted(&self) -> Option<Overcommitted> {
        let machine = self.machine?;
        let mut terms = Vec::new();
        for pool in &self.pools {
            let mut demands: Vec<_> = pool.demands.iter().collect();
            demands.sort_by_key(|demand| std::cmp::Reverse(demand.memory));
            let mut left = pool.instances;
            for demand in demands {
                let calls = demand.concurrent.min(left);
                left -= calls;
                if calls > 0 {
                    terms.push((
                        u64::from(calls).saturating_mul(demand.memory),
                        Demand {
                            concurrent: calls,
                            ..demand.clone()
                        },
                    ));
                }
            }
        }
        let most = terms
            .iter()
            .fold(0_u64, |sum, (bytes, _)| sum.saturating_add(*bytes));
        if most <= machine {
            return None;
        }
        let mut terms: Vec<_> = terms.iter().map(|(bytes, demand)| (*bytes, demand)).collect();
        Some(Overcommitted {
            most: Bytes(most),
            machine: Bytes(machine),
            largest: largest(&mut terms),
            terms: told(&terms, |demand| {
                format!(
                    "{} {} x {}",
                    demand.plugin,
                    demand.concurrent,
                    Bytes(demand.memory)
                )
            }),
        })
    }

    fn demands(&self) -> impl Iterator<Item = &Demand> {
        self.pools.iter().flat_map(|pool| &pool.demands)
    }
}

/// Sorts terms, the largest first, and names that one's plugin.
fn largest(terms: &mut [(u64, &Demand)]) -> String {
    terms.sort_by_key(|(amount, _)| std::cmp::Reverse(*amount));
    terms
        .first()
        .map(|(_, demand)| demand.plugin.clone())
        .unwrap_or_default()
}

/// A sum as people write it, the largest terms first.
fn told(terms: &[(u64, &Demand)], term: impl Fn(&Demand) -> String) -> String {
    let counted: Vec<_> = terms.iter().filter(|(amount, _)| *amount > 0).collect();
    let mut told: Vec<_> = counted
        .iter()
        .take(TERMS_TOLD_MAX)
        .map(|(_, demand)| term(demand))
        .collect();
    if counted.len() > TERMS_TOLD_MAX {
        told.push(format!("{} more", counted.len() - TERMS_TOLD_MAX));
    }
    told.join(" + ")
}

/// Bytes of memory that this process may use, as far as Linux tells: the machine's, or what its
/// control group allows.
pub(crate) fn machine_bytes() -> Option<u64> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").ok();
    let machine = meminfo.as_deref().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes << 10)
    });
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    // To whole MiB, as people tell it.
    [machine, group]
        .into_iter()
        .flatten()
        .min()
        .map(|bytes| bytes & !0xf_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(plugin: &str, reserve: u32, concurrent: u32, memory_mib: u64) -> Demand {
        Demand {
            plugin: plugin.to_owned(),
            reserve,
            concurrent,
            memory: memory_mib << 20,
        }
    }

    fn budget(small: Vec<Demand>, large: Vec<Demand>) -> Budget {
        let mut budget = Budget::new(256, 32, Some(8 << 30));
        budget.pools[0].demands = small;
        budget.pools[1].demands = large;
        budget
    }

    #[test]
    fn what_is_reserved_must_fit_into_its_pool() {
        let fits = budget(
            vec![demand("crm", 40, 64, 32)],
            vec![demand("matter", 32, 64, 64)],
        );
        assert_eq!(fits.check(), Ok(()));
        let over = budget(
            vec![demand("crm", 40, 64, 32)],
            vec![
                demand("matter", 20, 64, 64),
                demand("mood", 13, 64, 64),
                demand("idle", 0, 64, 64),
            ],
        );
        assert_eq!(
            over.check().unwrap_err().to_string(),
            "the plugins reserve 33 sandboxes of the large pool, which has 32: matter 20 + mood 13; lower \
             `reserve` of one of them (grants.yaml: `matter: limits: { reserve: 0 }`)"
        );
    }

    #[test]
    fn what_is_reserved_must_fit_into_memory() {
        let over = budget(
            vec![demand("crm", 1, 64, 32)],
            vec![demand("matter", 10, 64, 1024)],
        );
        let said = over.check().unwrap_err().to_string();
        assert!(
            said.contains("matter 10 x 1GiB + crm 1 x 32MiB") && said.contains("the machine has 8GiB"),
            "{said}"
        );
    }

    #[test]
    fn what_may_be_used_at_most_is_bounded_by_the_pools() {
        // 64 x 64 MiB = 4 GiB and 192 of 400 x 16 MiB = 3 GiB: within.
        let within = budget(vec![demand("crm", 1, 64, 64), demand("feed", 1, 400, 16)], vec![]);
        assert_eq!(within.overcommitted(), None);
        let over = budget(
            vec![demand("crm", 1, 64, 64), demand("feed", 1, 400, 16)],
            vec![demand("matter", 1, 64, 64)],
        );
        let over = over.overcommitted().unwrap();
        assert_eq!(over.most, Bytes(9 << 30));
        assert_eq!(
            over.to_string(),
            "the plugins may take 9GiB of memory at once, and the machine has 8GiB: crm 64 x 64MiB + \
             feed 192 x 16MiB + matter 32 x 64MiB; lower `concurrent` or `memory` (grants.yaml: \
             `crm: limits: { concurrent: … }`)"
        );
    }

    #[test]
    fn this_machine_has_memory() {
        assert!(machine_bytes().is_none_or(|bytes| bytes > 64 << 20));
    }
}
