//! The distinct pairs of a queue and an email address in a payload, and where each is requested.
//!
//! Here, a pair is identified the way its caller identified it. If one request gives an address by identifier and another
//! gives the same address by name, that makes two pairs. The plan merges them once the names are resolved.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;

use crate::index::{Index, IndexList, PairIndex, QueueIndex, RequestIndex, SourceIndex};
use crate::payload::{Body, Envelope, EnvelopeKind, Item, Source};
use crate::requests::{
    Base, Context, Defaults, EmailAddressId, Entry, InstanceId, Invalid, Named, Options, Path, QueueId,
    Request, innermost, is_similar, no_misplaced_fields, too_many_parts, with_request,
};

/// A requested queue of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedQueue {
    /// The instance.
    pub instance: InstanceId,
    /// The queue.
    pub queue: Named<QueueId>,
}

/// A requested pair, as the caller specified it.
///
/// Two variants instead of a `Named` field, which would take a third more memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pair {
    /// The caller specified the address by its identifier.
    Id(QueueIndex, EmailAddressId),
    /// The caller specified the address itself.
    Name(QueueIndex, Arc<str>),
}

const _: () = assert!(size_of::<Pair>() == 24);

/// One request of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestInfo {
    /// The source that contains the request.
    pub source: SourceIndex,
    /// The request's options.
    pub options: Options,
    /// The caller's own name for the request, if there is one.
    pub reference: Option<Arc<str>>,
}

/// One mention of a pair in a request. A request may mention a pair several times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mention {
    /// The pair.
    pub pair: PairIndex,
    /// The request.
    pub request: RequestIndex,
    /// The path of this mention in the request.
    pub path: Path,
}

/// All pairs of an invocation, and their mentions.
#[derive(Debug, Default)]
pub struct Pairs {
    /// The requests.
    pub requests: IndexList<RequestIndex, RequestInfo>,
    /// The queues, in the order in which they were first requested.
    pub queues: IndexList<QueueIndex, RequestedQueue>,
    /// The pairs, in the order in which they were first requested.
    pub pairs: IndexList<PairIndex, Pair>,
    /// The mentions of the pairs, in the order of their sources.
    pub mentions: Vec<Mention>,
    /// The invalid parts, each with its request.
    pub invalid: Vec<(RequestIndex, Invalid)>,
    /// The first message of a batch that would exceed [`Context::max_parts`]. Neither it nor any later message was read.
    pub(crate) first_unread: Option<SourceIndex>,
}

/// Collects the pairs while the sources are read. Its look-up tables are dropped afterwards.
#[derive(Debug)]
struct PairsBuilder {
    pairs: Pairs,
    max_parts: usize,
    /// Texts that were seen before, to share them: most requests repeat the instance and the reference of another.
    instances: HashSet<InstanceId>,
    references: HashSet<Arc<str>>,
    queues: IndexTable<QueueIndex>,
    addresses: IndexTable<PairIndex>,
}

/// Finds an element of a list by its key. The table stores indices and not keys, because the keys are most of a large
/// batch. Callers choose the keys, so the hasher has a random state that callers cannot know.
#[derive(Debug)]
struct IndexTable<I> {
    indices: HashTable<I>,
    hasher: RandomState,
}

