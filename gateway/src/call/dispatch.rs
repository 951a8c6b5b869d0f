//! Asking every service at once, each with exactly its own data, within its own deadline.
//!
//! A service that fails, hangs or talks nonsense costs nobody else anything: each is asked in a task of its own, and
//! its share of the answer is decided at its deadline. A late answer is still waited for a while, for the record.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::join_all;
use medvan_adapters::{AdviseError, Call as AdviceCall, ErrorKind};
use medvan_hooks::{plan::Plan, request::Request, response::Response};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use super::{
    caller::CdsClient,
    deadline::Deadline,
    exchange::Exchange,
    explanation::{ServiceNote, Status},
    identity,
    line::Line,
    trial::Reservation,
};
use crate::{
    App,
    catalog::{Member, Mode, Offer},
};
