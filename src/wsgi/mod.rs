//! PEP 3333, with one file for each of its nouns. [`gateway`] has the order of the PEP, and uses
//! the others.

#![forbid(unsafe_code)]

mod advice;
pub mod app;
mod client_disconnected;
mod early_hints;
pub mod environ;
mod environ_cache;
mod errors;
mod file_wrapper;
pub mod gateway;
mod input;
mod lent;
pub mod libwsgi_module;
mod report;
mod request_headers;
mod response;
pub mod response_headers;
mod start_response;
pub mod target;
mod violation;