impl Pairs {
    /// Reads the sources of an envelope, up to the first message of a batch that would exceed
    /// [`Context::max_parts`]. Any other source that exceeds it is invalid as a whole.
    ///
    /// # Errors
    /// Rejects invalid defaults of a Distributed Map batch, because no item can be read without them. Also rejects a request
    /// field outside the requests of an envelope, because it is unclear what it would mean for them.
    pub fn read(envelope: &Envelope<'_>, context: Context<'_>) -> Result<Self, Invalid> {
        no_misplaced_members(envelope)?;
        // Most sources request one pair, so their number is a good capacity.
        let mut builder = PairsBuilder::with_capacity(envelope.sources.len(), context.max_parts);
        for (source, content) in envelope.sources.indexed() {
            let read = match &content.body {
                Body::Text(text) => with_request(text, |json| {
                    builder.add(source, vec![Request::read(json, Base::Root, &context)])
                })
                .unwrap_or_else(|invalid| builder.add_unreadable(source, invalid.in_text(innermost(text)))),
                Body::Unreadable { raw, reason } => {
                    let invalid = Invalid::new(Path::default(), reason.as_str());
                    builder.add_unreadable(source, invalid.in_text(&**raw))
                }
                Body::Request(json) => builder.add(source, vec![Request::read(json, Base::Root, &context)]),
                Body::Items { items, batch_input } => {
                    let defaults =
                        batch_input.as_ref().map(|json| Defaults::read(json, context.scope)).transpose()?;
                    let context = Context { defaults: defaults.unwrap_or_default(), ..context };
                    builder.add(source, items_of(items, &context))
                }
            };
            match read {
                Ok(()) => {}
                Err(TooManyParts) if envelope.kind.is_batch() => {
                    builder.pairs.first_unread = Some(source);
                    break;
                }
                // It cannot be redelivered, so it is invalid as a whole.
                Err(TooManyParts) => {
                    let reason = too_many_parts("payload", context.max_parts);
                    builder.add_invalid(source, Invalid::new(Path::default(), reason));
                }
            }
        }
        Ok(builder.pairs)
    }

    pub(crate) fn source_of(&self, mention: &Mention) -> SourceIndex {
        self.requests[mention.request].source
    }

    /// Whether a queue or an address is specified by its name. If not, all pairs are known to be different.
    pub fn has_names(&self) -> bool {
        self.queues.iter().any(|queue| queue.queue.name().is_some())
            || self.pairs.iter().any(|pair| matches!(pair, Pair::Name(..)))
    }

    /// Whether a queue or address that was not found may only be new: true on the first delivery of an SQS message that is
    /// not a continuation.
    pub(crate) fn may_be_new(
        &self,
        request: RequestIndex,
        sources: &IndexList<SourceIndex, Source<'_>>,
    ) -> bool {
        let RequestInfo { source, options, .. } = &self.requests[request];
        sources[*source].delivery.is_first() && !options.continued
    }
}

fn no_misplaced_members(envelope: &Envelope<'_>) -> Result<(), Invalid> {
    let members = &envelope.other_members;
    if envelope.kind != EnvelopeKind::DistributedMap {
        return no_misplaced_fields(members, "detail", "detail");
    }
    if let Some((name, _)) = members.iter().find(|(name, _)| is_similar(name, "BatchInput")) {
        return Err(Invalid::misspelled_member(name, "BatchInput"));
    }
    no_misplaced_fields(members, "Items", "BatchInput or an item")
}

/// The invocation would have more than [`Context::max_parts`].
#[derive(Debug)]
struct TooManyParts;

/// Reads the items of a Distributed Map batch, until they exceed [`Context::max_parts`].
fn items_of<'a>(items: &'a [Item<'a>], context: &Context<'a>) -> Vec<Request<'a>> {
    let mut requests = Vec::new();
    let mut parts = 0;
    for (number, item) in (0u32..).zip(items) {
        let base = Base::Item(number);
        let request = match item {
            Item::Request(json) => Request::read(json, base, context),
            Item::Malformed(reason) => Request::malformed(base, context, reason),
        };
        parts += request.parts();
        requests.push(request);
        if parts > context.max_parts {
            break;
        }
    }
    requests
}

impl PairsBuilder {
    /// Reserves memory for this many pairs, so that the look-up tables need not grow.
    fn with_capacity(pairs: usize, max_parts: usize) -> Self {
        PairsBuilder {
            pairs: Pairs::default(),
            max_parts,
            instances: HashSet::new(),
            references: HashSet::new(),
            queues: IndexTable::with_capacity(pairs),
            addresses: IndexTable::with_capacity(pairs),
        }
    }

    /// Adds the requests of a source, or nothing if the invocation would then have more than [`Context::max_parts`].
    fn add(&mut self, source: SourceIndex, requests: Vec<Request<'_>>) -> Result<(), TooManyParts> {
        self.reserve(requests.iter().map(Request::parts).sum())?;
        requests.into_iter().for_each(|request| self.add_request(source, request));
        Ok(())
    }

    fn reserve(&mut self, parts: usize) -> Result<(), TooManyParts> {
        if self.pairs.mentions.len() + self.pairs.invalid.len() + parts > self.max_parts {
            return Err(TooManyParts);
        }
        Ok(())
    }

