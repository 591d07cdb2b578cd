//! The program under measurement: run as an operator would, watched through `/proc`.

use crate::client::Client;
use crate::engine::Database;
use anyhow::{Context as _, Result, anyhow, bail};
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The key of the administrator of every installation made here; they live as long as the bench.
pub const KEY: &str = "BenchAdminKey0123456789abcdefghijklmnopq";

const READY: &str = "PISAX is ready at ";
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder, a database and the program that uses them.
pub struct Installation {
    binary: PathBuf,
    folder: PathBuf,
    database: Database,
    knowledge: Option<PathBuf>,
}

impl Installation {
    /// Nothing is made before the program first runs.
    pub fn new(binary: &Path, folder: &Path, database: Database, knowledge: Option<&Path>) -> Self {
        let (binary, folder) = (binary.to_owned(), folder.to_owned());
        Self { binary, folder, database, knowledge: knowledge.map(Path::to_owned) }
    }

    /// Where its rows are.
    pub fn database(&self) -> &Database {
        &self.database
    }

    fn command(&self, words: &[&OsStr]) -> Result<Command> {
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PISAX_"))
        {
            command.env_remove(name);
        }
        let none = self.folder.join("no-knowledge");
        command
            .args(words)
            .arg("--data")
            .arg(self.folder.join("data"))
            .arg("--database")
            .arg(self.database.argument())
            .env("PISAX_ADMIN_KEY", KEY)
            .env("PISAX_ADMIN_EMAIL", "bench@bench.test")
            .env("PISAX_ADMIN_PASSWORD", "Correct-Horse-Battery-9")
            .env("PISAX_ORG", "BENCH")
            .env("PISAX_KNOWLEDGE", self.knowledge.as_deref().unwrap_or(&none))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        Ok(command)
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// What it said last.
    fn said(&self) -> String {
        let text = std::fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().rev().take(12).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Runs a command to its end and gives the time it took.
    pub fn run(&self, words: &[&OsStr]) -> Result<Duration> {
        let begun = Instant::now();
        let mut process = Process::start(&mut self.command(words)?)?;
        process.await_end(PATIENCE * 2)?;
        let took = begun.elapsed();
        let status = process.child.wait()?;
        if !status.success() {
            let name = words.first().copied().unwrap_or_default().to_string_lossy();
            bail!("pisax {name} ended with {status}:\n{}", self.said());
        }
        Ok(took)
    }

    /// Starts the server and returns when it says that it is ready.
    pub fn serve(&self) -> Result<Server> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listen = address.to_string();
        let words = ["serve", "--listen", &listen].map(OsStr::new);
        let begun = Instant::now();
        let mut process = Process::start(&mut self.command(&words)?)?;
        let ready =
            process.await_ready(PATIENCE).with_context(|| format!("pisax serve:\n{}", self.said()))?;
        Ok(Server { process, address, ready_after: ready - begun })
    }
}

/// A running process whose output is followed. Killed when dropped: nothing outlives the bench.
struct Process {
    child: Child,
    ready: Receiver<Instant>,
}

impl Process {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.spawn().with_context(|| format!("start {:?}", command.get_program()))?;
        let output = child.stdout.take().context("the output was not taken")?;
        let (sender, ready) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
                if line.starts_with(READY) && sender.send(Instant::now()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, ready })
    }

    fn await_ready(&mut self, patience: Duration) -> Result<Instant> {
        self.ready.recv_timeout(patience).map_err(|why| match why {
            RecvTimeoutError::Timeout => anyhow!("it did not get ready in {patience:?}"),
            RecvTimeoutError::Disconnected => anyhow!("it ended before it was ready"),
        })
    }

    /// Its output ends when it does.
    fn await_end(&mut self, patience: Duration) -> Result<()> {
        let begun = Instant::now();
        loop {
            match self.ready.recv_timeout(patience.saturating_sub(begun.elapsed())) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => bail!("it did not end in {patience:?}"),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A server that answers.
pub struct Server {
    process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    /// From the start of the process to the line that says ready.
    pub ready_after: Duration,
}

impl Server {
    /// A connection to it.
    pub fn client(&self) -> Result<Client> {
        Client::connect(self.address)
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(mut self) -> Result<()> {
        let pid = self.process.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().context("kill -TERM")?;
        if !asked.success() {
            bail!("the server was gone before it was asked to stop");
        }
        self.process.await_end(PATIENCE)?;
        let status = self.process.child.wait()?;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }

    fn proc(&self, file: &str) -> PathBuf {
        format!("/proc/{}/{file}", self.process.child.id()).into()
    }

    /// Resident bytes now (`VmRSS`) or at the highest (`VmHWM`).
    pub fn memory(&self, field: &str) -> Result<f64> {
        let status = std::fs::read_to_string(self.proc("status")).context("/proc/PID/status")?;
        kibibytes(&status, field)
            .map(|kib| kib * 1024.0)
            .with_context(|| format!("no {field} in /proc/PID/status"))
    }

    /// Lets `VmHWM` begin anew (proc(5), clear_refs 5).
    pub fn forget_peak(&self) -> Result<()> {
        let mut file =
            File::options().write(true).open(self.proc("clear_refs")).context("/proc/PID/clear_refs")?;
        std::io::Write::write_all(&mut file, b"5").context("/proc/PID/clear_refs")
    }

    /// Processor time it has used, in seconds.
    pub fn processor(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(self.proc("stat")).context("/proc/PID/stat")?;
        // The name, second, may hold spaces; utime and stime are the 14th and 15th, in hundredths (USER_HZ).
        let after = stat.rsplit_once(')').context("/proc/PID/stat")?.1;
        let ticks: f64 =
            after.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok()).sum();
        Ok(ticks / 100.0)
    }
}

fn kibibytes(status: &str, field: &str) -> Option<f64> {
    let line = status.lines().find(|line| line.split(':').next() == Some(field))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_kernels_table() {
        let status = "Name:\tpisax\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\n";
        assert_eq!(kibibytes(status, "VmHWM"), Some(20480.0));
        assert_eq!(kibibytes(status, "VmSwap"), None);
    }

    #[test]
    fn the_key_is_one_that_pisax_takes() {
        assert!(KEY.len() == 40 && KEY.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}
