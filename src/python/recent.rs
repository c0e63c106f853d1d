//! Strings that are often the same as the last time.

use super::strings::{native, one_byte_data};
use pyo3::prelude::*;
use pyo3::types::PyString;

/// Longer ones are not kept: what is kept stays until another comes.
const MAX_KEPT: usize = 256;

/// Remembers one string, and gives it again to who asks for the same bytes: that takes a fifth of
/// the time of making it.
#[derive(Debug, Default)]
pub struct Recent(Option<Py<PyString>>);

impl Recent {
    pub const fn new() -> Self {
        Recent(None)
    }

    /// As [`native`].
    pub fn native<'py>(&mut self, py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
        if let Some(last) = &self.0 {
            let last = last.bind(py);
            if one_byte_data(last) == Some(bytes) {
                return Ok(last.clone());
            }
        }
        let string = native(py, bytes)?;
        if bytes.len() <= MAX_KEPT {
            self.0 = Some(string.clone().unbind());
        }
        Ok(string)
    }
}
