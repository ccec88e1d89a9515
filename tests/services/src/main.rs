//! `city-services`: the register and the feeds, with the data of the demo, until it is
//! stopped.

use std::{fs, net::SocketAddr, path::PathBuf};

use anyhow::Context;
use city_services::{Service, crm, feed, roads};
use clap::Parser;
use tokio::net::TcpListener;

/// Small real services of a city's departments: a citizens' register and feeds of notices.
#[derive(Parser)]
#[command(name = "city-services", version)]
struct Arguments {
    /// Where the citizens' register listens.
    #[arg(long, default_value = "127.0.0.1:7001", value_name = "ADDRESS")]
    crm: SocketAddr,
    /// Where the feed of notices listens.
    #[arg(long, default_value = "127.0.0.1:7002", value_name = "ADDRESS")]
    feed: SocketAddr,
    /// Where the feed of road works listens; without it there is none.
    #[arg(long, value_name = "ADDRESS")]
    roads: Option<SocketAddr>,
    /// A JSON array of citizens instead of the demo's.
    #[arg(long, value_name = "FILE")]
    citizens: Option<PathBuf>,
    /// A feed in JSON instead of the demo's.
    #[arg(long, value_name = "FILE")]
    notices: Option<PathBuf>,
    /// A feed of road works in JSON instead of the demo's.
    #[arg(long, value_name = "FILE", requires = "roads")]
    road_works: Option<PathBuf>,
    /// Logs every request to stderr.
    #[arg(long)]
    verbose: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let level = if arguments.verbose {
        tracing::Level::INFO
    } else {
        tracing::Level::WARN
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .init();

    let register = match &arguments.citizens {
        Some(file) => crm::Register::read(&read(file)?).with_context(|| file.display().to_string())?,
        None => crm::Register::seed(),
    };
    let notices = match &arguments.notices {
        Some(file) => feed::Feed::read(&read(file)?).with_context(|| file.display().to_string())?,
        None => feed::Feed::seed(),
    };
    let works = match &arguments.road_works {
        Some(file) => roads::Roads::read(&read(file)?).with_context(|| file.display().to_string())?,
        None => roads::Roads::seed(),
    };
    let crm = crm::serve(listen(arguments.crm).await?, register)?;
    let feed = feed::serve(
        listen(arguments.feed).await?,
        feed::Publication::new(&notices).with_subscribers(),
    )?;
    announce("crm", &crm);
    announce("feed", &feed);
    let roads = match arguments.roads {
        Some(address) => Some(roads::serve(
            listen(address).await?,
            feed::Publication::new(&works),
        )?),
        None => None,
    };
    if let Some(roads) = &roads {
        announce("roads", roads);
    }
    let roads = async {
        match roads {
            Some(roads) => roads.run().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = crm.run() => anyhow::bail!("the register stopped by itself"),
        () = feed.run() => anyhow::bail!("the feed stopped by itself"),
        () = roads => anyhow::bail!("the feed of road works stopped by itself"),
        // Nothing is kept: to stop is to be gone.
        stopped = tokio::signal::ctrl_c() => stopped.context("failed to wait for Ctrl-C"),
    }
}

#[expect(
    clippy::print_stdout,
    reason = "who starts the services reads where they listen"
)]
fn announce(name: &str, service: &Service) {
    println!("{name} {}", service.url());
}

fn read(file: &PathBuf) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("failed to listen on {address}: is something else there?"))
}
