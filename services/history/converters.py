"""Conversion between the messages of uploads, records and objects and the domain."""

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError

from common.errors import DamagedStoreError, InvalidInputError
from common.imaging.header import check_header
from common.settings import ImageLimits
from productimage.brand.v1 import brand_pb2
from productimage.provenance.v1 import provenance_pb2
from productimage.record.v1 import record_pb2
from productimage.upload.v1 import upload_pb2
from services.history import paths
from services.history.brands import Brand
from services.history.generations import Generation, Picture
from services.history.records.codec import Record
from services.history.records.log import SEGMENT
from services.history.records.queries import Page, RecordQuery
from services.history.uploads import UPLOADS, Cutout, Upload

IS_DESCENDING = {"": False, "sequence": False, "sequence desc": True}


def upload_message(upload: Upload) -> upload_pb2.Upload:
    """Return the message of an upload."""
    notes = upload.cutout_stage.get("notes", [])
    return upload_pb2.Upload(
        timestamp=upload.timestamp,
        photo_path=upload.photo_path,
        cutout_path=upload.cutout_path,
        earlier_cutouts=len(upload.earlier),
        later_cutouts=len(upload.later),
        notes=[note for note in notes if isinstance(note, str)] if isinstance(notes, list) else [],
    )


def cutout(request: upload_pb2.PutCutoutRequest) -> Cutout:
    """Return the cutout of a request."""
    stage = MessageToDict(request.stage, preserving_proto_field_name=True)
    return Cutout(request.cutout, request.engine, stage, request.product_aspect_ratio)


def get_upload_response(upload: Upload, cutout: bytes) -> upload_pb2.GetUploadResponse:
    """Return the response to a GetUpload call.

    Raises:
        DamagedStoreError: What is stored about the cutout is no stage.
    """
    try:
        stage = ParseDict(upload.cutout_stage, provenance_pb2.Stage(), ignore_unknown_fields=True)
    except ParseError:
        raise UPLOADS.damaged(paths.upload_key(upload.timestamp), "does not hold what it should") from None
    return upload_pb2.GetUploadResponse(
        upload=upload_message(upload),
        cutout=cutout,
        cutout_engine=upload.cutout_engine,
        cutout_stage=stage,
        product_aspect_ratio=upload.product_aspect_ratio,
    )


def begin_response(result: Record | Upload | None, renew_seconds: float) -> record_pb2.BeginRequestResponse:
    """Return the response to a BeginRequest call."""
    if result is None:
        return record_pb2.BeginRequestResponse(renew_seconds=renew_seconds)
    if isinstance(result, Upload):
        return record_pb2.BeginRequestResponse(upload=upload_message(result))
    return record_pb2.BeginRequestResponse(record=record_message(result))


def generation(request: record_pb2.SaveGenerationRequest, limits: ImageLimits) -> Generation:
    """Return the generation of a request.

    Raises:
        InvalidInputError: A picture is of another format, or exceeds a limit.
    """
    files = [
        [Picture(one.name, one.file, check_header(one.file, limits)) for one in sent]
        for sent in (request.pictures, request.backgrounds, request.removals)
    ]
    return Generation(request.request_id, request.timestamp, _record_fields(request.record), *files)


def record_query(request: record_pb2.ListRecordsRequest) -> RecordQuery:
    """Return the query of a request.

    Raises:
        InvalidInputError: The order is not supported.
    """
    descending = IS_DESCENDING.get(request.order_by)
    if descending is None:
        raise InvalidInputError('Order by "sequence" or "sequence desc".', "ORDER_BY")
    wanted = request.filter
    return RecordQuery(
        text=wanted.text,
        sequence=wanted.sequence if wanted.HasField("sequence") else None,
        audience=wanted.audience,
        brand=wanted.brand,
        since=wanted.since,
        until=wanted.until,
        descending=descending,
        page_size=request.page_size,
        page_token=request.page_token,
    )


def page_response(page: Page) -> record_pb2.ListRecordsResponse:
    """Return the response to a ListRecords call."""
    return record_pb2.ListRecordsResponse(
        records=[record_message(record) for record in page.records], next_page_token=page.next_token
    )


def record_message(record: Record) -> record_pb2.Record:
    """Return the message of a stored record, which may be of the original backend or of a later version.

    Raises:
        DamagedStoreError: It holds something else than a record.
    """
    earlier = {"preferences": record["wishes"]} if "wishes" in record else {}  # their earlier name
    try:
        return ParseDict(earlier | record, record_pb2.Record(), ignore_unknown_fields=True)
    except ParseError:
        file = paths.segment(record["sequence"] // SEGMENT)
        problem = f"or {paths.RECORDS} holds something else as record {record['sequence']}"
        raise DamagedStoreError(file=file, problem=problem, remedy="restore the file from a backup") from None


def _record_fields(record: record_pb2.Record) -> Record:
    return {
        "product_name": record.product_name,
        "product_describe": record.product_describe,
        "target_audience": record.target_audience,
        "short_ad": record.short_ad,
        "long_ad": record.long_ad,
        "engines": dict(record.engines),
        "seed": record.seed,
        "prompts": list(record.prompts),
        "notes": list(record.notes),
        "manifest": MessageToDict(
            record.manifest, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        ),
    } | _optional_fields(record)


def _optional_fields(record: record_pb2.Record) -> Record:
    """Return what only some records have, and none of release 0.2."""
    fields: Record = {}
    if record.HasField("words"):
        fields["words"] = MessageToDict(record.words, preserving_proto_field_name=True)
    if record.platforms:
        fields["platforms"] = list(record.platforms)
    if record.HasField("preferences"):
        fields["preferences"] = MessageToDict(record.preferences, preserving_proto_field_name=True)
    fields |= {
        name: [
            MessageToDict(one, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
            for one in getattr(record, name)
        ]
        for name in ("fidelity", "products", "backgrounds")
        if getattr(record, name)
    }
    if record.HasField("parent"):
        fields["parent"] = record.parent
    fields |= {
        name: [MessageToDict(one, preserving_proto_field_name=True) for one in getattr(record, name)]
        for name in ("texts", "placed")
        if getattr(record, name)
    }
    plain = ("brand", "dollars", "locale", "layout", "file_format", "without_logo")
    fields |= {name: getattr(record, name) for name in plain if getattr(record, name)}
    return fields


def brand(message: brand_pb2.Brand) -> Brand:
    """Return the brand of a message."""
    return Brand(
        message.name,
        message.logo,
        message.primary_colour,
        message.secondary_colour,
        message.font,
        message.tone,
        message.legal,
    )


def brand_message(brand: Brand) -> brand_pb2.Brand:
    """Return the message of a brand."""
    return brand_pb2.Brand(
        name=brand.name,
        logo=brand.logo,
        primary_colour=brand.primary_colour,
        secondary_colour=brand.secondary_colour,
        font=brand.font,
        tone=brand.tone,
        legal=brand.legal,
    )
