"""Makes moto 5.2 fast enough for a thousand accounts. Responses stay the same; only unneeded work is left out."""

import string
from functools import cache
from typing import Any

import moto.core.models
import moto.core.responses
from moto import backend_index
from moto.core.serialize import BaseJSONSerializer
from moto.core.utils import method_names_from_class
from moto.moto_api._internal.moto_random import MotoRandom
from moto.sqs.models import SQSBackend

OURS = {"dynamodb", "sqs", "secretsmanager", "events"}

_structure = BaseJSONSerializer._serialize_type_structure
_receive_message = SQSBackend.receive_message


def _serialize_type_structure(self: BaseJSONSerializer, serialized: Any, value: Any, shape: Any, key: str) -> None:
    """The only member of a DynamoDB attribute, `{"S": "text"}`. moto looks for each of the ten types in six
    spellings."""
    if shape.name != "AttributeValue" or type(value) is not dict:
        _structure(self, serialized, value, shape, key)
        return
    told: dict[str, Any] = {}
    for kind, content in value.items():
        self._serialize(told, content, shape.members[kind], kind)
    self._default_serialize(serialized, told, shape, key)


def _receive_message_at_once(self: SQSBackend, queue_name: str, count: int, wait: int, *more: Any) -> Any:
    """Receive without waiting for messages: only the test itself could send one."""
    return _receive_message(self, queue_name, count, 0, *more)


def _random_string(self: MotoRandom, length: int = 20, include_digits: bool = True, lower_case: bool = False) -> str:
    letters = string.ascii_letters + (string.digits if include_digits else "")
    drawn = "".join(self.choices(letters, k=length))
    return drawn.lower() if lower_case else drawn


def hurry() -> None:
    """Apply once per process."""
    BaseJSONSerializer._serialize_type_structure = _serialize_type_structure  # type: ignore[method-assign]
    SQSBackend.receive_message = _receive_message_at_once  # type: ignore[assignment,method-assign]
    # A request id has 52 letters, which moto draws one by one.
    MotoRandom.get_random_string = _random_string  # type: ignore[method-assign]
    # For each call, moto searches all services in alphabetical order.
    backend_index.backend_url_patterns.sort(key=lambda service: service[0] not in OURS)
    # A class's method names do not change; moto reads them at each call.
    moto.core.responses.method_names_from_class = cache(method_names_from_class)  # type: ignore[attr-defined]
    # No test calls AWS by `requests`: moto would compile 1,400 patterns for that, per account.
    moto.core.models.RESPONSES_METHODS.clear()
