//! `trunkline plugin dev`: what is saved is built, tested and live.

mod live;
mod sources;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use tokio::time::Instant;
use trunkline_package::project::Project;

use self::{
    live::{Live, Server},
    sources::Sources,
};
use super::{build, inspect, test, wants};
use crate::{
    exit::{Exit, Failure, Outcome},
    files, place,
    plugins::Plugins,
    serve::Goodbye,
};

/// Inputs made up for each function after a build: enough to notice, few enough not to wait for.
const FUZZ_DEFAULT: u32 = 30;

/// Build a plugin whenever its source is saved, and swap it into a hotline
///
/// The component is put into the hotline's folder. A server that watches the folder (`trunkline serve HOTLINE
/// --watch`) has it live at once: callers finish on the version they began with, new ones get the new. So does a
/// `trunkline dial HOTLINE NUMBER` that runs: its next call of the plugin goes to it. What does not build, is refused or no longer fits the
/// flows is told and changes nothing. It runs until ctrl-C.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    trunkline plugin dev --hotline flows/city-hotline\n  \
    trunkline plugin dev plugins/crm-lookup --hotline flows/city-hotline --name crm\n  \
    trunkline plugin dev --hotline flows/city-hotline --server http://127.0.0.1:9000 --no-test")]
pub(crate) struct Dev {
    /// The plugin's folder
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// The hotline's folder
    #[arg(long, value_name = "FOLDER")]
    hotline: PathBuf,
    /// What the hotline calls the plugin [default: the plugin's own name]
    #[arg(long)]
    name: Option<String>,
    /// The server that watches the hotline's folder, if there is one
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:8080",
        env = "TRUNKLINE_SERVER"
    )]
    server: String,
    /// The server's operator key
    #[arg(long, value_name = "KEY", env = "TRUNKLINE_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Do not run the plugin's tests after each build
    #[arg(long)]
    no_test: bool,
    /// How many inputs to make up for each function after a build
    #[arg(long, value_name = "N", default_value_t = FUZZ_DEFAULT)]
    fuzz: u32,
}

/// What a plugin is swapped into.
struct Around {
    hotline: PathBuf,
    server: Server,
    plugins: Plugins,
}

impl Dev {
    /// Runs the command.
    pub(crate) async fn run(&self) -> Outcome {
        let hotline = place::hotline(&self.hotline)?;
        // What is wrong with the command line is told once, and not again and again.
        Project::read(&self.folder).map_err(|error| Failure::usage(anyhow!(error)))?;
        let mut goodbye = Goodbye::listen()?;
        let around = Around {
            hotline,
            server: Server::at(&self.server, self.api_key.clone())?,
            plugins: Plugins::default(),
        };
        let dim = anstyle::Style::new().dimmed();
        loop {
            let project = Project::read(&self.folder).ok();
            let component = project.map(|project| self.folder.join(project.build.component));
            let mut sources = Sources::of(&self.folder, component.as_deref());
            tokio::select! {
                () = self.round(&around, &mut sources) => {}
                () = goodbye.comes() => return Ok(Exit::Done),
            }
            if !sources.differ() {
                anstream::println!(
                    "{dim}waiting for {} to change; ctrl-C ends{dim:#}\n",
                    self.folder.display()
                );
            }
            tokio::select! {
                () = sources.changed() => {}
                () = goodbye.comes() => return Ok(Exit::Done),
            }
        }
    }

    /// One build and what comes of it. Whatever fails is told: the next save may mend it.
    async fn round(&self, around: &Around, sources: &mut Sources) {
        let round = async {
            self.build_and_swap(around, sources).await?;
            if self.no_test {
                return Ok(());
            }
            tokio::select! {
                tested = self.test() => tested,
                // What is tested is not what counts any more. Dropping the tests stops the call under way.
                () = sources.changed() => {
                    anstream::println!("something was saved: these tests are given up");
                    Ok(())
                }
            }
        };
        if let Err(Failure { error, .. }) = round.await {
            let red = anstyle::AnsiColor::Red.on_default().bold();
            anstream::eprintln!("{red}error{red:#}: {error:#}");
        }
    }

