//! Work on images: from a study that arrived to what AI services found in it (design, section 8).
//!
//! 1. [`intake`]: is the study complete? By evidence, which is kept. Then each enrolled service's needs are held against it, and
//!    jobs are put in.
//! 2. [`queue`]: jobs that are due are taken with a lease, the most urgent first, not more at once than a service bears.
//! 3. [`perform`]: one job: its images go out, the answer is checked and kept, evidence is made of it and stored.
//! 4. [`workitem`]: what the outside sees of a job: a Unified Procedure Step.
//!
//! A process that dies at any instruction loses nothing and doubles nothing: the answer is kept before anything is made of it,
//! and what is made of it is the same each time.

mod authoring;
mod brought;
mod card;
mod dicomweb;
mod dimse;
mod fault;
mod images;
mod inference;
mod intake;
mod objects;
mod outgoing;
mod pacs;
mod perform;
mod pictures;
mod priors;
mod queue;
mod record;
mod results;
mod returned;
mod searching;
mod workitem;
mod worklist;

pub(crate) use brought::{Brought, LARGEST, LONGEST};
pub(crate) use fault::WorkFault;
pub(crate) use images::{Explained, StudyImages};
pub(crate) use intake::watch;
pub(crate) use outgoing::stored_bytes;
pub(crate) use priors::Priors;
pub(crate) use queue::{Bell, work};
pub(crate) use record::unwanted;
pub(crate) use returned::{Bringer, OpenJob, receive};
pub(crate) use searching::watch as search_archives;
pub(crate) use workitem::{own_lock, retrieved_from};
