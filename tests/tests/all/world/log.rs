//! [`Log`]: what everybody in this process logs, more of it than a gateway is ever told to log in earnest.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock},
};

use tracing_subscriber::EnvFilter;

/// Everything logged since the first test asked for it. Tests run side by side: look for what only yours can say.
#[derive(Clone)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Begins to listen, once in a process.
    pub fn listens() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let start = || {
            let log = Self(Arc::default());
            let writer = log.clone();
            let builder = tracing_subscriber::fmt().with_env_filter(EnvFilter::new("debug,medvan=trace"));
            builder.with_ansi(false).with_writer(move || writer.clone()).try_init().unwrap();
            log
        };
        LOG.get_or_init(start).clone()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
