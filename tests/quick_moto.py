"""What makes moto 5.2 quick enough for a thousand accounts. It answers as before: what it does in vain is left out."""

from functools import cache
from typing import Any

import moto.core.models
import moto.core.responses
from moto.core.serialize import BaseJSONSerializer
from moto.core.utils import method_names_from_class
from moto.sqs.models import SQSBackend

_structure = BaseJSONSerializer._serialize_type_structure
_receive_message = SQSBackend.receive_message


def _serialize_type_structure(self: BaseJSONSerializer, serialized: Any, value: Any, shape: Any, key: str) -> None:
    """Of an attribute of a DynamoDB item, `{"S": "text"}`: the one member that is there. moto looks for each of the ten
    kinds under each of six spellings."""
    if shape.name != "AttributeValue" or type(value) is not dict:
        _structure(self, serialized, value, shape, key)
        return
    told: dict[str, Any] = {}
    for kind, content in value.items():
        self._serialize(told, content, shape.members[kind], kind)
    self._default_serialize(serialized, told, shape, key)


def _receive_message_at_once(self: SQSBackend, queue_name: str, count: int, wait: int, *more: Any) -> Any:
    """Without waiting for messages: who would put one into the queue is the test that asks."""
    return _receive_message(self, queue_name, count, 0, *more)


def hurry() -> None:
    """Once a process."""
    BaseJSONSerializer._serialize_type_structure = _serialize_type_structure  # type: ignore[method-assign]
    SQSBackend.receive_message = _receive_message_at_once  # type: ignore[assignment,method-assign]
    # The names of a class's methods do not change; moto asks for them at each call.
    moto.core.responses.method_names_from_class = cache(method_names_from_class)  # type: ignore[attr-defined]
    # Nobody here calls AWS by `requests`: for each account, 1,400 patterns would be made for who does.
    moto.core.models.RESPONSES_METHODS.clear()
