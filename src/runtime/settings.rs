//! How a runtime must run.

use crate::error::{Error, Result};
use crate::python;
use crate::python::config::PythonSettings;

/// As much as the main thread of a process has: C extensions recurse deeply.
pub(super) const STACK_SIZE: usize = 8 * 1024 * 1024;

/// More Python threads than this only wait for each other.
pub const MAX_THREADS: usize = 1024;
/// A shorter log line could not hold a WSGI number and a word.
const MIN_LOG_LINE: usize = 64;

#[derive(Debug, Default)]
pub struct Settings {
    pub python: PythonSettings,
    /// Pool threads; 0 if only `run` is used.
    pub threads: usize,
    /// Exchanges that may wait for a thread or an import.
    pub max_queue: usize,
    /// At most this number of threads may be stuck, each replaced by another; 0: none is replaced.
    pub max_stuck: usize,
    /// Longest line the host can log, in bytes; 0: any.
    pub log_line_size: usize,
    /// A poll wakes threads, for all that was submitted since the last one. A submit wakes none.
    pub batch: bool,
    /// Other processes run the same applications.
    pub multiprocess: bool,
    /// The host decides which names of header fields count.
    pub odd_names: bool,
    /// `check` also reports what need not be wrong.
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

    /// Checks all that can be checked without starting Python.
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
