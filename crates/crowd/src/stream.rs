//! A buffer that hands itself on in chunks, so that a long answer never stands in memory as a whole.

use std::io::{self, Write};

use crate::limits::CHUNK_BYTES;

/// Collects what is written and passes it on whenever an item has filled a chunk.
///
/// Nothing is passed on when it is dropped: an answer that was not finished must not look finished.
pub struct Chunks<W> {
    writer: W,
    buffer: Vec<u8>,
}

impl<W: Write> Chunks<W> {
    pub fn new(writer: W) -> Chunks<W> {
        // Room for the item that goes over the edge.
        Chunks {
            writer,
            buffer: Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 8),
        }
    }

    /// Lets `write` append one item, then passes the buffer on if it is full.
    pub fn item(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        write(&mut self.buffer);
        if self.buffer.len() >= CHUNK_BYTES {
            self.pass_on()?;
        }
        Ok(())
    }

    /// Lets `write` append the end, passes on what is left and gives the writer back.
    pub fn finish(mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<W> {
        write(&mut self.buffer);
        self.pass_on()?;
        self.writer.flush()?;
        Ok(self.writer)
    }

    fn pass_on(&mut self) -> io::Result<()> {
        self.writer.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}
