//! moto's server and MiniStack for tests: installed once into a pinned environment under target/,
//! started on a free port of this machine, stopped when they are dropped.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The account that both emulators play.
pub(crate) const ACCOUNT: &str = "633607774026";

/// The region that both emulators are asked in.
pub(crate) const REGION: &str = "us-east-2";

/// What is installed, to the last version.
const REQUIREMENTS: &str = include_str!("requirements.txt");

/// How long a server may take to answer its first request: a loaded machine needs most of it.
const START: Duration = Duration::from_secs(90);

// Every test binary uses another part of this file; named here, no part counts as unused in any.
const _: () = {
    let _ = (
        Server::moto,
        Server::ministack,
        Server::network,
        Server::command,
        Server::url,
        python,
        ACCOUNT,
    );
};

/// `target/`, beside which nothing is written.
fn target() -> PathBuf {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    temporary.parent().unwrap_or(temporary).to_owned()
}

/// A program of the environment, which is installed where it is not there yet. The error is the
/// reason why there are no emulators here: the caller reports itself skipped with it.
pub(crate) fn python(program: &str) -> Result<PathBuf, String> {
    let home = target().join("emulators");
    let lock = File::create(target().join("emulators.lock")).map_err(|error| error.to_string())?;
    // Test binaries run side by side: the first installs, the others wait.
    lock.lock().map_err(|error| error.to_string())?;
    let mark = home.join("installed.txt");
    if fs::read_to_string(&mark).ok().as_deref() != Some(REQUIREMENTS) {
        install(&home)?;
        fs::write(&mark, REQUIREMENTS).map_err(|error| error.to_string())?;
    }
    Ok(home.join("bin").join(program))
}

fn install(home: &Path) -> Result<(), String> {
    if home.exists() {
        fs::remove_dir_all(home).map_err(|error| error.to_string())?;
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(home))?;
    let list = home.join("requirements.txt");
    fs::write(&list, REQUIREMENTS).map_err(|error| error.to_string())?;
    let mut pip = Command::new(home.join("bin/pip"));
    pip.args([
        "install",
        "--quiet",
        "--no-deps",
        "--disable-pip-version-check",
        "--requirement",
    ]);
    run(pip.arg(&list))
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{name} does not run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "{name} failed: {}",
        said.lines().last().unwrap_or_default()
    ))
}

/// A running emulator.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// moto's server with AWS's managed policies.
    pub(crate) fn moto() -> Result<Self, String> {
        Self::start("moto_server", |command, port| {
            command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
            command
                .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
                .env("MOTO_ACCOUNT_ID", ACCOUNT);
        })
    }

    /// MiniStack.
    pub(crate) fn ministack() -> Result<Self, String> {
        Self::start("ministack", |command, port| {
            command
                .env("GATEWAY_PORT", port.to_string())
                .env("BIND_HOST", "127.0.0.1");
            command
                .env("MINISTACK_ACCOUNT_ID", ACCOUNT)
                .env("MINISTACK_REGION", REGION);
        })
    }

    fn start(program: &str, prepare: impl Fn(&mut Command, u16)) -> Result<Self, String> {
        let path = python(program)?;
        let logs = target().join("emulators-logs");
        fs::create_dir_all(&logs).map_err(|error| error.to_string())?;
        let mut last = String::new();
        // A port that was free may be taken by the time the server binds it.
        for _ in 0..3 {
            let port = free_port()?;
            let log = File::create(logs.join(format!("{program}-{port}.log")))
                .map_err(|error| error.to_string())?;
            let error_log = log.try_clone().map_err(|error| error.to_string())?;
            let mut command = Command::new(&path);
            prepare(&mut command, port);
            command.stdin(Stdio::null()).stdout(log).stderr(error_log);
            let child = command
                .spawn()
                .map_err(|error| format!("{program} does not start: {error}"))?;
            let mut server = Self { child, port };
            match server.wait() {
                Ok(()) => return Ok(server),
                Err(reason) => last = format!("{program}: {reason}"),
            }
        }
        Err(last)
    }

    /// Waits for the first answer.
    #[expect(
        clippy::disallowed_methods,
        reason = "a process outside is waited for: no clock of ours is its"
    )]
    fn wait(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < START {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("ended with {status}"));
            }
            if answers(self.port) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err("did not answer in time".to_owned())
    }

    /// The endpoint: `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A program of the environment (`aws`, `python`) that is set up to ask this server.
    pub(crate) fn command(&self, program: &str) -> Result<Command, String> {
        let mut command = Command::new(python(program)?);
        command
            .env("AWS_ENDPOINT_URL", self.url())
            .env("AWS_REGION", REGION)
            .env("AWS_DEFAULT_REGION", REGION);
        command
            .env("AWS_ACCESS_KEY_ID", "AKIASANDBOXSANDBOX00")
            .env("AWS_SECRET_ACCESS_KEY", "none");
        command
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_PAGER", "");
        Ok(command)
    }

    /// A subnet and a security group that exist here: moto's `CreateService` wants both.
    pub(crate) fn network(&self) -> Result<(String, String), String> {
        let subnet = self.ask("describe-subnets", "Subnets[0].SubnetId")?;
        Ok((
            subnet,
            self.ask("describe-security-groups", "SecurityGroups[0].GroupId")?,
        ))
    }

    /// One value of EC2's, through the AWS CLI.
    fn ask(&self, operation: &str, query: &str) -> Result<String, String> {
        let mut aws = self.command("aws")?;
        aws.args(["ec2", operation, "--query", query, "--output", "text"]);
        let output = aws.output().map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16, String> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
    listener
        .local_addr()
        .map(|address| address.port())
        .map_err(|error| error.to_string())
}

/// Whether something speaks HTTP there.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let asked = stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut head = [0; 5];
    asked.is_ok() && stream.read_exact(&mut head).is_ok() && &head == b"HTTP/"
}
