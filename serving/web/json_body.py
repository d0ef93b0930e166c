"""JSON request bodies that pydantic validates from the raw bytes.

FastAPI parses a body into Python objects and validates these; one call on the bytes does both in a fraction of the
time. Content types and errors are FastAPI's, and :meth:`JsonBody.openapi` declares the body in the OpenAPI.
"""

from collections.abc import Callable
from email.message import Message
from typing import Any, Generic, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.json_schema import models_json_schema

T = TypeVar("T", bound=BaseModel)

# Those of requests that a page may send without asking first; a Blob without a type has none.
OF_BEACONS = {"text/plain", "application/x-www-form-urlencoded", ""}
REFERENCE = "#/components/schemas/{model}"


class JsonBody(Generic[T]):
    """Reads request bodies of one model."""

    def __init__(self, model: type[T], *, beacon: bool = False) -> None:
        """``beacon`` accepts JSON in the content types of ``navigator.sendBeacon`` too."""
        self._beacon = beacon
        self._model = model
        self._adapter: TypeAdapter[T] = TypeAdapter(model)

    async def read(self, request: Request) -> T:
        """Return the validated body, or raise ``RequestValidationError``, which is answered by 422."""
        raw = await request.body()
        if not raw:
            raise RequestValidationError([{"type": "missing", "loc": ("body",), "msg": "Field required"}])
        content_type = request.headers.get("content-type", "")
        if is_json(content_type) or (self._beacon and media_type(content_type) in OF_BEACONS):
            return self.validate(raw)
        # Refuses the bytes, in the words in which FastAPI refuses a body of another content type.
        return validated(lambda: self._adapter.validate_python(raw, from_attributes=True))

    def validate(self, raw: bytes) -> T:
        """Return the model of JSON, or raise ``RequestValidationError``."""
        return validated(lambda: self._adapter.validate_json(raw))

    def openapi(self) -> dict[str, Any]:
        """Return ``openapi_extra`` of a route; :mod:`serving.web.openapi` moves the models in it to the components."""
        schemas, shared = models_json_schema([(self._model, "validation")], ref_template=REFERENCE)
        schema = {**schemas[self._model, "validation"], **shared}
        return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def validated(validate: Callable[[], T]) -> T:
    """Call ``validate``, and raise what is invalid as errors of the request body."""
    try:
        return validate()
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in found]) from None


def is_json(content_type: str) -> bool:
    """Whether FastAPI reads a body of this content type as JSON."""
    if content_type == "application/json":
        return True
    message = Message()
    message["content-type"] = content_type
    subtype = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (subtype == "json" or subtype.endswith("+json"))


def media_type(content_type: str) -> str:
    """Return a content type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()
