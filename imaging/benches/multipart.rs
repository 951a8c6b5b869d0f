//! Taking a stored study's body apart: 2,000 parts of 256 KiB, coming in chunks of 64 KiB.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use medvan_imaging::multipart::{Boundary, ContentType, Event, Limits, PartHead, Reader, Writer};

const PARTS: usize = 2000;
const PART: usize = 256 * 1024;
const CHUNK: usize = 64 * 1024;
/// So many parts are made, and sent again and again: the body as a whole would be 524 MB.
const PERIOD: usize = 40;

/// Bytes without any order (xorshift), as compressed pixels are.
fn noise(length: usize) -> Vec<u8> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes
}

/// What a sender would like us to stumble over: every line looks like the beginning of a delimiter. About so long.
fn lookalikes(boundary: &Boundary, length: usize) -> Vec<u8> {
    let line = format!("\r\n--{boundary}{}x", " ".repeat(60));
    line.repeat(length / line.len()).into_bytes()
}

/// The body of some parts in chunks, without its end.
fn chunks(boundary: &Boundary, payload: &[u8], parts: usize) -> Vec<Bytes> {
    let mut writer = Writer::new(boundary.clone(), &ContentType::of("application/dicom"));
    let head = PartHead::of(ContentType::of("application/dicom"));
    let mut body = BytesMut::from(&b"\r\n"[..]);
    for _ in 0..parts {
        body.extend_from_slice(&writer.part(&head));
        body.extend_from_slice(payload);
    }
    body.chunks(CHUNK).map(Bytes::copy_from_slice).collect()
}

/// Reads the chunks again and again; returns the parts begun and the bytes of their payloads.
fn read(boundary: &Boundary, chunks: &[Bytes], times: usize) -> (usize, usize) {
    let mut reader = Reader::new(boundary, Limits::default());
    let (mut parts, mut bytes) = (0, 0);
    for chunk in std::iter::repeat_n(chunks, times).flatten() {
        reader.push(chunk.clone());
        loop {
            match reader.next().expect("the body is well made") {
                Event::Part(_) => parts += 1,
                Event::Data(data) => bytes += black_box(data).len(),
                Event::PartEnd => {}
                Event::More | Event::End => break,
            }
        }
    }
    (parts, bytes)
}

fn bodies(criterion: &mut Criterion) {
    let boundary = Boundary::random(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    let mut group = criterion.benchmark_group("multipart");
    group.sample_size(10).throughput(Throughput::Bytes((PARTS * PART) as u64));
    let study = chunks(&boundary, &noise(PART), PERIOD);
    assert_eq!(read(&boundary, &study, PARTS / PERIOD), (PARTS, PARTS * PART));
    group.bench_function("2000 parts of 256 KiB", |bencher| bencher.iter(|| read(&boundary, &study, PARTS / PERIOD)));

    group.throughput(Throughput::Bytes((PERIOD * PART) as u64));
    let hostile = chunks(&boundary, &lookalikes(&boundary, PART), PERIOD);
    group.bench_function("40 parts full of lookalikes", |bencher| bencher.iter(|| read(&boundary, &hostile, 1)));
    let noise = chunks(&boundary, &noise(PART), PERIOD);
    let bytewise: Vec<_> =
        noise.iter().take(16).flat_map(|chunk| chunk.chunks(1)).map(Bytes::copy_from_slice).collect();
    group.throughput(Throughput::Bytes(bytewise.len() as u64));
    group.bench_function("1 MiB byte by byte", |bencher| bencher.iter(|| read(&boundary, &bytewise, 1)));
    group.finish();
}

criterion_group!(benches, bodies);
criterion_main!(benches);
