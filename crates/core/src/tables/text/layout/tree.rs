//! The keys of a line as objects within objects, put together once.

use super::super::cell::Cell;
use super::super::escape;
use super::style::Source;
use super::{Columns, Key, Value};
use crate::error::Error;

/// Objects within objects, at most.
const DEEPEST: usize = 16;

/// The keys of an object, in their order.
#[derive(Debug, Default)]
pub(super) struct Object {
    entries: Vec<Entry>,
}

/// A key and what stands there.
#[derive(Debug)]
struct Entry {
    name: String,
    /// A comma, the key and a colon; of a constant its value as well.
    before: Vec<u8>,
    node: Node,
}

#[derive(Debug)]
enum Node {
    /// All of it is in `before`.
    Constant,
    Source(Source),
    Object(Object),
}

impl Object {
    /// Puts keys together; an error names one that cannot be.
    pub(super) fn new(keys: &[Key], columns: &mut Columns) -> Result<Self, Error> {
        let mut whole = Self::default();
        for key in keys {
            whole.plant(key, columns)?;
        }
        whole.merge();
        Ok(whole)
    }

    fn plant(&mut self, key: &Key, columns: &mut Columns) -> Result<(), Error> {
        let names: Vec<&str> = key.path.split('.').collect();
        let wrong = || Error::Usage(format!("key \"{}\" cannot stand in this layout", key.path));
        let (last, above) = names.split_last().ok_or_else(wrong)?;
        if names.len() > DEEPEST || names.contains(&"") {
            return Err(wrong());
        }
        let mut object = self;
        for name in above {
            object = object.within(name).ok_or_else(wrong)?;
        }
        if object.entries.iter().any(|entry| entry.name == *last) {
            return Err(wrong());
        }
        let mut entry = Entry::new(last, Node::Constant);
        match &key.value {
            Value::Constant(json) => entry.before.extend_from_slice(json.as_bytes()),
            value => entry.node = Node::Source(Source::new(value, columns)),
        }
        object.entries.push(entry);
        Ok(())
    }

    /// The object of that name in this one; `None` where something else stands there.
    fn within(&mut self, name: &str) -> Option<&mut Self> {
        if !self.entries.iter().any(|entry| entry.name == name) {
            self.entries.push(Entry::new(name, Node::Object(Self::default())));
        }
        let found = self.entries.iter_mut().find(|entry| entry.name == name)?;
        match &mut found.node {
            Node::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Makes one of constants that stand beside each other.
    fn merge(&mut self) {
        let mut merged: Vec<Entry> = Vec::with_capacity(self.entries.len());
        for mut entry in self.entries.drain(..) {
            if let Node::Object(object) = &mut entry.node {
                object.merge();
            }
            match (merged.last_mut(), &entry.node) {
                (Some(Entry { before, node: Node::Constant, .. }), Node::Constant) => {
                    before.append(&mut entry.before);
                }
                _ => merged.push(entry),
            }
        }
        self.entries = merged;
    }

    /// Appends the object, if there is anything in it; whether there was.
    pub(super) fn write(
        &self,
        cells: &[Cell<'_>],
        row: usize,
        out: &mut Vec<u8>,
        scratch: &mut Vec<u8>,
    ) -> bool {
        let start = out.len();
        for entry in &self.entries {
            let mark = out.len();
            out.extend_from_slice(&entry.before);
            let there = match &entry.node {
                Node::Constant => true,
                Node::Source(source) => source.write(cells, row, out, scratch),
                Node::Object(object) => object.write(cells, row, out, scratch),
            };
            if !there {
                out.truncate(mark);
            }
        }
        // The comma before the first key makes room for the bracket.
        let Some(first) = out.get_mut(start) else { return false };
        *first = b'{';
        out.push(b'}');
        true
    }
}

impl Entry {
    fn new(name: &str, node: Node) -> Self {
        let mut before = vec![b','];
        escape::ascii(name, &mut before);
        before.push(b':');
        Self { name: name.to_owned(), before, node }
    }
}