    fn add_request(&mut self, source: SourceIndex, read: Request<'_>) {
        let request = self.push_request(source, read.options, read.reference);
        // An entry without a valid address adds no queue, so nothing looks the queue up.
        for entry in read.entries.iter().filter(|entry| !entry.addresses.is_empty()) {
            let queue = self.queue(entry);
            for (path, address) in &entry.addresses {
                let pair = self.pair(queue, *address);
                self.pairs.mentions.push(Mention { pair, request, path: *path });
            }
        }
        self.pairs.invalid.extend(read.invalid.into_iter().map(|invalid| (request, invalid)));
    }

    /// Adds a source whose request cannot be read, as [`PairsBuilder::add`] does.
    fn add_unreadable(&mut self, source: SourceIndex, invalid: Invalid) -> Result<(), TooManyParts> {
        self.reserve(1)?;
        self.add_invalid(source, invalid);
        Ok(())
    }

    fn add_invalid(&mut self, source: SourceIndex, invalid: Invalid) {
        let request = self.push_request(source, Options::default(), None);
        self.pairs.invalid.push((request, invalid));
    }

    fn push_request(
        &mut self,
        source: SourceIndex,
        options: Options,
        reference: Option<&str>,
    ) -> RequestIndex {
        let reference = reference.map(|text| shared(&mut self.references, text, || text.into()));
        self.pairs.requests.push(RequestInfo { source, options, reference })
    }

    fn queue(&mut self, entry: &Entry<'_>) -> QueueIndex {
        let queues = &self.pairs.queues;
        let key_of = |queue: QueueIndex| (&*queues[queue].instance, queues[queue].queue.as_ref().as_str());
        let key = (&*entry.instance, entry.queue.as_ref().as_str());
        let queue = self.queues.index(&key, queues.next_index(), key_of);
        if queue == queues.next_index() {
            let instance = shared(&mut self.instances, &entry.instance, || entry.instance.shared());
            self.pairs.queues.push(RequestedQueue { instance, queue: entry.queue.shared() });
        }
        queue
    }

    fn pair(&mut self, queue: QueueIndex, address: Named<EmailAddressId<&str>, &str>) -> PairIndex {
        let pairs = &self.pairs.pairs;
        let key_of = |pair: PairIndex| (pairs[pair].queue(), pairs[pair].address().as_str());
        let pair = self.addresses.index(&(queue, address.as_ref().as_str()), pairs.next_index(), key_of);
        if pair == pairs.next_index() {
            self.pairs.pairs.push(match address.shared() {
                Named::Id(id) => Pair::Id(queue, id),
                Named::Name(address) => Pair::Name(queue, address),
            });
        }
        pair
    }
}

/// Returns the one shared copy of a text.
fn shared<T: Borrow<str> + Hash + Eq + Clone>(
    known: &mut HashSet<T>,
    text: &str,
    copy: impl FnOnce() -> T,
) -> T {
    if let Some(known) = known.get(text) {
        return known.clone();
    }
    let copy = copy();
    known.insert(copy.clone());
    copy
}

impl<I: Index> IndexTable<I> {
    fn with_capacity(keys: usize) -> Self {
        IndexTable { indices: HashTable::with_capacity(keys), hasher: RandomState::new() }
    }

    /// Returns the index of the element with this key. A new key gets the index `next`, and the caller must put the
    /// element there.
    fn index<Key: Hash + Eq>(&mut self, key: &Key, next: I, key_of: impl Fn(I) -> Key) -> I {
        let hash = self.hasher.hash_one(key);
        let matches = |index: &I| key_of(*index) == *key;
        let hash_of = |index: &I| self.hasher.hash_one(key_of(*index));
        *self.indices.entry(hash, matches, hash_of).or_insert(next).get()
    }
}

impl Pair {
    /// The queue.
    pub fn queue(&self) -> QueueIndex {
        let (Pair::Id(queue, _) | Pair::Name(queue, _)) = self;
        *queue
    }

    /// The email address.
    pub fn address(&self) -> Named<&EmailAddressId, &Arc<str>> {
        match self {
            Pair::Id(_, id) => Named::Id(id),
            Pair::Name(_, address) => Named::Name(address),
        }
    }
}
