//! Protocols known by what their two ends say first: how the table of signatures is asked.

mod checks;
mod part;
mod table;

use part::Part;

use super::{First, Guess, Known, NewParser, Service};
use crate::flow::Direction;

/// Bytes of a direction that are looked at.
const LOOKED_AT: usize = 512;

/// One way to recognise a protocol.
struct Signature {
    service: Service,
    said: Said,
    /// What follows the connection further, for the sake of TLS that may begin in it.
    parser: Option<NewParser>,
}

/// Who has to say what. The client is the end that opened the connection.
enum Said {
    Client(&'static [Part]),
    Server(&'static [Part]),
    Either(&'static [Part]),
    /// The client the first, the server the second, in any order.
    Both(&'static [Part], &'static [Part]),
}

impl Signature {
    const fn of(service: Service, said: Said) -> Self {
        Self { service, said, parser: None }
    }

    const fn followed_by(mut self, parser: NewParser) -> Self {
        self.parser = Some(parser);
        self
    }

    fn guess(&self, first: &First<'_>) -> Guess {
        match (&self.said, first.direction) {
            (Said::Client(parts), Direction::Up)
            | (Said::Server(parts), Direction::Down)
            | (Said::Either(parts), _) => all(parts, first.data),
            (Said::Both(parts, others), Direction::Up)
            | (Said::Both(others, parts), Direction::Down) => {
                let guess = all(parts, first.data);
                if guess == Guess::No { guess } else { guess.and(all(others, first.other)) }
            }
            _ => Guess::No,
        }
    }
}

fn all(parts: &[Part], data: &[u8]) -> Guess {
    let mut guess = Guess::Yes;
    for part in parts {
        guess = guess.and(part.guess(data));
        if guess == Guess::No {
            break;
        }
    }
    guess
}

/// What a stream is, by its first bytes. The answer never depends on how they were cut in pieces:
/// what is certain stays so with more bytes.
pub(super) fn stream(first: &First<'_>) -> (Guess, Option<Known>) {
    let beginning = |data| <[u8]>::get(data, ..LOOKED_AT).unwrap_or(data);
    let first = First { data: beginning(first.data), other: beginning(first.other), ..*first };
    let (guess, known) = ask(table::STREAMS, &first);
    let give_up = guess == Guess::Maybe && first.data.len() == LOOKED_AT;
    (if give_up { Guess::No } else { guess }, known)
}

/// Asks all signatures of streams what the client speaks, as long as the server has said nothing. What only both ends
/// or the server can tell is none of them.
pub(super) fn of_client(data: &[u8], mut answer: impl FnMut(Service, Guess)) {
    let all_there = data.len() >= LOOKED_AT;
    let data = data.get(..LOOKED_AT).unwrap_or(data);
    for signature in table::STREAMS {
        if let Said::Client(parts) | Said::Either(parts) = &signature.said {
            let guess = all(parts, data);
            let give_up = guess == Guess::Maybe && all_there;
            answer(signature.service, if give_up { Guess::No } else { guess });
        }
    }
}

/// What a datagram is.
pub(super) fn datagram(first: &First<'_>) -> Option<Known> {
    ask(table::DATAGRAMS, first).1
}

/// The first signature of a service that has a parser.
pub(super) fn parsed(service: &str) -> Option<Known> {
    let named =
        |signature: &&Signature| signature.service.name() == service && signature.parser.is_some();
    table::STREAMS.iter().find(named).map(Signature::known)
}

fn ask(table: &[Signature], first: &First<'_>) -> (Guess, Option<Known>) {
    let mut guess = Guess::No;
    for signature in table {
        match signature.guess(first) {
            Guess::Yes => return (Guess::Yes, Some(signature.known())),
            other => guess = guess.or(other),
        }
    }
    (guess, None)
}

impl Signature {
    fn known(&self) -> Known {
        Known { service: self.service, parser: self.parser }
    }
}
