//! A folder of its own, a cleared environment, and the commands as processes.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

/// The key the commands of a test share.
pub(crate) const KEY: &str = "canary-key-1f2e3d";

/// A project's folder for one test.
pub(crate) struct World {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

/// What a command said and how it ended.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A server that ends with the test.
pub(crate) struct Server {
    child: Child,
}

impl World {
    pub(crate) fn new() -> World {
        let variables = vec![("INTERNAL_API_KEY".to_owned(), KEY.to_owned())];
        World {
            folder: tempfile::tempdir().unwrap(),
            variables,
        }
    }

    /// Sets a variable for all commands from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Runs a command in a folder below this one.
    #[must_use = "say how it ends"]
    pub(crate) fn run_in(&self, folder: &str, arguments: &[&str]) -> Said {
        let mut command = self.command(arguments);
        command.current_dir(self.path(folder));
        told(command)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pricemill"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end. The key must not be in what it says.
    #[must_use = "say how it ends"]
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        told(self.command(arguments))
    }

    /// Starts the server on a free port; `--dev` finds it from now on.
    pub(crate) fn serve(&mut self) -> Server {
        let mut child = self
            .command(&["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("listening on ")?.1.trim().to_owned()));
        let url = url.expect("the server says where it listens");
        // What else it says is read, so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        self.set("PRICEMILL_PROFILE_DEV_SERVER", &url);
        Server { child }
    }

    /// Returns one number from the database.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        let path = self.path("data/pricemill.db");
        let database = rusqlite::Connection::open(path).unwrap();
        database.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn told(mut command: Command) -> Said {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let said = Said {
        code: status.code().unwrap_or(-1),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    };
    assert!(
        !said.out.contains(KEY) && !said.err.contains(KEY),
        "the key was told"
    );
    said
}

impl Said {
    /// Asserts how the command ended, showing what it said if otherwise.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Said {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.out, self.err
        );
        self
    }

    /// Asserts that the command told this.
    #[track_caller]
    pub(crate) fn tells(self, text: &str) -> Said {
        assert!(self.err.contains(text), "no `{text}` in:\n{}", self.err);
        self
    }
}

impl Server {
    /// Asks the server to end and waits until it has.
    pub(crate) fn stop(mut self) {
        self.terminate();
        assert!(
            self.child.wait().unwrap().success(),
            "the server did not end gracefully"
        );
    }

    fn terminate(&self) {
        // One that has ended already needs no signal.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the bytes of every file below a folder, by path.
pub(crate) fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return found;
    };
    for entry in entries.map(Result::unwrap) {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push((path.clone(), std::fs::read(path).unwrap())),
        }
    }
    found
}
