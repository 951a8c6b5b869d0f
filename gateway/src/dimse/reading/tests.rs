use std::io::Cursor;

use super::*;

/// What comes out of the writer.
fn written(write: impl FnOnce(&mut Writer) -> io::Result<()> + Send + 'static) -> Vec<Vec<u8>> {
    let (out, mut chunks) = mpsc::channel(WAITING);
    let writing = std::thread::spawn(move || {
        let mut writer = Writer { buffer: Vec::new(), out };
        write(&mut writer).unwrap();
        writer.send().unwrap();
    });
    let mut seen = Vec::new();
    while let Some(chunk) = chunks.blocking_recv() {
        seen.extend(chunk.unwrap().map(|chunk| chunk.to_vec()));
    }
    writing.join().unwrap();
    seen
}

#[test]
fn chunks_are_full_but_for_the_last() {
    let source: Vec<u8> = (0..=255).cycle().take(CHUNK * 2 + 10).collect();
    let expect = source.clone();
    let chunks = written(move |writer| {
        writer.put(&source[..1])?;
        writer.put(&source[1..CHUNK])?;
        writer.put(&source[CHUNK..])
    });
    let lengths: Vec<usize> = chunks.iter().map(Vec::len).collect();
    assert_eq!(lengths, [CHUNK, CHUNK, 10]);
    assert!(chunks.concat() == expect);
}

#[test]
fn stretches_are_copied_and_numbers_turned_round() {
    let source: Vec<u8> = (0..16).collect();
    let span = |offset, length| Span { offset, length };
    let pieces = vec![
        Piece::Bytes(vec![99]),
        Piece::Copy { span: span(8, 4), swapped: 1 },
        Piece::Copy { span: span(0, 4), swapped: 2 },
        Piece::Copy { span: span(4, 4), swapped: 4 },
    ];
    let chunks = written(move |writer| put_pieces(pieces, Cursor::new(source), writer));
    assert_eq!(chunks.concat(), [99, 8, 9, 10, 11, 1, 0, 3, 2, 7, 6, 5, 4]);
}

#[tokio::test]
async fn what_a_lost_thread_sent_is_not_the_whole() {
    let (out, mut rest) = mpsc::channel(WAITING);
    out.send(Ok(Some(Bytes::from_static(b"part")))).await.unwrap();
    drop(out);
    assert_eq!(received(&mut rest).await.unwrap(), Some(Bytes::from_static(b"part")));
    assert!(received(&mut rest).await.is_err());
}
