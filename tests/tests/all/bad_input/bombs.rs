//! Requests that are small to send and would be large, deep or endless to read.

use flate2::{Compress, Compression, FlushCompress};

use crate::world::Letter;

type Bend = for<'a> fn(Letter<'a>) -> Letter<'a>;

/// What it is, the status it gets, how it is made.
pub(super) const ALL: &[(&str, u16, Bend)] = &[
    ("1 MB of gzip that unpack to 1 GB", 413, |letter| {
        letter.with("content-encoding", "gzip").saying(gzip_of_zeros(1024))
    }),
    ("1 MB of deflate that unpack to 1 GB", 413, |letter| {
        letter.with("content-encoding", "deflate").saying(zlib_of_zeros(1024))
    }),
    ("5 MB", 413, |letter| letter.saying(vec![b' '; 5 << 20])),
    ("a string of 5 MB", 413, |letter| letter.saying(format!("{{\"hook\":\"{}\"}}", "a".repeat(5 << 20)))),
    ("arrays 100,000 deep", 400, |letter| letter.saying(nested("[", "]", 100_000))),
    ("objects 100,000 deep", 400, |letter| letter.saying(nested("{\"a\":", "}", 100_000))),
    ("arrays 100,000 deep that nobody closes", 400, |letter| letter.saying("[".repeat(100_000))),
    ("65 levels", 400, |letter| letter.saying(nested("[", "]", 65))),
    ("a million values and more", 400, |letter| letter.saying(format!("[{}1]", "1,".repeat(1_000_001)))),
    ("a million members and more", 413, |letter| {
        letter.saying(format!("{{{}\"z\":1}}", (0..1_000_001).map(|key| format!("\"{key}\":1,")).collect::<String>()))
    }),
    ("ten million elements", 413, |letter| letter.saying(format!("[{}1]", "1,".repeat(10_000_000)))),
    ("a Bundle of a million entries", 400, |letter| letter.saying(bundle_of(1_000_000))),
    ("backslashes without end", 400, |letter| letter.saying(format!("{{\"hook\":\"{}", "\\\\".repeat(1_000_000)))),
];

/// The most memory that this process ever held, in bytes.
pub(super) fn most_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kilobytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes << 10
}

/// So many megabytes of zeros as blocks that stand for themselves: each is packed once and repeated.
fn blocks_of_zeros(megabytes: usize) -> Vec<u8> {
    let mut packed = Vec::with_capacity(64 << 10);
    let mut compress = Compress::new(Compression::best(), false);
    compress.compress_vec(&vec![0; 1 << 20], &mut packed, FlushCompress::Full).unwrap();
    packed.repeat(megabytes)
}

fn gzip_of_zeros(megabytes: usize) -> Vec<u8> {
    [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff][..], &blocks_of_zeros(megabytes)].concat()
}

fn zlib_of_zeros(megabytes: usize) -> Vec<u8> {
    [&[0x78, 0x9c][..], &blocks_of_zeros(megabytes)].concat()
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("{}1{}", open.repeat(depth), close.repeat(depth))
}

fn bundle_of(entries: usize) -> String {
    format!(r#"{{"resourceType":"Bundle","entry":[{}{{}}]}}"#, "{},".repeat(entries))
}

#[test]
fn the_bomb_is_a_bomb() {
    use std::io::Read as _;
    let packed = gzip_of_zeros(8);
    assert!(packed.len() < 16 << 10, "{}", packed.len());
    let mut unpacked = Vec::new();
    // It has no end, which is an error; what was unpacked before counts.
    let _ = flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut unpacked);
    assert_eq!(unpacked.len(), 8 << 20);
}
