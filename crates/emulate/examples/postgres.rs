//! A PostgreSQL server for a program that is no test: prints the address of an empty database, and goes when its
//! standard input ends.

use std::io::Read;

use emulate::postgres::TestPostgres;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = TestPostgres::start()?;
    println!("{}", server.create_database()?);
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
