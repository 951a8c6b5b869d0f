"""Reports as services write them that give their results as DICOM objects: highdicom's TID 1500 with one measured line."""

import io

import numpy as np
import pydicom
from highdicom import sr
from highdicom.sr import (
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    ImageRegion,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    SourceImageForRegion,
    TrackingIdentifier,
)
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

LINE = np.array([[2.0, 2.0], [8.0, 8.0]])


def report(files: list[bytes]) -> Dataset:
    """About a line in the first of the images."""
    images = [_in_unicode(pydicom.dcmread(io.BytesIO(file))) for file in files]
    device = DeviceObserverIdentifyingAttributes(uid=generate_uid(), name="load")
    observer = ObserverContext(observer_type=codes.DCM.Device, observer_identifying_attributes=device)
    region = ImageRegion(
        graphic_type=sr.GraphicTypeValues.POLYLINE,
        graphic_data=LINE,
        source_image=SourceImageForRegion(images[0].SOPClassUID, images[0].SOPInstanceUID),
    )
    group = PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=generate_uid(), identifier="line"),
        referenced_region=region,
        finding_type=codes.SCT.Lesion,
        measurements=[sr.Measurement(name=codes.SCT.Length, value=8.5, unit=codes.UCUM.Millimeter)],
    )
    content = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=observer),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=[group],
    )
    written = Comprehensive3DSR(
        evidence=images,
        content=content,
        series_instance_uid=generate_uid(),
        series_number=901,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="Load",
    )
    return written


def file_of(ds: Dataset) -> bytes:
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _in_unicode(image: Dataset) -> Dataset:
    """highdicom refuses `\\ISO 2022 IR 87`."""
    image.decode()
    image.SpecificCharacterSet = "ISO_IR 192"
    return image
