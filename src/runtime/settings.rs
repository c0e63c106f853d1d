//! The settings of a runtime.

use crate::error::{Error, Result};
use crate::python;
use crate::python::config::PythonSettings;

/// The stack of a thread that runs Python. It is as large as that of a process's main thread, since
/// C extensions recurse deeply.
pub(super) const STACK_SIZE: usize = 8 * 1024 * 1024;

/// The most threads of the pool. More of them would only wait for each other.
pub const MAX_THREADS: usize = 1024;
/// The shortest limit of a log line. A shorter one could not hold a WSGI number and a word.
const MIN_LOG_LINE: usize = 64;

#[derive(Debug, Default)]
pub struct Settings {
    pub python: PythonSettings,
    /// The number of threads of the pool. 0 if applications run in `wsgi_poll` or `wsgi_run`.
    pub threads: usize,
    /// How many exchanges may wait for a thread or an import.
    pub max_queue: usize,
    /// At most this number of threads may be stuck. Each is replaced by another one. 0 means that
    /// none is replaced.
    pub max_stuck: usize,
    /// The longest line that the host can log, in bytes. 0 means any length.
    pub log_line_size: usize,
    /// A submit wakes no thread. The next poll wakes threads for all requests since the last one.
    pub batch: bool,
    /// Other processes run the same applications.
    pub multiprocess: bool,
    /// The host decides which names of header fields are allowed.
    pub odd_names: bool,
    /// `check` also reports things that may be right.
    pub closely: bool,
}

impl Settings {
    pub fn check_numbers(&self) -> Result<()> {
        if self.threads > MAX_THREADS {
            return Err(Error::invalid(format!(
                "{} Python threads are too many: use at most {MAX_THREADS}",
                self.threads
            )));
        }
        if self.log_line_size != 0 && self.log_line_size < MIN_LOG_LINE {
            return Err(Error::invalid(format!(
                "a log_line_size of {} is too short: use 0 or at least {MIN_LOG_LINE}",
                self.log_line_size
            )));
        }
        Ok(())
    }

    /// Checks the settings as far as that is possible without Python.
    pub fn check(&self) -> Result<()> {
        self.check_numbers()?;
        let (home, path) = (&self.python.home, &self.python.path);
        let checked = match home {
            Some(home) if self.closely => python::check::check_home_closely(home),
            Some(home) => python::check::check_home(home),
            None => Ok(()),
        };
        checked.map_err(Error::Invalid)?;
        if self.closely && (home.is_some() || path.is_empty()) {
            python::check::check_own_closely().map_err(Error::Invalid)?;
        }
        if self.closely {
            let mut folders = path.iter();
            folders.try_for_each(|it| python::check::check_folder(it)).map_err(Error::Invalid)?;
        }
        Ok(())
    }
}
