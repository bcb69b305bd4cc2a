//! `cargo run -p fuzz -- <target> <seconds>`: mutates the corpus of a target until the time is over or a law is
//! broken; then the input that broke it is printed, and kept in `fuzz/findings`.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fuzz::{Mutator, TARGETS, Target, corpus};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (target, seconds) = match arguments.as_slice() {
        [name, seconds] => (Target::named(name), seconds.parse().ok()),
        _ => (None, None),
    };
    let (Some(target), Some(seconds)) = (target, seconds) else {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!(
            "usage: fuzz <target> <seconds>; the targets are {}",
            names.join(", ")
        );
        return ExitCode::from(2);
    };
    match run(target, Duration::from_secs(seconds)) {
        Ok((count, slowest)) => {
            println!(
                "{}: {count} inputs, the slowest took {slowest:?}, nothing found",
                target.name
            );
            ExitCode::SUCCESS
        }
        Err(found) => {
            eprintln!("{}: {found}", target.name);
            ExitCode::FAILURE
        }
    }
}

fn run(target: &Target, time: Duration) -> Result<(u64, Duration), String> {
    let corpus = corpus::of(target.name).map_err(|error| error.to_string())?;
    let began = Instant::now();
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = since.map_err(|error| error.to_string())?.as_nanos() as u64;
    let mut mutator = Mutator::new(seed, target.words);
    let mut count = 0;
    let mut slowest = Duration::ZERO;
    for (_, input) in &corpus {
        slowest = slowest.max(try_one(target, input)?);
    }
    while began.elapsed() < time {
        slowest = slowest.max(try_one(target, &mutator.next(&corpus))?);
        count += 1;
    }
    Ok((count, slowest))
}

/// How long an input took.
fn try_one(target: &Target, input: &[u8]) -> Result<Duration, String> {
    let began = Instant::now();
    let Err(wrong) = target.check(input) else {
        return Ok(began.elapsed());
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("findings");
    let file = folder.join(format!("{}-{}", target.name, input.len()));
    let kept = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, input));
    let kept = match kept {
        Ok(()) => format!("kept as {}", file.display()),
        Err(error) => format!("not kept: {error}"),
    };
    Err(format!("{wrong}\n{}\n({kept})", input.escape_ascii()))
}
