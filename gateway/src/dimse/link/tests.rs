use std::time::Instant;

use proptest::prelude::*;
use tokio::net::TcpListener;

use super::*;

const LARGEST: u32 = 16_384;

/// A link, and the other end of its connection.
async fn link(patience: Duration) -> (Link, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (here, _) = listener.accept().await.unwrap();
    (Link::new(Wire::Plain(here), LARGEST, patience), there)
}

async fn patient() -> (Link, TcpStream) {
    link(Duration::from_secs(10)).await
}

fn data(context: u8, is_command: bool, is_last: bool, bytes: &[u8]) -> Vec<u8> {
    let mut pdu = Vec::new();
    put_data(&mut pdu, context, is_command, is_last, bytes);
    pdu
}

fn violation(ended: &Ended) -> AbortReason {
    match ended {
        Ended::Violation { reason, .. } => reason.clone(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn pdus_come_apart_as_they_were_put_together_however_the_bytes_arrive() {
    let (mut link, mut peer) = patient().await;
    let mut bytes = data(1, true, true, b"command!");
    bytes.extend(data(1, false, false, b"da"));
    bytes.extend(data(1, false, true, b"ta"));
    bytes.extend([0x05, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
    let sending = async {
        for byte in bytes {
            peer.write_all(&[byte]).await.unwrap();
            peer.flush().await.unwrap();
        }
    };
    let reading = async {
        let mut seen = Vec::new();
        loop {
            match link.next().await.unwrap() {
                Unit::Fragment(of) => seen.push((of.context, of.is_command, of.is_last, of.bytes.to_vec())),
                Unit::Pdu(pdu) => return (seen, pdu),
            }
        }
    };
    let ((seen, last), ()) = tokio::join!(reading, sending);
    let expect: [(u8, bool, bool, &[u8]); 3] =
        [(1, true, true, b"command!"), (1, false, false, b"da"), (1, false, true, b"ta")];
    let seen: Vec<_> = seen.iter().map(|(a, b, c, bytes)| (*a, *b, *c, bytes.as_slice())).collect();
    assert_eq!(seen, expect);
    assert_eq!(*last, Pdu::ReleaseRQ);
}

#[tokio::test]
async fn a_reading_that_is_given_up_loses_nothing() {
    let (mut link, mut peer) = patient().await;
    let bytes = data(3, false, true, &[7; 1000]);
    let (first, second) = bytes.split_at(500);
    peer.write_all(first).await.unwrap();
    assert!(timeout(Duration::from_millis(50), link.next()).await.is_err());
    peer.write_all(second).await.unwrap();
    let Unit::Fragment(fragment) = link.next().await.unwrap() else { panic!() };
    assert_eq!(fragment.bytes, [7_u8; 1000].as_slice());
}

#[tokio::test]
async fn what_is_too_long_or_no_pdu_is_refused_before_it_is_read() {
    for (head, reason) in [
        ([0x04, 0, 0, 0, 0x40, 0x01], AbortReason::InvalidPduParameter),
        ([0x04, 0, 0xFF, 0xFF, 0xFF, 0xFF], AbortReason::InvalidPduParameter),
        ([0x01, 0, 0x7F, 0xFF, 0xFF, 0xFF], AbortReason::InvalidPduParameter),
        ([0x07, 0, 0, 0, 0x10, 0], AbortReason::InvalidPduParameter),
        (*b"GET / ", AbortReason::UnrecognizedPdu),
        // The head of a TLS handshake.
        ([0x16, 0x03, 0x01, 0x02, 0, 1], AbortReason::UnrecognizedPdu),
        ([0x00, 0, 0, 0, 0, 4], AbortReason::UnrecognizedPdu),
    ] {
        let (mut link, mut peer) = patient().await;
        peer.write_all(&head).await.unwrap();
        assert_eq!(violation(&link.next().await.unwrap_err()), reason, "{head:?}");
    }
}

#[tokio::test]
async fn broken_pdvs_are_refused() {
    for (what, pdu) in [
        ("empty", vec![]),
        ("a head cut short", vec![0, 0, 0, 8, 1]),
        ("shorter than its head", vec![0, 0, 0, 1, 1, 2]),
        ("longer than its PDU", vec![0, 0, 0, 9, 1, 2, 0, 0]),
        ("a rest", vec![0, 0, 0, 4, 1, 2, 0, 0, 9]),
    ] {
        assert_eq!(violation(&fragments(Bytes::from(pdu)).unwrap_err()), AbortReason::InvalidPduParameter, "{what}");
    }
}

#[tokio::test]
async fn several_pdvs_in_one_pdu_are_several_fragments() {
    let (mut link, mut peer) = patient().await;
    let pdu = [4, 0, 0, 0, 0, 16, 0, 0, 0, 4, 1, 3, 8, 9, 0, 0, 0, 4, 1, 2, 6, 7];
    peer.write_all(&pdu).await.unwrap();
    for (is_command, bytes) in [(true, [8, 9]), (false, [6, 7])] {
        let Unit::Fragment(fragment) = link.next().await.unwrap() else { panic!() };
        assert_eq!((fragment.is_command, fragment.is_last, &fragment.bytes[..]), (is_command, true, &bytes[..]));
    }
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_waited_for_no_longer_than_agreed() {
    let (mut link, mut peer) = link(Duration::from_millis(100)).await;
    peer.write_all(&[4, 0, 0]).await.unwrap();
    let begun = Instant::now();
    assert!(matches!(link.next().await, Err(Ended::Silent)));
    assert!(begun.elapsed() < Duration::from_secs(5));
    drop(peer);
    assert!(matches!(link.next().await, Err(Ended::Closed)));
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_waited_for_no_longer_than_agreed() {
    let (mut link, _peer) = link(Duration::from_millis(200)).await;
    let much = vec![0; 64 << 20];
    assert!(matches!(link.send(&much).await, Err(Ended::Silent)));
}

#[tokio::test]
async fn an_abort_is_an_abort_whatever_its_reason() {
    let (mut link, mut peer) = patient().await;
    peer.write_all(&[7, 0, 0, 0, 0, 4, 9, 9, 9, 9]).await.unwrap();
    let Unit::Pdu(pdu) = link.next().await.unwrap() else { panic!() };
    assert!(matches!(*pdu, Pdu::AbortRQ { .. }));
}

/// A request for an association, as a peer writes it.
fn request() -> Vec<u8> {
    use dicom_ul::pdu::{AssociationRQ, PresentationContextProposed, RequestorRoles, UserVariableItem as Item};
    let proposed = |id| PresentationContextProposed {
        id,
        abstract_syntax: "1.2.840.10008.5.1.4.1.1.2".to_owned(),
        transfer_syntaxes: vec!["1.2.840.10008.1.2".to_owned(), "1.2.840.10008.1.2.1".to_owned()],
    };
    let request = AssociationRQ {
        protocol_version: 1,
        calling_ae_title: "CT".to_owned(),
        called_ae_title: "MEDVAN".to_owned(),
        application_context_name: "1.2.840.10008.3.1.1.1".to_owned(),
        presentation_contexts: vec![proposed(1), proposed(3)],
        user_variables: vec![
            Item::MaxLength(16_384),
            Item::ImplementationClassUID("1.2.3".to_owned()),
            Item::ScuScpRoleSelectionSubItem("1.2.3".to_owned(), RequestorRoles { scu: true, scp: true }),
            Item::SopClassExtendedNegotiationSubItem("1.2.3".to_owned(), vec![1, 1]),
        ],
    };
    let mut bytes = Vec::new();
    write_pdu(&mut bytes, &Pdu::AssociationRQ(request)).unwrap();
    bytes
}

proptest! {
    #[test]
    fn any_bytes_are_fragments_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let length = bytes.len();
        if let Ok(fragments) = fragments(Bytes::from(bytes)) {
            let within: usize = fragments.iter().map(|fragment| fragment.bytes.len() + PDV_HEADER).sum();
            prop_assert_eq!(within, length);
        }
    }

    #[test]
    fn any_bytes_are_a_pdu_or_refused(kind in 0_u8..9, body in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut pdu = vec![kind, 0];
        pdu.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
        pdu.extend(body);
        let _ = other(kind, Bytes::from(pdu));
    }

    #[test]
    fn a_broken_request_is_a_request_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = request();
        for (at, byte) in changes {
            *at.get_mut(&mut bytes[6..]) = byte;
        }
        let _ = other(1, Bytes::from(bytes));
    }

    #[test]
    fn data_comes_apart_as_it_was_put_together(
        context: u8, is_command: bool, is_last: bool, data in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut pdu = Vec::new();
        put_data(&mut pdu, context, is_command, is_last, &data);
        let mut fragments = fragments(Bytes::from(pdu).slice(HEADER..)).unwrap();
        let fragment = fragments.pop_front().unwrap();
        prop_assert!(fragments.is_empty());
        prop_assert_eq!((fragment.context, fragment.is_command, fragment.is_last), (context, is_command, is_last));
        prop_assert_eq!(&fragment.bytes[..], &data[..]);
    }
}
