"""What the service of a vendor does that builds on others' libraries: numpy finds the lungs in CT by thresholds and connection,
highdicom writes them as a segmentation, and a report that measures its segments (PS3.16 TID 1500)."""

from collections.abc import Iterable
from dataclasses import dataclass

import highdicom
import numpy as np
from highdicom import sr
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import generate_uid

LUNG = Code("39607008", "SCT", "Lung")
# Hounsfield units: thinner is the air around the patient, denser is tissue.
THIN, DENSE = -900, -500
# Smaller regions are noise.
LEAST_PIXELS = 50


@dataclass(frozen=True)
class Region:
    """A lung: `mask` by slice, row and column."""

    name: str
    side: Code
    mask: np.ndarray
    tracking_uid: str
    volume: float
    """mm³"""


def evidence(images: Iterable[Dataset], maker: str) -> list[Dataset]:
    """Segmentation and report about a CT series, in the order in which they may be stored: the second names the first."""
    images = [_in_unicode(image) for image in sorted(images, key=lambda image: float(image.ImagePositionPatient[2]))]
    found = regions(images)
    segmentation = _segmentation(images, found, maker)
    return [segmentation, _report(images, segmentation, found, maker)]


def regions(images: list[Dataset]) -> list[Region]:
    """The lungs, the patient's right one first: towards -x of the patient (PS3.3 section C.7.6.2.1.1), that is of low columns."""
    units = np.stack([image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept) for image in images])
    masks = connected((units > THIN) & (units < DENSE))
    masks.sort(key=lambda mask: float(np.argwhere(mask)[:, 2].mean()))
    assert len(masks) == 2, f"{len(masks)} regions are no pair of lungs"
    between = float(images[1].ImagePositionPatient[2]) - float(images[0].ImagePositionPatient[2])
    pixel = float(np.prod([float(side) for side in images[0].PixelSpacing])) * between
    sides = [("right lung", codes.SCT.Right), ("left lung", codes.SCT.Left)]
    return [
        Region(name, side, mask, generate_uid(), int(mask.sum()) * pixel)
        for (name, side), mask in zip(sides, masks, strict=True)
    ]


def connected(mask: np.ndarray) -> list[np.ndarray]:
    """Regions whose pixels share faces: each pixel takes the highest number around it until nothing changes."""
    numbers = np.where(mask, np.arange(1, mask.size + 1).reshape(mask.shape), 0)
    while True:
        grown = numbers.copy()
        for axis in range(mask.ndim):
            before, after = np.moveaxis(numbers, axis, 0), np.moveaxis(grown, axis, 0)
            np.maximum(after[:-1], before[1:], out=after[:-1])
            np.maximum(after[1:], before[:-1], out=after[1:])
        grown[~mask] = 0
        if (grown == numbers).all():
            break
        numbers = grown
    labels, pixels = np.unique(numbers[mask], return_counts=True)
    return [numbers == label for label, count in zip(labels, pixels, strict=True) if count >= LEAST_PIXELS]


def _in_unicode(image: Dataset) -> Dataset:
    """highdicom refuses `\\ISO 2022 IR 87`."""
    image.decode()
    image.SpecificCharacterSet = "ISO_IR 192"
    return image


def _segmentation(images: list[Dataset], found: list[Region], maker: str) -> highdicom.seg.Segmentation:
    algorithm = highdicom.AlgorithmIdentificationSequence("lung finder", codes.DCM.ArtificialIntelligence, "1.0")
    described = [
        highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=region.name,
            segmented_property_category=codes.SCT.AnatomicalStructure,
            segmented_property_type=LUNG,
            algorithm_type="AUTOMATIC",
            algorithm_identification=algorithm,
            tracking_uid=region.tracking_uid,
            tracking_id=region.name,
        )
        for number, region in enumerate(found, start=1)
    ]
    return highdicom.seg.Segmentation(
        source_images=images,
        pixel_array=np.stack([region.mask for region in found], axis=-1),
        segmentation_type="BINARY",
        segment_descriptions=described,
        series_instance_uid=generate_uid(),
        series_number=900,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer=maker,
        manufacturer_model_name="lung finder",
        software_versions="1.0",
        device_serial_number="1",
    )


def _report(images: list[Dataset], segmentation: Dataset, found: list[Region], maker: str) -> sr.Comprehensive3DSR:
    device = sr.DeviceObserverIdentifyingAttributes(uid=generate_uid(), name="lung finder")
    observer = sr.ObserverContext(observer_type=codes.DCM.Device, observer_identifying_attributes=device)
    groups = [
        sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=sr.TrackingIdentifier(uid=region.tracking_uid, identifier=region.name),
            referenced_segment=sr.ReferencedSegment.from_segmentation(segmentation, segment_number=number),
            finding_type=LUNG,
            finding_sites=[sr.FindingSite(LUNG, laterality=region.side)],
            measurements=[sr.Measurement(name=codes.SCT.Volume, value=region.volume, unit=codes.UCUM.CubicMillimeter)],
        )
        for number, region in enumerate(found, start=1)
    ]
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=groups,
    )
    return sr.Comprehensive3DSR(
        evidence=[*images, segmentation],
        content=content,
        series_instance_uid=generate_uid(),
        series_number=901,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer=maker,
    )
