//! Taking a backup: every row of one snapshot, table by table in the order of its key, in little memory.

use std::io::{self, BufWriter, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::catalogue::{self, FLEETING, Kind, Table, newest};
use super::{BackupError, BackupHead, FORMAT, MARK, Mark, SUM, digits};
use crate::conn::Conn;
use crate::row::Value;
use crate::{Arg, ReadTx, Row, StoreError, args, migrate};

/// Rows that are read with one statement.
const ROWS_AT_ONCE: usize = 500;
/// Little is won by more, and it takes much longer.
const COMPRESSION: Compression = Compression::new(4);
/// Bytes of compressed text that are handed on at once.
const PIECE_BYTES: usize = 64 * 1024;

impl ReadTx<'_> {
    /// Writes a backup of everything. `key_mark` is a mark of the secret key, by which a restore knows whether the right one is
    /// there.
    pub fn back_up(&self, key_mark: &str, out: &mut dyn Write) -> Result<(), BackupError> {
        self.back_up_schema(newest(), key_mark, out)
    }

    /// The same of a store that has this schema.
    pub(super) fn back_up_schema(
        &self,
        schema: i64,
        key_mark: &str,
        out: &mut dyn Write,
    ) -> Result<(), BackupError> {
        let head = BackupHead {
            product: env!("CARGO_PKG_VERSION").to_owned(),
            schema,
            schema_mark: migrate::mark_of(schema),
            engine: match self.conn() {
                Conn::Sqlite(_) => "sqlite",
                Conn::Postgres(_) => "postgres",
            }
            .to_owned(),
            store: self.store_id()?,
            key_mark: key_mark.to_owned(),
            taken: self.now(),
            left_out: FLEETING.map(str::to_owned).to_vec(),
        };
        let mut summed = Summed {
            out: BufWriter::with_capacity(PIECE_BYTES, out),
            sum: Sha256::new(),
        };
        writeln!(summed, "{MARK}{FORMAT}")?;
        serde_json::to_writer(&mut summed, &head).map_err(io::Error::from)?;
        summed.write_all(b"\n")?;
        let mut lines = BufWriter::with_capacity(PIECE_BYTES, GzEncoder::new(summed, COMPRESSION));
        let (mut tables, mut rows) = (0, 0);
        for table in catalogue::tables(schema)? {
            if FLEETING.contains(&table.name.as_str()) {
                continue;
            }
            tables += 1;
            rows += self.back_up_table(&table, &mut lines)?;
        }
        write_mark(&mut lines, &Mark::Whole { tables, rows })?;
        let packed = lines.into_inner().map_err(io::IntoInnerError::into_error)?;
        let Summed { mut out, sum } = packed.finish()?;
        writeln!(out, "{SUM}{}", digits(sum.finalize()))?;
        Ok(out.flush()?)
    }

    fn back_up_table(&self, table: &Table, out: &mut impl Write) -> Result<u64, BackupError> {
        let columns = table.columns.iter().map(|column| column.name.clone());
        let begins = Mark::Table {
            name: table.name.clone(),
            columns: columns.collect(),
        };
        write_mark(out, &begins)?;
        let (list, key) = (table.list(), table.key_list());
        let places: Vec<String> = (1..=table.key.len())
            .map(|place| format!("${place}"))
            .collect();
        let first = format!(
            "SELECT {list} FROM {} ORDER BY {key} LIMIT {ROWS_AT_ONCE}",
            catalogue::quoted(&table.name)
        );
        let next = format!(
            "SELECT {list} FROM {} WHERE ({key}) > ({}) ORDER BY {key} LIMIT {ROWS_AT_ONCE}",
            catalogue::quoted(&table.name),
            places.join(", ")
        );
        let mut behind: Option<Vec<Arg<'static>>> = None;
        let (mut rows, mut highest) = (0, 0);
        loop {
            let (sql, args) = match behind.take() {
                None => (&first, args![]),
                Some(args) => (&next, args),
            };
            let mut found = 0;
            let mut last = Vec::new();
            let mut line = Vec::new();
            self.stream(sql, args, |row| {
                found += 1;
                write_row(table, row, &mut line)?;
                out.write_all(&line)?;
                if found == ROWS_AT_ONCE {
                    last = key_of(table, row)?;
                }
                if table.is_numbered {
                    highest = row.int(0)?;
                }
                Ok::<_, BackupError>(())
            })?;
            rows += found as u64;
            if found < ROWS_AT_ONCE {
                break;
            }
            behind = Some(last);
        }
        let next = match table.is_numbered {
            // Rows whose number came from elsewhere are not counted by every engine.
            true => Some(
                self.next_number(&table.name)?
                    .max(highest.saturating_add(1)),
            ),
            false => None,
        };
        write_mark(out, &Mark::End { rows, next })?;
        Ok(rows)
    }

    /// The number that the next row of a table gets.
    fn next_number(&self, table: &str) -> Result<i64, StoreError> {
        let found = match self.conn() {
            Conn::Sqlite(_) => self.query_one(
                "SELECT seq + 1 FROM sqlite_sequence WHERE name = $1",
                args![table],
                |row| row.int(0),
            )?,
            // What it says is not of the snapshot: it can only be further.
            Conn::Postgres(_) => {
                let sequence = self.query_one(
                    "SELECT pg_get_serial_sequence($1, 'pk')",
                    args![table],
                    |row| row.text(0),
                )?;
                let sequence = sequence
                    .ok_or_else(|| StoreError::corrupt(format!("{table} gives no numbers")))?;
                let sql = format!(
                    "SELECT last_value + CASE WHEN is_called THEN 1 ELSE 0 END FROM {sequence}"
                );
                self.query_one(&sql, args![], |row| row.int(0))?
            }
        };
        Ok(found.unwrap_or(1))
    }
}

fn write_mark(out: &mut impl Write, mark: &Mark) -> Result<(), BackupError> {
    serde_json::to_writer(&mut *out, mark).map_err(io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}

/// Writes a row as a JSON array in a line of its own.
fn write_row(table: &Table, row: &Row<'_>, line: &mut Vec<u8>) -> Result<(), BackupError> {
    line.clear();
    line.push(b'[');
    for place in 0..table.columns.len() {
        if place > 0 {
            line.push(b',');
        }
        match row.value(place)? {
            Value::Null => line.extend_from_slice(b"null"),
            Value::Int(number) => write!(line, "{number}")?,
            Value::Text(text) => {
                serde_json::to_writer(&mut *line, text).map_err(io::Error::from)?
            }
            Value::Bytes(_) => {
                return Err(StoreError::corrupt(format!("{} holds bytes", table.name)).into());
            }
        }
    }
    line.extend_from_slice(b"]\n");
    Ok(())
}

fn key_of(table: &Table, row: &Row<'_>) -> Result<Vec<Arg<'static>>, StoreError> {
    let places = table.key.iter();
    let value = |place: &usize| match table.columns.get(*place).map(|column| column.kind) {
        Some(Kind::Number) => Ok(Arg::Int(row.int(*place)?)),
        _ => Ok(Arg::from(row.text(*place)?)),
    };
    places.map(value).collect()
}

/// Sums up what goes through.
struct Summed<W> {
    out: W,
    sum: Sha256,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.sum.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
