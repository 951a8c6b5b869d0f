use super::*;

fn written(frames: &[(u8, &[&[u8]])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (first_bit, fragments) in frames {
        out.push(*first_bit);
        out.extend((fragments.len() as u32).to_le_bytes());
        for fragment in *fragments {
            out.extend((fragment.len() as u64).to_le_bytes());
            out.extend(*fragment);
        }
    }
    out
}

#[test]
fn frames_come_until_the_input_ends() {
    let bytes = written(&[(3, &[b"one", b"", b"two"]), (0, &[])]);
    let mut input = bytes.as_slice();
    let Some(Incoming::Frame(first)) = read_frame(&mut input, 6).unwrap() else { panic!("no frame") };
    let expected = EncodedFrame { fragments: vec![b"one".to_vec(), Vec::new(), b"two".to_vec()], first_bit: 3 };
    assert_eq!(first, expected);
    assert!(matches!(read_frame(&mut input, 6).unwrap(), Some(Incoming::Frame(empty)) if empty.fragments.is_empty()));
    assert!(read_frame(&mut input, 6).unwrap().is_none());
}

#[test]
fn a_frame_that_is_too_large_is_passed_over() {
    let bytes = written(&[(0, &[b"four", b"five!", b"six"]), (0, &[b"next"])]);
    let mut input = bytes.as_slice();
    assert!(matches!(read_frame(&mut input, 8).unwrap(), Some(Incoming::TooLarge(12))));
    assert!(matches!(read_frame(&mut input, 8).unwrap(), Some(Incoming::Frame(_))));
}

#[test]
fn what_ends_within_a_frame_is_an_error() {
    let bytes = written(&[(0, &[b"four", b"five!"])]);
    for length in 1..bytes.len() {
        for most in [4, 100] {
            assert!(read_frame(&mut &bytes[..length], most).is_err(), "{length} of {}", bytes.len());
        }
    }
    let without_end = [&[0][..], &u32::MAX.to_le_bytes()].concat();
    assert!(read_frame(&mut without_end.as_slice(), 100).is_err());
}

#[test]
fn a_head_without_end_is_not_read() {
    assert!(read_head(&mut u32::MAX.to_le_bytes().as_slice()).is_err());
}
