//! `libwsgi.client_disconnected`: whether the client still waits for the response.

use super::lent::{Kept, Kind, Lent};
use crate::host::client::Client;
use crate::python::free_list::FreeList;
use crate::python::lease::Lease;
use pyo3::prelude::*;

/// A callable without arguments. It returns True once the client is gone. Any thread may call it,
/// since an application may use several threads for one request.
#[pyclass(frozen, module = "wsgi")]
struct ClientDisconnected {
    client: Lease<Client>,
}

thread_local!(static FREE: FreeList<Kept<Client>> = const { FreeList::new() });

const KIND: Kind<Client> = Kind { name: "libwsgi.client_disconnected", stream: None, free: &FREE };

pub(super) fn lend(py: Python<'_>, client: Client) -> PyResult<Lent<Client>> {
    Ok(KIND.lend(py, client, |client| ClientDisconnected { client })?)
}

#[pymethods]
impl ClientDisconnected {
    fn __call__(&self) -> PyResult<bool> {
        self.client.with(|client| client.is_gone())
    }
}
