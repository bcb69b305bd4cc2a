//! Reading a backup: first whether it is what was written, then whether it says what can be.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::catalogue::{self, Kind, Table, newest};
use super::{BackupContent, BackupError, BackupHead, FORMAT, MARK, Mark, SUM, SUM_BYTES, digits};
use crate::{Arg, migrate};

/// Bytes of the lines before the compressed part.
const HEAD_BYTES_MAX: u64 = 64 * 1024;
/// Bytes of one line of the compressed part; no row is near it.
const LINE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Bytes that are read at once.
const PIECE_BYTES: usize = 128 * 1024;

/// A backup, by what it says of itself.
pub(super) struct BackupFile {
    path: PathBuf,
    pub(super) head: BackupHead,
    head_bytes: u64,
    bytes: u64,
}

/// What is found in a backup, in its order.
pub(super) enum Found<'f> {
    /// A row of a table.
    Row(&'f Table, Vec<Arg<'static>>),
    /// The table is at its end; the number that its next row gets.
    End(&'f Table, Option<i64>),
}

/// A value in a row.
#[derive(Deserialize)]
#[serde(untagged)]
enum Cell {
    Number(i64),
    Text(String),
}

impl BackupFile {
    /// Reads what a file says of itself. Of what follows nothing is known yet.
    pub(super) fn open(path: &Path) -> Result<Self, BackupError> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let (head, head_bytes) = head_of(&mut BufReader::new(file))?;
        Ok(Self {
            path: path.to_owned(),
            head,
            head_bytes,
            bytes,
        })
    }

    /// Looks at everything.
    pub(super) fn verify(&self) -> Result<BackupContent, BackupError> {
        let sum = self.verify_sum()?;
        let mut content = BackupContent::new(self.head.clone(), self.bytes, sum);
        content.count(|each| self.read(each))?;
        Ok(content)
    }

    /// The bytes that the last line is the sum of.
    fn summed_bytes(&self) -> u64 {
        self.bytes.saturating_sub(SUM_BYTES as u64)
    }

    fn verify_sum(&self) -> Result<String, BackupError> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.summed_bytes()))?;
        let mut last = Vec::new();
        file.by_ref()
            .take(SUM_BYTES as u64)
            .read_to_end(&mut last)?;
        file.seek(SeekFrom::Start(0))?;
        let (mut left, mut sum) = (file.take(self.summed_bytes()), Sha256::new());
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            match left.read(&mut piece)? {
                0 => break,
                read => sum.update(piece.get(..read).unwrap_or_default()),
            }
        }
        checked_sum(&last, sum)
    }

    /// Hands over what is in it.
    pub(super) fn read(
        &self,
        each: impl FnMut(Found<'_>) -> Result<(), BackupError>,
    ) -> Result<u64, BackupError> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.head_bytes))?;
        let packed = file.take(self.summed_bytes().saturating_sub(self.head_bytes));
        read_rows(
            &self.head,
            BufReader::with_capacity(PIECE_BYTES, packed),
            each,
        )
    }
}

/// Looks at all of a backup as it comes, without keeping anything of it.
pub(super) fn verify_as_it_comes(from: impl Read) -> Result<BackupContent, BackupError> {
    let mut summed = BufReader::with_capacity(PIECE_BYTES, Summed::new(from));
    let (head, _) = head_of(&mut summed)?;
    let mut content = BackupContent::new(head.clone(), 0, String::new());
    let looked = content.count(|each| read_rows(&head, &mut summed, each));
    // The sum is of everything, and says best what is wrong with a file that was cut off or changed.
    io::copy(&mut summed, &mut io::sink())?;
    let summed = summed.into_inner();
    content.bytes = summed.bytes + summed.held.len() as u64;
    content.sha256 = checked_sum(&summed.held, summed.sum)?;
    looked?;
    Ok(content)
}

/// The sum as it is, if the last line says the same.
fn checked_sum(last: &[u8], sum: Sha256) -> Result<String, BackupError> {
    let last = std::str::from_utf8(last).ok();
    let kept = last.and_then(|line| line.strip_prefix(SUM)?.strip_suffix('\n'));
    let kept = kept
        .filter(|kept| kept.len() == 64)
        .ok_or(BackupError::Cut)?;
    let sum = digits(sum.finalize());
    match sum == kept {
        true => Ok(sum),
        false => Err(BackupError::damaged("its checksum is another than it says")),
    }
}

