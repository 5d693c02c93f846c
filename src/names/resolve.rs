//! Resolving: the identifiers behind the pairs of an invocation.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::time::Instant;

use crate::connect::Directory as Kind;
use crate::failure::{Failure, Retry};
use crate::outcomes::Outcome;
use crate::pairs::{Named, Pairs};
use crate::plan::Resolved;

use super::directory::{Directories, Directory, Which};
use super::reading::Reading;

/// Finds identifiers for one invocation, and remembers which directories it has read for it.
#[derive(Debug)]
pub struct Resolver<'a> {
    kept: &'a Directories,
    /// What this invocation works with, so that another one's reading does not change names under it.
    directories: HashMap<Which, Known>,
    /// Directories that were read in this invocation: they are not read again.
    fresh: HashSet<Which>,
}

/// What an invocation knows of a directory.
#[derive(Debug, Default)]
struct Known {
    /// As it was last read.
    directory: Option<Arc<Directory>>,
    /// Why it could not be read when it was asked for: what is not in it may be new.
    unread: Option<Arc<Failure>>,
}

impl Known {
    fn find(&self, kind: Kind, name: &str) -> &[Arc<str>] {
        self.directory.as_ref().map_or(&[], |directory| directory.find(kind, name))
    }
}

impl<'a> Resolver<'a> {
    /// A resolver that begins with the directories that are kept.
    pub fn new(kept: &'a Directories) -> Self {
        Resolver { kept, directories: HashMap::new(), fresh: HashSet::new() }
    }

    /// The directories that must be read before every pair can be looked up. Without names there are none.
    pub fn missing(&mut self, pairs: &Pairs) -> Reading {
        let named: Vec<(Which, &str)> = names(pairs).collect();
        let now = Instant::now();
        let mut missing = HashSet::new();
        for (which, name) in &named {
            if !self.directories.contains_key(which)
                && let Some(kept) = self.kept.get(which, now)
            {
                self.directories.insert(which.clone(), Known { directory: Some(kept), unread: None });
            }
            let found =
                self.directories.get(which).is_some_and(|known| !known.find(which.1, name).is_empty());
            if !found && !self.fresh.contains(which) {
                missing.insert(which.clone());
            }
        }
        self.read(missing)
    }

    /// The directories that gave identifiers which the API refused: `outcomes` tells for each pair what became of it.
    /// They are read again, unless that was done in this invocation. Nothing, if there is none of them.
    pub fn refused(&mut self, pairs: &Pairs, outcomes: &[Outcome]) -> Option<Reading> {
        let mut stale = HashSet::new();
        for (pair, outcome) in pairs.pairs.iter().zip(outcomes) {
            let Outcome::Failed(failure) = outcome else { continue };
            let queue = &pairs.queues[pair.queue()];
            if failure.blame.queue() && matches!(queue.queue, Named::Name(_)) {
                stale.insert((queue.instance.clone(), Kind::Queues));
            }
            if failure.blame.address() && matches!(pair.address(), Named::Name(_)) {
                stale.insert((queue.instance.clone(), Kind::EmailAddresses));
            }
        }
        stale.retain(|which| {
            let known = self.directories.get_mut(which).filter(|_| !self.fresh.contains(which));
            // What it says was refused, so if it cannot be read again, nothing is known.
            known.and_then(|known| known.directory.take()).is_some()
        });
        if stale.is_empty() {
            return None;
        }
        Some(self.read(stale))
    }

    fn read(&mut self, which: HashSet<Which>) -> Reading {
        self.fresh.extend(which.iter().cloned());
        Reading::new(which)
    }

    /// Takes the directories that were read.
    pub fn take(&mut self, reading: Reading) {
        let now = Instant::now();
        for (which, directory) in reading.into_directories() {
            match directory {
                Ok(read) => {
                    self.kept.put(which.clone(), read.clone(), now);
                    self.directories.insert(which, Known { directory: Some(read), unread: None });
                }
                // Better an older directory than none: most of its names are right.
                Err(failure) => self.directories.entry(which).or_default().unread = Some(failure),
            }
        }
    }

    /// Looks every pair up.
    pub fn look_up(&self, pairs: &Pairs) -> Resolved {
        let queues =
            pairs.queues.iter().map(|queue| self.id(&queue.instance, Kind::Queues, queue.queue.as_ref()));
        let addresses = pairs
            .pairs
            .iter()
            .map(|pair| self.id(&pairs.queues[pair.queue()].instance, Kind::EmailAddresses, pair.address()));
        Resolved { queues: queues.collect(), addresses: addresses.collect() }
    }

    fn id(&self, instance: &Arc<str>, kind: Kind, named: Named<&Arc<str>>) -> Result<Arc<str>, Arc<Failure>> {
        let name = match named {
            Named::Id(id) => return Ok(id.clone()),
            Named::Name(name) => name,
        };
        let Some(known) = self.directories.get(&(instance.clone(), kind)) else {
            return Err(Arc::new(not_found(kind, instance)));
        };
        match known.find(kind, name) {
            [] => Err(known.unread.clone().unwrap_or_else(|| Arc::new(not_found(kind, instance)))),
            [id] => Ok(id.clone()),
            several => Err(Arc::new(ambiguous(kind, instance, several.len()))),
        }
    }
}

/// Every name of the invocation, with the directory that it is looked up in.
fn names(pairs: &Pairs) -> impl Iterator<Item = (Which, &str)> {
    let queues = pairs.queues.iter().filter_map(|queue| match &queue.queue {
        Named::Name(name) => Some(((queue.instance.clone(), Kind::Queues), &**name)),
        Named::Id(_) => None,
    });
    let addresses = pairs.pairs.iter().filter_map(|pair| match pair.address() {
        Named::Name(name) => {
            Some(((pairs.queues[pair.queue()].instance.clone(), Kind::EmailAddresses), &**name))
        }
        Named::Id(_) => None,
    });
    queues.chain(addresses)
}

// Neither message holds the name itself: messages are logged, and names may be email addresses.

fn not_found(kind: Kind, instance: &str) -> Failure {
    let message = match kind {
        Kind::Queues => format!(
            "no standard queue of instance {instance} has this name, to the letter; create it first, or check the \
             instanceId"
        ),
        Kind::EmailAddresses => {
            format!("instance {instance} has no such email address; create it first, or check the instanceId")
        }
    };
    Failure::ours("NameNotFound", message, Retry::FirstDelivery)
}

fn ambiguous(kind: Kind, instance: &str, count: usize) -> Failure {
    let message = match kind {
        Kind::Queues => format!("{count} queues of instance {instance} have this name; name it by queueId"),
        Kind::EmailAddresses => {
            format!("{count} email addresses of instance {instance} are this one; name it by emailAddressId")
        }
    };
    Failure::ours("NameAmbiguous", message, Retry::Never)
}
