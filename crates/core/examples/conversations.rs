//! What was said on each connection of captures, as files that the fuzz targets take.
//!
//! `conversations DIR FILE...` writes a file for each connection, named by its uid.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::time::Duration;

use tidegate_core::capture::files::CaptureFiles;
use tidegate_core::capture::{Polled, Source};
use tidegate_core::config::Config;
use tidegate_core::decode::{Decoded, Decoder, Segment};
use tidegate_core::flow::{Chunk, Direction, EndReason, Flow, FlowTable, Observer};

/// Longer conversations are cut: fuzzing wants short ones.
const LONGEST: usize = 16 << 10;

#[derive(Default)]
struct Pieces {
    said: HashMap<String, Vec<u8>>,
}

impl Pieces {
    fn add(&mut self, flow: &Flow, direction: Direction, gap: u64, data: &[u8]) {
        let said = self.said.entry(flow.uid().to_string()).or_default();
        for data in data.chunks(usize::from(u16::MAX)) {
            if said.len() + data.len() <= LONGEST {
                said.push(u8::from(direction == Direction::Down) | u8::from(gap > 0) << 1);
                said.extend((data.len() as u16).to_be_bytes());
                said.extend(data);
            }
        }
    }
}

impl Observer for Pieces {
    fn listens(&self, _: &Flow) -> bool {
        true
    }

    fn chunk(&mut self, flow: &mut Flow, chunk: &Chunk<'_>) {
        self.add(flow, chunk.direction, chunk.gap, chunk.data);
    }

    fn datagram(&mut self, flow: &mut Flow, direction: Direction, segment: &Segment<'_>) {
        self.add(flow, direction, 0, segment.payload);
    }

    fn opened(&mut self, _: &mut Flow) {}

    fn row(&mut self, _: &Flow) {}

    fn ended(&mut self, _: &mut Flow, _: EndReason) {}
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let folder = words.next().ok_or("usage: conversations DIR FILE...")?;
    for file in words {
        let config = Config::default();
        let mut pieces = Pieces::default();
        let mut flows = FlowTable::new(&config);
        let mut decoder = Decoder::new(&config);
        let Ok(mut source) = CaptureFiles::open(&[&file]) else {
            continue;
        };
        while let Ok(polled) = source.poll(Duration::ZERO) {
            let packets = match polled {
                Polled::Packets(packets) => packets,
                Polled::End => break,
                _ => continue,
            };
            let mut found = Vec::new();
            packets.iter().for_each(|packet| decoder.decode(packet, &mut found));
            for item in &found {
                if let Decoded::Segment(segment) = item {
                    let place = flows.place(segment);
                    flows.segment(segment, &place, None, &mut pieces);
                }
            }
        }
        for (uid, said) in pieces.said {
            fs::write(format!("{folder}/{uid}"), said)?;
        }
    }
    Ok(())
}