/// What comes, but for the last line, and the sum of that.
struct Summed<R> {
    from: R,
    /// What came and was not handed over: at the end, the last line.
    held: Vec<u8>,
    sum: Sha256,
    bytes: u64,
}

impl<R: Read> Summed<R> {
    fn new(from: R) -> Self {
        Self {
            from,
            held: Vec::new(),
            sum: Sha256::new(),
            bytes: 0,
        }
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.held.len() <= SUM_BYTES {
            let mut piece = self.from.by_ref().take(PIECE_BYTES as u64);
            if piece.read_to_end(&mut self.held)? == 0 {
                break;
            }
        }
        let free = self.held.len().saturating_sub(SUM_BYTES);
        let count = free.min(into.len());
        if let (Some(place), Some(bytes)) = (into.get_mut(..count), self.held.get(..count)) {
            place.copy_from_slice(bytes);
            self.sum.update(bytes);
        }
        self.held.drain(..count);
        self.bytes += count as u64;
        Ok(count)
    }
}

/// What a backup says of itself, and how many bytes that takes. Of what follows nothing is known yet.
fn head_of(from: &mut impl BufRead) -> Result<(BackupHead, u64), BackupError> {
    let mut lines = from.take(HEAD_BYTES_MAX);
    let mut line = Vec::new();
    let mut head_bytes = lines.read_until(b'\n', &mut line)? as u64;
    let format = std::str::from_utf8(&line)
        .ok()
        .and_then(|text| text.strip_prefix(MARK));
    let format = format.ok_or(BackupError::Foreign)?;
    let format: u32 = format
        .trim_end()
        .parse()
        .map_err(|_no_number| BackupError::Foreign)?;
    if format > FORMAT {
        return Err(newer("format", i64::from(format), i64::from(FORMAT)));
    }
    line.clear();
    head_bytes += lines.read_until(b'\n', &mut line)? as u64;
    if line.last() != Some(&b'\n') {
        return Err(BackupError::Cut);
    }
    let head: BackupHead = serde_json::from_slice(&line)
        .map_err(|error| BackupError::damaged(format!("what it says of itself: {error}")))?;
    if head.schema > newest() {
        return Err(newer("schema", head.schema, newest()));
    }
    if head.schema_mark != migrate::mark_of(head.schema) {
        return Err(BackupError::OtherSchema {
            schema: head.schema,
            product: head.product,
        });
    }
    Ok((head, head_bytes))
}

/// The tables that have to be in it.
fn tables_of(head: &BackupHead) -> Result<Vec<Table>, BackupError> {
    let mut tables = catalogue::tables(head.schema)?;
    tables.retain(|table| !head.left_out.contains(&table.name));
    Ok(tables)
}

