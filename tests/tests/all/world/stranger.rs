//! [`Tripwire`]: an address that nobody has a reason to call.

use std::{io::ErrorKind, net::TcpListener};

/// Listens and never answers. The kernel completes a connection by itself, so even one that was opened and closed
/// at once leaves its trace.
pub struct Tripwire(TcpListener);

impl Tripwire {
    pub fn set() -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port())
    }

    /// Panics when anybody connected since it was set.
    #[track_caller]
    pub fn is_untouched(&self, what: &str) {
        match self.0.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => panic!("{what}: somebody connected: {other:?}"),
        }
    }
}

#[test]
fn a_touched_tripwire_tells() {
    let wire = Tripwire::set();
    drop(std::net::TcpStream::connect(("127.0.0.1", wire.port())).unwrap());
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wire.is_untouched("touched"))).is_err());
}
