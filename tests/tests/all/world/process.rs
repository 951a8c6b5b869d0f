//! [`Process`]: the real program, `medvan serve`, as a process of its own that can be killed.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::OnceLock,
};

use tempfile::TempDir;

use super::{Stands, until};

/// A running `medvan serve`. It dies with this value.
pub struct Process {
    child: Child,
    url: String,
    folder: TempDir,
    data: PathBuf,
}

impl Process {
    /// Starts on an empty folder and any free port, with these lines of configuration.
    pub fn starts(configuration: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("medvan.toml"), configuration).unwrap();
        Self::starts_in(folder, "127.0.0.1:0")
    }

    /// Ends it as a power cut does: nothing is finished, nothing is written any more.
    pub fn dies(mut self) -> Dead {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.remains()
    }

    /// Asks it to stop, as an administrator does; it may take its time.
    pub fn is_asked_to_stop(&self) {
        let asked = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.child.id())).status().unwrap();
        assert!(asked.success());
    }

    /// Waits until it has ended by itself.
    pub async fn ends(mut self) -> (ExitStatus, Dead) {
        let status = until("the process ends", async || self.child.try_wait().unwrap()).await;
        (status, self.remains())
    }

    fn starts_in(folder: TempDir, listen: &str) -> Self {
        let data = folder.path().join("data");
        let mut child = Command::new(program())
            .args(["serve", "--listen", listen])
            .arg("--config")
            .arg(folder.path().join("medvan.toml"))
            .arg("--data")
            .arg(&data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let url = loop {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "medvan serve ended without saying where it answers");
            if let Some(url) = line.trim().strip_prefix("MedVAN answers at ") {
                break url.to_owned();
            }
        };
        // What it says later goes nowhere, but the pipe stays open.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self { child, url, folder, data }
    }

    fn remains(mut self) -> Dead {
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        Dead { folder, address: self.url.trim_start_matches("http://").to_owned() }
    }
}

impl Stands for Process {
    fn url(&self) -> &str {
        &self.url
    }

    fn data(&self) -> &Path {
        &self.data
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is left of a gateway that ended: its folder and its address.
pub struct Dead {
    folder: TempDir,
    address: String,
}

impl Dead {
    /// Starts it again, as if nothing had happened.
    pub fn starts_again(self) -> Process {
        Process::starts_in(self.folder, &self.address)
    }
}

/// The program beside these tests' own, built once: cargo builds no other package's programs for a test.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let tests = std::env::current_exe().unwrap();
        let folder = tests.parent().and_then(Path::parent).unwrap();
        let profile = match folder.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(name) => name,
        };
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "medvan", "--bin", "medvan", "--profile", profile])
            .arg("--target-dir")
            .arg(folder.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success(), "medvan is built");
        folder.join("medvan")
    })
}
