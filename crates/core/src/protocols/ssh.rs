//! SSH: what both sides call themselves (RFC 4253, section 4.2). All after that is encrypted.

use super::{Budget, Buffer, Context, First, Guess, Parser, Protocol, Service, Step, Violation};
use crate::flow::{Chunk, Direction};
use crate::packet::Nanos;
use crate::tables::ssh::SshRow;

/// SSH, over any stream.
pub(super) const PROTOCOL: Protocol =
    Protocol { service: Service::Ssh, probe, resumes: false, parser: Some(Greetings::boxed) };

/// Bytes of a direction in which the identification must end. It has at most 255, but a server may
/// say other lines before it.
const LONGEST: usize = 4096;

fn probe(first: &First<'_>) -> Guess {
    Guess::begins(first.data, b"SSH-")
}

/// The two identification strings, as far as they have come.
struct Greetings {
    ts: Nanos,
    /// Up and down.
    heard: [Buffer; 2],
}

impl Greetings {
    fn boxed(_: Direction, budget: &Budget) -> Box<dyn Parser> {
        Box::new(Self { ts: 0, heard: [Buffer::new(budget), Buffer::new(budget)] })
    }

    /// The identification, once its line has ended; a server may say other things before it.
    fn line(&self, direction: Direction) -> Option<&[u8]> {
        let heard = self.heard.get(direction as usize)?.bytes();
        let mut lines = heard.split_inclusive(|byte| *byte == b'\n');
        let line = lines.find(|line| line.starts_with(b"SSH-"))?.strip_suffix(b"\n")?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

impl Parser for Greetings {
    fn feed(&mut self, chunk: &Chunk<'_>, _: &mut Context<'_>) -> Result<Step, Violation> {
        if self.ts == 0 {
            self.ts = chunk.ts;
        }
        if chunk.gap > 0 {
            return Ok(Step::Done);
        }
        if self.line(chunk.direction).is_none()
            && let Some(heard) = self.heard.get_mut(chunk.direction as usize)
        {
            let room = LONGEST - heard.len();
            heard.extend(chunk.data.get(..room.min(chunk.data.len())).unwrap_or_default())?;
            if heard.len() == LONGEST && self.line(chunk.direction).is_none() {
                return Err(Violation("ssh identification too long"));
            }
        }
        let both = self.line(Direction::Up).and(self.line(Direction::Down));
        Ok(if both.is_some() { Step::Done } else { Step::More })
    }

    fn end(&mut self, context: &mut Context<'_>) {
        let ends = context.ends(Direction::Up);
        context.rows.ssh.push(&SshRow {
            ts: self.ts,
            uid: &ends.uid,
            sensor: ends.sensor,
            iface: ends.iface,
            src_ip: &ends.src_ip,
            src_port: ends.src_port,
            dst_ip: &ends.dst_ip,
            dst_port: ends.dst_port,
            client: self.line(Direction::Up),
            server: self.line(Direction::Down),
        });
    }
}