    async fn test(&self) -> Result<(), Failure> {
        let project = Project::read(&self.folder).map_err(|error| Failure::usage(anyhow!(error)))?;
        let component = build::place_of(&self.folder, &project);
        test::Test::after_build(&self.folder, component, self.fuzz)
            .run()
            .await?;
        Ok(())
    }

    async fn build_and_swap(&self, around: &Around, sources: &mut Sources) -> Result<(), Failure> {
        let project = Project::read(&self.folder).map_err(|error| Failure::usage(anyhow!(error)))?;
        let began = Instant::now();
        let bytes = build::component(&self.folder, &project).await?;
        let built = Instant::now();
        sources.add_made();
        let name = self.name.as_deref().unwrap_or(project.manifest.name.as_str());
        let told = inspect::tell(bytes.clone().into()).await?;
        build::check_wants(&project, &told.contents)?;
        let inspection = told
            .loaded
            .map_err(|error| Failure::from(anyhow!("it is built, and no server would take it: {error}")))?;
        // The last part of a build: to machine code, which a server of this machine takes from the cache.
        let ended = Instant::now();
        anstream::println!(
            "built {} {} in {:.1}s, {:.1}s of it for this machine: {}",
            project.manifest.name,
            project.manifest.version,
            (ended - began).as_secs_f64(),
            (ended - built).as_secs_f64(),
            inspection.digest
        );
        self.swap(around, &project, name, &bytes, ended).await
    }

    /// Puts the component into the hotline's folder and says what became of it.
    async fn swap(
        &self,
        around: &Around,
        project: &Project,
        name: &str,
        bytes: &[u8],
        ended: Instant,
    ) -> Result<(), Failure> {
        let Around {
            hotline,
            server,
            plugins,
        } = around;
        let Some(component) = inspect::find_component(hotline, name)? else {
            let department = &project.manifest.department;
            let file = format!("plugins/{name}.wasm");
            files::put(&hotline.join(&file), bytes)?;
            anstream::println!(
                "the hotline has no plugin `{name}` yet; {file} is in place: add to hotline.yaml, under `plugins:`\n\n  \
                 {name}: {{ component: {file}, department: {department} }}\n\nand to grants.yaml\n\n{}",
                wants::entry(name, &project.manifest.wants)
            );
            return Ok(());
        };
        let place = hotline.join(&component);
        if std::fs::read(&place).is_ok_and(|there| there == bytes) {
            anstream::println!("{component} is the same component already");
            return Ok(());
        }
        let before = server.last_build().await;
        files::put(&place, bytes)?;
        match before {
            Live::Reached(before) => server.tell_next_build(before, ended, hotline).await,
            Live::Unreachable => {
                anstream::println!(
                    "{component} is in place; no server answers at {}: `trunkline dial {}` has it, also one that runs",
                    server.base(),
                    self.hotline.display()
                );
                self.tell_flows(hotline, plugins, ended).await
            }
            Live::Refused(error) => {
                let yellow = anstyle::AnsiColor::Yellow.on_default().bold();
                anstream::eprintln!(
                    "{yellow}warning{yellow:#}: {component} is in place, and the server at {} does not say what became \
                     of it: {error}",
                    server.base()
                );
                Ok(())
            }
        }
    }

    /// Says whether the hotline's flows still fit.
    async fn tell_flows(&self, hotline: &Path, plugins: &Plugins, ended: Instant) -> Result<(), Failure> {
        let sources = trunkline_node::read_folder(hotline).map_err(|error| Failure::from(anyhow!(error)))?;
        let (_, findings) = plugins.look(hotline, &sources).await?;
        let errors = findings
            .iter()
            .filter(|finding| finding.severity == trunkline_flow::Severity::Error)
            .count();
        if errors == 0 {
            anstream::println!(
                "the flows check, {} ms after the build",
                ended.elapsed().as_millis()
            );
            return Ok(());
        }
        let color = trunkline_flow::diagnostics::Color::Always;
        anstream::eprint!(
            "{}",
            trunkline_flow::diagnostics::render_in(&findings, &sources, color, crate::tongue::tongue())
        );
        Err(Failure::from(anyhow!(
            "the flows do not fit the component any more; {errors} to mend"
        )))
    }
}
