//! What kinds of ends there are, for the exit code and the HTTP status.

/// What kind of end an error is. Two readers: the exit code and the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A step failed: SQL at run time, a 4xx from a server, the database, the disk, a failing test.
    Failed,
    /// The command line, the configuration or the project is wrong: nothing was started.
    Usage,
    /// A check, a contract at run time, a guard, or too many rejected rows.
    Data,
    /// Another run holds the lock.
    Busy,
    /// A bug in pricemill.
    Internal,
    /// Network, 5xx, throttled past patience: the same run later may succeed.
    Unavailable,
    /// Stopped by the user (130) or the system (143).
    Interrupted,
}

impl Kind {
    /// Returns the process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Data => 3,
            Kind::Busy => 4,
            Kind::Internal => 70,
            Kind::Unavailable => 75,
            Kind::Interrupted => 130,
        }
    }

    /// Returns the status an HTTP answer carries.
    pub fn http_status(self) -> u16 {
        match self {
            Kind::Failed => 502,
            Kind::Usage => 400,
            Kind::Data => 422,
            Kind::Busy => 409,
            Kind::Internal => 500,
            Kind::Unavailable | Kind::Interrupted => 503,
        }
    }
}

/// Gives an `Error`, each variant of which is the error of another module, that error's
/// kind and hint; the variants before the semicolon also its findings.
macro_rules! passes_on {
    ($($finding:ident),+ ; $($plain:ident),*) => {
        impl Error {
            pub(crate) fn kind(&self) -> $crate::kind::Kind {
                match self {
                    $(Error::$finding(error) => error.kind(),)+
                    $(Error::$plain(error) => error.kind(),)*
                }
            }

            pub(crate) fn hint(&self) -> Option<String> {
                match self {
                    $(Error::$finding(error) => error.hint(),)+
                    $(Error::$plain(error) => error.hint(),)*
                }
            }

            pub(crate) fn findings(&self) -> &[$crate::diagnostics::Finding] {
                match self {
                    $(Error::$finding(error) => error.findings(),)+
                    $(Error::$plain(_) => &[],)*
                }
            }
        }
    };
}
pub(crate) use passes_on;
