//! The reasons why a call fails, as one enum. `abi::status` maps it to a status for C.

use std::fmt;

/// Times for Retry-After, in seconds.
const SOON: u32 = 1;
const LATER: u32 = 30;

/// A failure that the library returns to its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The number of requests that wait has reached the limit.
    Busy { max_queue: usize },
    /// The runtime was stopped, or is being stopped.
    Stopping,
    /// The application could not be imported. The log has its traceback.
    Unavailable { application: String, retry_after: u32 },
    /// The caller broke a rule of wsgi.h, or a setting is wrong. The sentence names the rule or the
    /// setting, and the cure.
    Invalid(String),
    /// The caller was compiled with another version of wsgi.h.
    WrongVersion { theirs: u32, ours: u32 },
    /// The process was forked from the one that started the runtime.
    Forked,
    /// The interpreter did not start.
    Python(String),
    /// The host reported that the client is gone, or cancelled the run.
    Gone,
    /// The library itself failed. The process goes on.
    Panic(String),
}

impl Error {
    pub fn invalid(sentence: impl Into<String>) -> Self {
        Error::Invalid(sentence.into())
    }

    /// After how many seconds a new attempt may succeed. 0 if time does not help.
    pub fn retry_after(&self) -> u32 {
        match self {
            Error::Unavailable { retry_after, .. } => *retry_after,
            // A place in the queue, or the process that follows, may be there at once.
            Error::Busy { .. } | Error::Stopping => SOON,
            // Only another process can help.
            Error::Python(_) => LATER,
            _ => 0,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Busy { max_queue } => write!(f, "{max_queue} requests are waiting already"),
            Error::Stopping => f.write_str("the WSGI runtime has been stopped"),
            Error::Unavailable { application, retry_after } => write!(
                f,
                "the application {application} could not be imported (its traceback is in the \
                 log); it is tried again in {retry_after} s at the earliest"
            ),
            Error::Invalid(sentence) | Error::Python(sentence) => f.write_str(sentence),
            Error::WrongVersion { theirs: 0, .. } => f.write_str(
                "`abi_version` of wsgi_runtime_config is 0; set it to WSGI_ABI_VERSION, as \
                 WSGI_RUNTIME_CONFIG_INIT does",
            ),
            Error::WrongVersion { theirs, ours } => write!(
                f,
                "the host was compiled with version {theirs} of wsgi.h, but this libwsgi has \
                 version {ours}; compile the host with the wsgi.h of this libwsgi"
            ),
            Error::Forked => f.write_str(
                "this process is a fork of the one that started the WSGI runtime; only that one \
                 can use it",
            ),
            Error::Gone => f.write_str("the client is gone, or the host has given the request up"),
            Error::Panic(what) => write!(f, "libwsgi failed, which is a bug of its own: {what}"),
        }
    }
}

impl std::error::Error for Error {}

pub type Result<T> = std::result::Result<T, Error>;
