//! Servers on loopback that the tests talk to: well-behaved ones in axum, ill-behaved ones written byte by byte.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::http::{Client, Guard, GuardedUrl, Profile, Settings};

/// More time than any answer on loopback takes.
pub(crate) const AMPLE: Duration = Duration::from_secs(20);

/// A server that counts the connections it got.
pub(crate) struct Server {
    address: SocketAddr,
    sockets: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) async fn axum(router: axum::Router) -> Self {
        use axum::serve::ListenerExt;
        let sockets = Arc::new(AtomicUsize::new(0));
        let (listener, address) = listen().await;
        let counter = sockets.clone();
        let listener = listener.tap_io(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, sockets }
    }

    /// Gives every connection to `behave` as soon as the request's head has come.
    pub(crate) async fn raw<F, T>(behave: F) -> Self
    where
        F: Fn(TcpStream) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        let sockets = Arc::new(AtomicUsize::new(0));
        let (listener, address) = listen().await;
        let counter = sockets.clone();
        spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                read_head(&mut stream).await;
                spawn(behave(stream));
            }
        });
        Self { address, sockets }
    }

    /// Answers every request with these bytes and closes.
    pub(crate) async fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        Self::raw(move |mut stream| {
            let answer = answer.clone();
            async move {
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        })
        .await
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn sockets(&self) -> usize {
        self.sockets.load(Ordering::SeqCst)
    }

    pub(crate) fn text(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn url(&self, path: &str) -> GuardedUrl {
        guard().check(&self.text(path)).unwrap()
    }
}

pub(crate) fn guard() -> Guard {
    Guard::new(Profile::Loopback, [])
}

pub(crate) fn client() -> Client {
    Client::new(guard(), &Settings::default()).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test has no shutdown to wait for")]
pub(crate) fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::spawn(task)
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
}
