//! Notices when two applications set the same variable for the whole process while they are
//! imported. The second one finds the variable taken, and runs with the value of the first.

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};
use std::sync::Arc;

/// It selects the settings, URLs and database of Django. Django reads it once in a process.
pub const VARIABLE: &str = "DJANGO_SETTINGS_MODULE";

/// The value that the first application has set, and that application.
static CLAIMED: Mutex<Option<(String, String)>> = Mutex::new(None);

/// The variable belongs to another application.
pub struct Taken {
    pub by: String,
    pub value: String,
    pub wanted: String,
}

/// Notes, while an application is imported, which value it wants the variable to have.
pub struct Watch {
    before: Option<String>,
    wanted: Arc<Mutex<Option<String>>>,
}

impl Watch {
    /// Wraps `os.environ.setdefault`, with which the file that Django writes sets the variable. The
    /// function still does what it did.
    pub fn begin(py: Python<'_>) -> PyResult<Watch> {
        let wanted = Arc::new(Mutex::new(None));
        let environ = environ(py)?;
        let noted = wanted.clone();
        let original = environ.getattr("setdefault")?.unbind();
        let listen = move |args: &Bound<'_, PyTuple>, options: Option<&Bound<'_, PyDict>>| {
            if let Ok((key, value)) = args.extract::<(String, String)>() {
                if key == VARIABLE {
                    *noted.lock() = Some(value);
                }
            }
            original.call(args.py(), args.clone(), options)
        };
        environ.setattr("setdefault", PyCFunction::new_closure(py, None, None, listen)?)?;
        Ok(Watch { before: value(&environ)?, wanted })
    }

    /// Ends the watch when the application `name` was imported, or was not. Returns `Taken` if the
    /// variable belongs to another application and does not have the value that this one wants.
    pub fn end(self, py: Python<'_>, name: &str) -> PyResult<Option<Taken>> {
        let environ = environ(py)?;
        environ.delattr("setdefault")?;
        let after = value(&environ)?;
        let changed = after.clone().filter(|after| self.before.as_ref() != Some(after));
        let wanted = changed.clone().or_else(|| self.wanted.lock().take());
        let mut claimed = CLAIMED.lock();
        let Some((value, by)) = &*claimed else {
            *claimed = changed.map(|value| (value, name.to_owned()));
            return Ok(None);
        };
        let differs = by != name && wanted.as_ref().is_some_and(|wanted| wanted != value);
        Ok(wanted.filter(|_| differs).map(|wanted| Taken {
            by: by.clone(),
            value: value.clone(),
            wanted,
        }))
    }
}

fn environ(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    py.import("os")?.getattr("environ")
}

fn value(environ: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    environ.call_method1("get", (VARIABLE,))?.extract()
}
