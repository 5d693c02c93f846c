//! Reread: reads a directory again, because the API refused an identifier that came from it.

use std::sync::Arc;

use tokio::time::Instant;

use crate::connect::Directory as Kind;
use crate::failure::Failure;
use crate::index::{DirectoryIndex, PairIndex, QueueIndex};
use crate::requests::{InstanceId, Named};

use super::lookup::Names;

/// The state of a directory after the API refused an identifier from it.
#[derive(Debug)]
pub(crate) enum Reread {
    /// This directory is read again.
    UnderWay(DirectoryIndex),
    /// The directory could not be read again.
    Failed(Arc<Failure>),
    /// The directory was read again in this invocation, before the API refused the identifier.
    Done,
}

impl Names<'_> {
    /// Begins to read a queue's directory again, because the API refused the identifier from it. Returns `None` if the
    /// caller named the queue by identifier.
    pub(crate) fn reread_queue(&mut self, queue: QueueIndex, now: Instant) -> Option<Reread> {
        let requested = &self.pairs.queues[queue];
        let Named::Name(_) = requested.queue else { return None };
        let reread = self.reread(&requested.instance, Kind::Queues, now);
        if let Reread::UnderWay(number) = reread {
            self.directories[number].queues.push(queue);
        }
        Some(reread)
    }

    /// Begins to read an address's directory again, because the API refused the identifier from it. Returns `None` if
    /// the caller named the address by identifier.
    pub(crate) fn reread_address(&mut self, pair: PairIndex, now: Instant) -> Option<Reread> {
        let pair = &self.pairs.pairs[pair];
        let Named::Name(_) = pair.address() else { return None };
        Some(self.reread(&self.pairs.queues[pair.queue()].instance, Kind::EmailAddresses, now))
    }

    fn reread(&mut self, instance: &InstanceId, kind: Kind, now: Instant) -> Reread {
        let Some(number) = self.indices.get(&(instance.clone(), kind)).copied() else { return Reread::Done };
        let known = &self.directories[number];
        match &known.failure {
            _ if known.reading.is_some() => Reread::UnderWay(number),
            Some(failure) => Reread::Failed(failure.clone()),
            None if known.reread => Reread::Done,
            None => {
                self.begin_reading(number, now);
                let known = &mut self.directories[number];
                known.reread = true;
                // The API refused an identifier from this directory. If it cannot be read again, its names stay
                // unknown.
                known.directory = None;
                Reread::UnderWay(number)
            }
        }
    }
}