/// Hands over what is in the compressed part, and looks whether it can be so: tables and columns of the schema, values of their
/// types, rows in the order of their keys, and as many as it says. Gives the number of rows.
fn read_rows(
    head: &BackupHead,
    packed: impl BufRead,
    mut each: impl FnMut(Found<'_>) -> Result<(), BackupError>,
) -> Result<u64, BackupError> {
    let mut lines = Lines {
        text: BufReader::with_capacity(PIECE_BYTES, GzDecoder::new(packed)),
        line: Vec::new(),
    };
    let tables = tables_of(head)?;
    let mut all = 0;
    for table in &tables {
        begins(table, lines.mark()?)?;
        let mut before: Option<Vec<Arg<'static>>> = None;
        let mut rows = 0;
        loop {
            let line = lines.next()?;
            if !line.starts_with(b"[") {
                break;
            }
            rows += 1;
            let row = row(table, line).map_err(|what| {
                BackupError::contradiction(format!("row {rows} of {}: {what}", table.name))
            })?;
            if before.is_some_and(|before| in_order(table, &before, &row) != Ordering::Less) {
                let what = format!("row {rows} of {} is out of order", table.name);
                return Err(BackupError::contradiction(what));
            }
            before = Some(
                table
                    .key
                    .iter()
                    .filter_map(|place| row.get(*place).cloned())
                    .collect(),
            );
            each(Found::Row(table, row))?;
        }
        let next = match lines.understood()? {
            Mark::End { rows: said, next } if said == rows => next,
            _ => {
                let what = format!("{} has not as many rows as it says", table.name);
                return Err(BackupError::contradiction(what));
            }
        };
        let highest = match before.as_deref() {
            Some([Arg::Int(number), ..]) => *number,
            _ => 0,
        };
        if next.is_some() != table.is_numbered || next.is_some_and(|next| next <= highest) {
            let what = format!("{} would give a number twice", table.name);
            return Err(BackupError::contradiction(what));
        }
        each(Found::End(table, next))?;
        all += rows;
    }
    match lines.mark()? {
        Mark::Whole { tables: said, rows } if (said, rows) == (tables.len() as u64, all) => {}
        _ => return Err(BackupError::contradiction("it has not as much as it says")),
    }
    match lines.text.fill_buf()?.is_empty() {
        true => Ok(all),
        false => Err(BackupError::contradiction("it goes on behind its end")),
    }
}

/// The lines of the compressed part.
struct Lines<R> {
    text: BufReader<R>,
    line: Vec<u8>,
}

impl<R: Read> Lines<R> {
    fn next(&mut self) -> Result<&[u8], BackupError> {
        self.line.clear();
        let unpacking = |error: std::io::Error| BackupError::damaged(error.to_string());
        let mut limited = self.text.by_ref().take(LINE_BYTES_MAX);
        limited
            .read_until(b'\n', &mut self.line)
            .map_err(unpacking)?;
        match self.line.last() {
            Some(b'\n') => Ok(&self.line),
            _ => Err(BackupError::damaged("a line has no end")),
        }
    }

    /// What the line says that was read last.
    fn understood(&self) -> Result<Mark, BackupError> {
        serde_json::from_slice(&self.line)
            .map_err(|error| BackupError::contradiction(format!("a line says nothing: {error}")))
    }

    fn mark(&mut self) -> Result<Mark, BackupError> {
        self.next()?;
        self.understood()
    }
}

fn newer(what: &'static str, found: i64, known: i64) -> BackupError {
    BackupError::Newer { what, found, known }
}

/// Looks whether a table begins here, as the schema has it.
fn begins(table: &Table, mark: Mark) -> Result<(), BackupError> {
    let Mark::Table { name, columns } = mark else {
        let what = format!("{} does not begin where it has to", table.name);
        return Err(BackupError::contradiction(what));
    };
    let known = table.columns.iter().map(|column| &column.name);
    match name == table.name && columns.iter().eq(known) {
        true => Ok(()),
        false => {
            let what = format!("{name} is not as the schema has {}", table.name);
            Err(BackupError::contradiction(what))
        }
    }
}

fn row(table: &Table, line: &[u8]) -> Result<Vec<Arg<'static>>, String> {
    let cells: Vec<Option<Cell>> =
        serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if cells.len() != table.columns.len() {
        return Err(format!(
            "{} values for {} columns",
            cells.len(),
            table.columns.len()
        ));
    }
    let values = cells.into_iter().zip(&table.columns).enumerate();
    values
        .map(|(place, (cell, column))| match (cell, column.kind) {
            (None, _) if table.key.contains(&place) => Err(format!("{} is empty", column.name)),
            (None, _) => Ok(Arg::Null),
            (Some(Cell::Number(number)), Kind::Number) => Ok(Arg::Int(number)),
            (Some(Cell::Text(text)), Kind::Text) if !text.contains('\0') => Ok(Arg::from(text)),
            _ => Err(format!("{} is not of its type", column.name)),
        })
        .collect()
}

/// How the key of a row stands to that of the row after it.
fn in_order(table: &Table, before: &[Arg<'static>], row: &[Arg<'static>]) -> Ordering {
    let key = table.key.iter().filter_map(|place| row.get(*place));
    let compared = before
        .iter()
        .zip(key)
        .map(|(before, now)| match (before, now) {
            (Arg::Int(before), Arg::Int(now)) => before.cmp(now),
            (Arg::Text(before), Arg::Text(now)) => before.as_bytes().cmp(now.as_bytes()),
            _ => Ordering::Equal,
        });
    compared.fold(Ordering::Equal, Ordering::then)
}
