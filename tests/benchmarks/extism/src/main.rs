//! Extism doing the step of the benchmark `plugin-costs`, measured by itself.
//!
//! `extism-peer fresh|again`: each line of standard input is `MILLISECONDS CALLS-MIN JSON`; the
//! answer is a line with the last card, a tab, and the nanoseconds of each call made meanwhile.

use std::{
    io::{BufRead as _, Write as _},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use extism::{CompiledPlugin, Function, Manifest, Plugin, PluginBuilder, UserData, ValType, Wasm};

fn main() -> Result<()> {
    let again = match std::env::args().nth(1).as_deref() {
        Some("again") => true,
        Some("fresh") => false,
        _ => bail!("usage: extism-peer fresh|again"),
    };
    let compiled = compile(&guest()?)?;
    let mut kept = Plugin::new_from_compiled(&compiled)?;
    let mut stdout = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut parts = line.splitn(3, ' ');
        let mut part = || parts.next().context("a line is MILLISECONDS CALLS-MIN JSON");
        let round = Duration::from_millis(part()?.parse()?);
        let calls_min: usize = part()?.parse()?;
        let input = part()?;
        let end = Instant::now() + round;
        let mut times = Vec::new();
        let mut answer = String::new();
        while times.len() < calls_min || Instant::now() < end {
            let start = Instant::now();
            answer = if again {
                kept.call::<&str, &str>("read", input)?.to_owned()
            } else {
                Plugin::new_from_compiled(&compiled)?
                    .call::<&str, &str>("read", input)?
                    .to_owned()
            };
            times.push(start.elapsed().as_nanos().to_string());
        }
        writeln!(stdout, "{answer}\t{}", times.join(" "))?;
        stdout.flush()?;
    }
    Ok(())
}

/// The guest, built from source.
fn guest() -> Result<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest");
    let status = Command::new("cargo")
        .args(["build", "--quiet", "--release"])
        .current_dir(&folder)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTFLAGS")
        .status()?;
    if !status.success() {
        bail!("the guest in {} does not build", folder.display());
    }
    let file = folder.join("target/wasm32-wasip2/release/extism_guest.wasm");
    std::fs::read(&file).with_context(|| format!("failed to read {}", file.display()))
}

fn compile(guest: &[u8]) -> Result<CompiledPlugin> {
    let manifest = Manifest::new([Wasm::data(guest)]);
    PluginBuilder::new(manifest)
        .with_functions(stubs(guest)?)
        .compile()
}

/// Rust's standard library for this target imports WASI 0.2, which Extism does not have; the step
/// never calls it.
fn stubs(guest: &[u8]) -> Result<Vec<Function>> {
    let module = wasmtime::Module::new(&wasmtime::Engine::default(), guest)?;
    let mut stubs = Vec::new();
    for import in module.imports().filter(|import| import.module().starts_with("wasi:")) {
        let Some(ty) = import.ty().func().cloned() else {
            bail!("the guest imports {} that is no function", import.name());
        };
        let types = |types: &mut dyn Iterator<Item = wasmtime::ValType>| {
            types.map(value_type).collect::<Result<Vec<_>>>()
        };
        let stub = Function::new(
            import.name(),
            types(&mut ty.params())?,
            types(&mut ty.results())?,
            UserData::new(()),
            |_, _, _, _| bail!("the step does not call WASI"),
        );
        stubs.push(stub.with_namespace(import.module()));
    }
    Ok(stubs)
}

fn value_type(ty: wasmtime::ValType) -> Result<ValType> {
    Ok(match ty {
        wasmtime::ValType::I32 => ValType::I32,
        wasmtime::ValType::I64 => ValType::I64,
        other => bail!("the guest imports a function of {other}"),
    })
}
