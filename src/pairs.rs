//! Pairs: every requested association of the invocation, once, with everything that asked for it.
//!
//! A pair here is what the caller named. Two names for one pair (an identifier in one message, a name in another)
//! become one only in the plan, when the names are known.

use std::collections::HashMap;
use std::sync::Arc;

use crate::payload::{Body, Envelope};
use crate::requests::{
    AddressRef, Base, Context, Defaults, Entry, Home, Invalid, Options, Path, QueueRef, Request, with_request,
};

/// A queue or an email address as the caller named it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Named {
    /// By its identifier.
    Id(Arc<str>),
    /// By a queue's name or by the address itself.
    Name(Arc<str>),
}

/// A requested queue of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedQueue {
    /// The instance's identifier.
    pub instance: Arc<str>,
    /// The queue.
    pub queue: Named,
}

/// A requested association, as it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Which of [`Pairs::queues`].
    pub queue: usize,
    /// The email address.
    pub address: Named,
}

/// One request of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestInfo {
    /// Which of the envelope's sources it came from.
    pub source: usize,
    /// How it is to be handled.
    pub options: Options,
}

/// One place where a request asks for a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// Which of [`Pairs::pairs`].
    pub pair: usize,
    /// Which of [`Pairs::requests`].
    pub request: usize,
    /// Where in the request.
    pub path: Path,
}

/// Everything asked for in an invocation. Asks stand in the order of their sources.
#[derive(Debug, Default)]
pub struct Pairs {
    /// The requests.
    pub requests: Vec<RequestInfo>,
    /// The queues, in the order they were first named.
    pub queues: Vec<RequestedQueue>,
    /// The pairs, in the order they were first named.
    pub pairs: Vec<Pair>,
    /// Who asked for which pair.
    pub asks: Vec<Ask>,
    /// What is invalid, and in which request.
    pub invalid: Vec<(usize, Invalid)>,
}

/// Pairs while they are read. What finds them again is dropped when all are: it is as large as they are.
#[derive(Debug, Default)]
struct Reading {
    pairs: Pairs,
    index: Index,
}

/// Numbers of what was named before, for finding it again.
#[derive(Debug, Default)]
struct Index {
    instances: Numbers,
    /// For each instance, its identifier and its queues.
    queues: Vec<(Arc<str>, ByName)>,
    /// For each queue, its addresses.
    addresses: Vec<ByName>,
}

type Numbers = HashMap<Arc<str>, usize>;

/// Things that are named by identifier or by name: two name spaces.
#[derive(Debug, Default)]
struct ByName {
    ids: Numbers,
    names: Numbers,
}

impl Pairs {
    /// Reads every source of an envelope.
    ///
    /// # Errors
    /// What is invalid in the defaults of a Distributed Map batch: no item can be judged without them.
    pub fn read(envelope: &Envelope<'_>, home: &Home, instance: Option<&str>) -> Result<Self, Invalid> {
        let mut reading = Reading::default();
        for (source, asked) in envelope.sources.iter().enumerate() {
            let context = Context { home, instance, defaults: Defaults::default() };
            match &asked.body {
                Body::Text(text) => {
                    let read = with_request(text, |json| {
                        reading.add(source, Request::read(json, Base::Root, &context));
                    });
                    if let Err(invalid) = read {
                        reading.add_unreadable(source, invalid);
                    }
                }
                Body::Unreadable { reason, .. } => {
                    reading.add_unreadable(source, Invalid::new(Path::default(), reason.as_str()));
                }
                Body::Request(json) => reading.add(source, Request::read(json, Base::Root, &context)),
                Body::Items { items, batch_input } => {
                    let defaults = batch_input.as_ref().map(|json| Defaults::read(json, home)).transpose()?;
                    let context = Context { defaults: defaults.unwrap_or_default(), ..context };
                    for (number, item) in (0u32..).zip(items) {
                        reading.add(source, Request::read(item, Base::Item(number), &context));
                    }
                }
            }
        }
        Ok(reading.pairs)
    }

    /// The source that asked.
    pub fn source_of(&self, ask: &Ask) -> usize {
        self.requests[ask.request].source
    }
}

impl Reading {
    /// Adds a request of a source.
    fn add(&mut self, source: usize, request: Request<'_>) {
        let number = self.push_request(source, request.options);
        // A queue none of whose addresses is valid is not even looked up.
        for entry in request.entries.iter().filter(|entry| !entry.addresses.is_empty()) {
            let queue = self.queue(entry);
            for (path, address) in &entry.addresses {
                let pair = self.pair(queue, *address);
                self.pairs.asks.push(Ask { pair, request: number, path: *path });
            }
        }
        self.pairs.invalid.extend(request.invalid.into_iter().map(|invalid| (number, invalid)));
    }

    /// Adds a source that holds no request that could be read.
    fn add_unreadable(&mut self, source: usize, invalid: Invalid) {
        let number = self.push_request(source, Options::default());
        self.pairs.invalid.push((number, invalid));
    }

    fn push_request(&mut self, source: usize, options: Options) -> usize {
        self.pairs.requests.push(RequestInfo { source, options });
        self.pairs.requests.len() - 1
    }

    fn queue(&mut self, entry: &Entry<'_>) -> usize {
        let (instance, new) = number(&mut self.index.instances, entry.instance, self.index.queues.len());
        if let Some(id) = new {
            self.index.queues.push((id, ByName::default()));
        }
        let (instance, known) = &mut self.index.queues[instance];
        let next = self.pairs.queues.len();
        let (queue, new) = match entry.queue {
            QueueRef::Id(id) => known.by_id(id, next),
            QueueRef::Name(name) => known.by_name(name, next),
        };
        if let Some(named) = new {
            self.pairs.queues.push(RequestedQueue { instance: instance.clone(), queue: named });
            self.index.addresses.push(ByName::default());
        }
        queue
    }

    fn pair(&mut self, queue: usize, address: AddressRef<'_>) -> usize {
        let next = self.pairs.pairs.len();
        let known = &mut self.index.addresses[queue];
        let (pair, new) = match address {
            AddressRef::Id(id) => known.by_id(id, next),
            AddressRef::Address(text) => known.by_name(text, next),
        };
        if let Some(address) = new {
            self.pairs.pairs.push(Pair { queue, address });
        }
        pair
    }
}

impl ByName {
    fn by_id(&mut self, id: &str, next: usize) -> (usize, Option<Named>) {
        let (number, new) = number(&mut self.ids, id, next);
        (number, new.map(Named::Id))
    }

    fn by_name(&mut self, name: &str, next: usize) -> (usize, Option<Named>) {
        let (number, new) = number(&mut self.names, name, next);
        (number, new.map(Named::Name))
    }
}

/// The number of a text. One that is new gets the next number and comes back, so that it is allocated once.
fn number(numbers: &mut Numbers, text: &str, next: usize) -> (usize, Option<Arc<str>>) {
    if let Some(number) = numbers.get(text) {
        return (*number, None);
    }
    let text: Arc<str> = text.into();
    numbers.insert(text.clone(), next);
    (next, Some(text))
}
